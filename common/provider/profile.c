#include "common/provider/profile.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/net/http_url.h"

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

bool provider_check_base_url(const struct provider_profile *profile, const char *base_url,
                             struct err *err)
{
    char url[1024];

    if (base_url == NULL && profile->base_url_varies)
        return err_set(err, ERR_USAGE, "%s has no address for all: give --base-url, such as %s",
                       profile->name, profile->base_url);
    if (base_url == NULL)
        base_url = profile->base_url;
    if (http_resolve_location(base_url, base_url, url, sizeof(url), NULL) &&
        strpbrk(base_url, "?#@") == NULL)
        return true;
    return err_set(err, ERR_USAGE, "\"%s\" cannot be the address of a provider", base_url);
}

/* Whether @host, of @len bytes, is @name or, where that starts with a dot, below or at it. */
static bool is_host(const char *host, size_t len, const char *name)
{
    size_t n = strlen(name);

    if (name[0] == '.' && len == n - 1)
        return strncasecmp(host, name + 1, len) == 0;
    return len >= n && strncasecmp(host + len - n, name, n) == 0 && (len == n || name[0] == '.');
}

/* Whether the vendor itself answers there: what it publishes holds. */
static bool is_own_site(const struct provider_profile *profile, const char *base_url)
{
    const char *host = NULL;

    if (base_url == NULL || strcmp(base_url, profile->base_url) == 0)
        return true;
    host = strstr(base_url, "://");
    if (host == NULL)
        return false;
    host += 3;
    for (const char *const *name = profile->hosts; name != NULL && *name != NULL; name++) {
        if (is_host(host, strcspn(host, ":/"), *name))
            return true;
    }
    return false;
}

int64_t provider_poll_min_ms(const struct provider_profile *profile, const char *base_url)
{
    return is_own_site(profile, base_url) ? profile->limits.poll_min_ms : 0;
}

struct provider_limits provider_limits_at(const struct provider_profile *profile,
                                          const char *base_url)
{
    struct provider_limits limits = profile->limits;

    if (is_own_site(profile, base_url))
        return limits;
    limits.creates_per_hour = 0;
    limits.uploads_per_min = 0;
    limits.polls_per_min = 0;
    limits.files_stored = 0;
    limits.storage_bytes = 0;
    limits.enqueued_tokens = 0;
    limits.enqueued_requests = 0;
    limits.poll_min_ms = 0;
    limits.expires_after_s = 0;
    return limits;
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

static bool is_id(const char *text)
{
    return strlen(text) == PROVIDER_ID_LEN && strspn(text, "0123456789abcdef") == PROVIDER_ID_LEN;
}

void provider_account_id(const char *site, const char *api_key, const char *account,
                         char out[PROVIDER_ID_LEN + 1])
{
    static const char by_key[] = "sheaf account", by_name[] = "sheaf account name";
    uint64_t hash = hash_text(HASH_START, account != NULL ? by_name : by_key);

    if (account != NULL && is_id(account))
        memcpy(out, account, PROVIDER_ID_LEN + 1);
    else
        write_id(hash_text(hash_text(hash, site), account != NULL ? account : api_key), out);
}
