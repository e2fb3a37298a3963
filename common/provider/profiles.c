/* What differs between providers: the values. docs/providers.md says where each comes from. */
#include "common/provider/profile.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/provider/dialect.h"

#define MINUTE_MS (INT64_C(60) * 1000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define DAY_S     (24 * INT64_C(3600))

#define MB UINT64_C(1000000)
#define GB (1000 * MB)

#define BEARER "Authorization: Bearer"

/* What is the same everywhere: choices of ours, for no vendor says anything. */
#define USUAL_LIMITS                                                                \
    .limits.margin_pct = 5, .limits.custom_id_max = 64, .limits.batches_alive = 10, \
    .limits.stuck_validating_ms = HOUR_MS, .limits.stuck_finalizing_ms = HOUR_MS,   \
    .limits.stuck_running_ms = HOUR_MS, .limits.stuck_cancelling_ms = 15 * MINUTE_MS

/* The members of OpenAI's API that all of its family take. */
#define FAMILY .dialect = &provider_dialect_openai, .has_metadata = true

/* Of the request lines' names for endpoints, those with "/v4" are Zhipu's. */
static const struct provider_endpoint v1_endpoints[] = {
    {"/v4/chat/completions",   "/v1/chat/completions",   0},
    {"/v4/embeddings",         "/v1/embeddings",         0},
    {"/v4/images/generations", "/v1/images/generations", 0},
    {NULL,                     NULL,                     0},
};

/* ---- openai ---- */

static const char *const openai_keys[] = {"OPENAI_API_KEY", NULL};
static const char *const openai_hosts[] = {".api.openai.com", NULL};

static const struct provider_profile openai = {
    FAMILY,
    .name = "openai",
    .base_url = "https://api.openai.com/v1",
    .hosts = openai_hosts,
    .key_names = openai_keys,
    .endpoints = v1_endpoints,
    .auth_header = BEARER,
    .file_type = "application/jsonl",
    .completion_window = "24h",
    .list_cursor = "after",
    .upload_expiry = PROVIDER_EXPIRY_BRACKETS,
    .output_expiry = true,
    .has_file_get = true,
    USUAL_LIMITS,
    .limits.max_requests = 50000,
    .limits.max_bytes = 200 * MB,
    .limits.custom_id_min = 1,
    .limits.creates_per_hour = 2000,
    .limits.uploads_per_min = 1000,
    .limits.storage_bytes = 2500 * GB,
    .limits.poll_min_ms = 30000,
    .limits.visibility_lag_ms = 120000,
    .limits.output_kept_ms = 30 * DAY_MS,
    .limits.window_ms = DAY_MS,
    .limits.expires_after_s = 30 * DAY_S,
    .limits.stuck_cancel_ms = 6 * HOUR_MS,
};

/* ---- zhipu ---- */

static const char *const zhipu_keys[] = {"ZHIPU_API_KEY", "ZAI_API_KEY", NULL};
static const char *const zhipu_hosts[] = {"api.z.ai", NULL};

static const struct provider_endpoint zhipu_endpoints[] = {
    {"/v1/chat/completions",   "/v4/chat/completions",   0    },
    {"/v1/embeddings",         "/v4/embeddings",         10000},
    {"/v1/images/generations", "/v4/images/generations", 0    },
    {NULL,                     NULL,                     0    },
};

static const struct provider_profile zhipu = {
    FAMILY,
    .name = "zhipu",
    .base_url = "https://open.bigmodel.cn/api/paas/v4",
    .hosts = zhipu_hosts,
    .key_names = zhipu_keys,
    .endpoints = zhipu_endpoints,
    .auth_header = BEARER,
    .file_type = "application/jsonl",
    .list_cursor = "after",
    .keeps_input_file = true,
    .validates_upload = true,
    USUAL_LIMITS,
    .limits.max_requests = 50000,
    .limits.max_bytes = 100 * MB,
    .limits.custom_id_min = 6,
    .limits.files_stored = 1000,
    .limits.poll_min_ms = 30000,
    .limits.visibility_lag_ms = 120000,
    .limits.output_kept_ms = 30 * DAY_MS,
    .limits.window_ms = 7 * DAY_MS,
    .limits.stuck_cancel_ms = 6 * HOUR_MS,
};

/* ---- azure ---- */

static const char *const azure_keys[] = {"AZURE_OPENAI_API_KEY", NULL};
static const char *const azure_hosts[] = {".openai.azure.com", ".cognitiveservices.azure.com",
                                          ".services.ai.azure.com", NULL};

static const struct provider_endpoint azure_endpoints[] = {
    {"/v1/chat/completions",   "/chat/completions",      0},
    {"/v4/chat/completions",   "/chat/completions",      0},
    {"/v4/embeddings",         "/v1/embeddings",         0},
    {"/v4/images/generations", "/v1/images/generations", 0},
    {NULL,                     NULL,                     0},
};

