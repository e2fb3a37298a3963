#include "common/provider/profile.h"

#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"

#define DAY_MS (24 * INT64_C(3600) * 1000)

static const char *const openai_keys[] = {"OPENAI_API_KEY", NULL};
static const char *const zhipu_keys[] = {"ZHIPU_API_KEY", "ZAI_API_KEY", NULL};

static const struct provider_endpoint openai_endpoints[] = {
    {"/v4/chat/completions",   "/v1/chat/completions",   0},
    {"/v4/embeddings",         "/v1/embeddings",         0},
    {"/v4/images/generations", "/v1/images/generations", 0},
    {NULL,                     NULL,                     0},
};

static const struct provider_endpoint zhipu_endpoints[] = {
    {"/v1/chat/completions",   "/v4/chat/completions",   0    },
    {"/v1/embeddings",         "/v4/embeddings",         10000},
    {"/v1/images/generations", "/v4/images/generations", 0    },
    {NULL,                     NULL,                     0    },
};

static const struct provider_profile openai = {
    .name = "openai",
    .base_url = "https://api.openai.com/v1",
    .key_names = openai_keys,
    .endpoints = openai_endpoints,
    .sends_completion_window = true,
    .has_file_get = true,
    .limits.max_requests = 50000,
    .limits.max_bytes = 200000000,
    .limits.margin_pct = 5,
    .limits.custom_id_min = 1,
    .limits.custom_id_max = 64,
    .limits.batches_alive = 10,
    .limits.creates_per_hour = 2000,
    .limits.uploads_per_min = 1000,
    .limits.poll_min_ms = 30000,
    .limits.visibility_lag_ms = 120000,
    .limits.output_kept_ms = 30 * DAY_MS,
    .limits.completion_max_ms = DAY_MS,
};

static const struct provider_profile zhipu = {
    .name = "zhipu",
    .base_url = "https://open.bigmodel.cn/api/paas/v4",
    .key_names = zhipu_keys,
    .endpoints = zhipu_endpoints,
    .keeps_input_file = true,
    .limits.max_requests = 50000,
    .limits.max_bytes = 100000000,
    .limits.margin_pct = 5,
    .limits.custom_id_min = 6,
    .limits.custom_id_max = 64,
    .limits.batches_alive = 10,
    .limits.files_stored = 1000,
    .limits.poll_min_ms = 30000,
    .limits.visibility_lag_ms = 120000,
    .limits.output_kept_ms = 30 * DAY_MS,
    .limits.completion_max_ms = 7 * DAY_MS,
};

static const struct provider_profile *const profiles[] = {&openai, &zhipu};
static const char *const profile_names[] = {"openai", "zhipu", NULL};

_Static_assert(ARRAY_LEN(profile_names) == ARRAY_LEN(profiles) + 1, "a profile without a name");

const struct provider_profile *provider_profile_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        if (strcmp(profiles[i]->name, name) == 0)
            return profiles[i];
    }
    return NULL;
}

const char *const *provider_profile_names(void)
{
    return profile_names;
}

static const struct provider_endpoint *endpoint_find(const struct provider_profile *profile,
                                                     const char *url)
{
    for (const struct provider_endpoint *e = profile->endpoints; e->url != NULL; e++) {
        if (strcmp(e->url, url) == 0 || strcmp(e->theirs, url) == 0)
            return e;
    }
    return NULL;
}

const char *provider_endpoint_for(const struct provider_profile *profile, const char *url)
{
    const struct provider_endpoint *endpoint = endpoint_find(profile, url);

    return endpoint != NULL ? endpoint->theirs : url;
}

uint32_t provider_max_requests(const struct provider_profile *profile, const char *url)
{
    const struct provider_endpoint *endpoint = endpoint_find(profile, url);

    if (endpoint == NULL || endpoint->max_requests == 0)
        return profile->limits.max_requests;
    return endpoint->max_requests;
}

uint64_t provider_max_bytes(const struct provider_profile *profile)
{
    const struct provider_limits *limits = &profile->limits;

    return limits->max_bytes - limits->max_bytes / 100 * limits->margin_pct;
}

static bool is_own_site(const struct provider_profile *profile, const char *base_url)
{
    return base_url == NULL || strcmp(base_url, profile->base_url) == 0;
}

int64_t provider_poll_min_ms(const struct provider_profile *profile, const char *base_url)
{
    return is_own_site(profile, base_url) ? profile->limits.poll_min_ms : 0;
}

/* FNV-1a over @text and its NUL, so that ("ab","c") and ("a","bc") differ. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    do {
        hash = (hash ^ *p) * UINT64_C(0x100000001b3);
    } while (*p++ != 0);
    return hash;
}

/* FNV alone changes its upper bits little for the last bytes of a text. */
static void write_id(uint64_t hash, char out[PROVIDER_ID_LEN + 1])
{
    hash = (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93);
    hash = (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93);
    hash ^= hash >> 32;
    (void)snprintf(out, PROVIDER_ID_LEN + 1, "%012llx", (unsigned long long)(hash >> 16));
}

#define HASH_START UINT64_C(0xcbf29ce484222325)

void provider_site_id(const struct provider_profile *profile, const char *base_url,
                      char out[PROVIDER_ID_LEN + 1])
{
    uint64_t hash = hash_text(HASH_START, profile->name);

    write_id(hash_text(hash, base_url != NULL ? base_url : profile->base_url), out);
}

void provider_account_id(const char *site, const char *api_key, char out[PROVIDER_ID_LEN + 1])
{
    uint64_t hash = hash_text(HASH_START, "sheaf account");

    write_id(hash_text(hash_text(hash, site), api_key), out);
}