static const struct provider_profile azure = {
    FAMILY,
    .name = "azure",
    .base_url = "https://RESOURCE.openai.azure.com/openai/v1",
    .base_url_varies = true,
    .hosts = azure_hosts,
    .key_names = azure_keys,
    .endpoints = azure_endpoints,
    .auth_header = "api-key",
    .file_type = "application/json",
    .completion_window = "24h",
    .list_cursor = "after",
    .upload_expiry = PROVIDER_EXPIRY_DOTS,
    .output_expiry = true,
    .has_file_get = true,
    USUAL_LIMITS,
    .limits.max_requests = 100000,
    .limits.max_bytes = 200 * MB,
    .limits.custom_id_min = 1,
    .limits.files_stored = 10000,
    .limits.poll_min_ms = 60000,
    .limits.visibility_lag_ms = 120000,
    .limits.output_kept_ms = 30 * DAY_MS,
    .limits.window_ms = DAY_MS,
    .limits.expires_after_s = 30 * DAY_S,
    .limits.stuck_cancel_ms = 72 * HOUR_MS, /* it goes on after its window, by design */
};

/* ---- dashscope ---- */

static const char *const dashscope_keys[] = {"DASHSCOPE_API_KEY", NULL};
static const char *const dashscope_hosts[] = {".aliyuncs.com", NULL};

static const struct provider_profile dashscope = {
    FAMILY,
    .name = "dashscope",
    .base_url = "https://dashscope.aliyuncs.com/compatible-mode/v1",
    .hosts = dashscope_hosts,
    .key_names = dashscope_keys,
    .endpoints = v1_endpoints,
    .auth_header = BEARER,
    .file_type = "application/jsonl",
    .completion_window = "24h",
    .metadata_name = "ds_name",
    .list_cursor = "after",
    .has_file_get = true,
    USUAL_LIMITS,
    .limits.max_requests = 50000,
    .limits.max_bytes = 500 * MB,
    .limits.max_line_bytes = 6 * MB,
    .limits.custom_id_min = 1,
    .limits.creates_per_hour = 60000,
    .limits.polls_per_min = 1000,
    .limits.files_stored = 10000,
    .limits.storage_bytes = 100 * GB,
    .limits.poll_min_ms = 60000,
    .limits.visibility_lag_ms = 120000,
    .limits.window_ms = DAY_MS,
    .limits.stuck_cancel_ms = 6 * HOUR_MS,
};

/* ---- groq ---- */

static const char *const groq_keys[] = {"GROQ_API_KEY", NULL};

static const struct provider_profile groq = {
    FAMILY,
    .name = "groq",
    .base_url = "https://api.groq.com/openai/v1",
    .key_names = groq_keys,
    .endpoints = v1_endpoints,
    .auth_header = BEARER,
    .file_type = "application/jsonl",
    .completion_window = "24h",
    .list_cursor = "cursor",
    .has_file_get = true,
    .files_unpaged = true,
    USUAL_LIMITS,
    .limits.max_requests = 50000,
    .limits.max_bytes = 100 * MB,
    .limits.custom_id_min = 1,
    .limits.poll_min_ms = 60000,
    .limits.visibility_lag_ms = 60000,
    .limits.output_kept_ms = 30 * DAY_MS,
    .limits.window_ms = DAY_MS,
    .limits.stuck_cancel_ms = 6 * HOUR_MS,
};

/* ---- doubleword ---- */

static const char *const doubleword_keys[] = {"DOUBLEWORD_API_KEY", NULL};

static const struct provider_profile doubleword = {
    FAMILY,
    .name = "doubleword",
    .base_url = "https://api.doubleword.ai/v1",
    .key_names = doubleword_keys,
    .endpoints = v1_endpoints,
    .auth_header = BEARER,
    .file_type = "application/jsonl",
    .completion_window = "24h",
    .list_cursor = "after",
    .has_file_get = true,
    .validates_upload = true,
    USUAL_LIMITS,
    .limits.max_requests = 50000,
    .limits.max_bytes = 200 * MB,
    .limits.custom_id_min = 1,
    .limits.poll_min_ms = 30000,
    .limits.visibility_lag_ms = 10000,
    .limits.window_ms = DAY_MS,
    .limits.stuck_cancel_ms = 6 * HOUR_MS,
};

static const struct provider_profile *const profiles[] = {&openai,    &zhipu, &azure,
                                                          &dashscope, &groq,  &doubleword};
static const char *const profile_names[] = {"openai", "zhipu",      "azure", "dashscope",
                                            "groq",   "doubleword", NULL};

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
