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

/* Bytes of @url without the slashes at its end. */
static size_t bare_len(const char *url)
{
    size_t len = strlen(url);

    while (len > 0 && url[len - 1] == '/')
        len--;
    return len;
}

static bool is_same_url(const char *a, const char *b)
{
    return bare_len(a) == bare_len(b) && strncmp(a, b, bare_len(a)) == 0;
}

/* Whether the vendor itself answers there: what it publishes holds. */
static bool is_own_site(const struct provider_profile *profile, const char *base_url)
{
    const char *host = NULL;

    if (base_url == NULL || is_same_url(base_url, profile->base_url))
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

struct provider_limits provider_limits_at(const struct provider_profile *profile,
                                          const char *base_url)
{
    const struct provider_limits *said = &profile->said;
    struct provider_limits limits = profile->limits;

    if (is_own_site(profile, base_url))
        return limits;
    limits.creates_per_hour = said->creates_per_hour;
    limits.uploads_per_min = said->uploads_per_min;
    limits.polls_per_min = said->polls_per_min;
    limits.files_stored = said->files_stored;
    limits.storage_bytes = said->storage_bytes;
    limits.enqueued_tokens = said->enqueued_tokens;
    limits.enqueued_requests = said->enqueued_requests;
    limits.poll_min_ms = said->poll_min_ms;
    limits.expires_after_s = said->expires_after_s;
    return limits;
}

int64_t provider_poll_min_ms(const struct provider_profile *profile, const char *base_url)
{
    return provider_limits_at(profile, base_url).poll_min_ms;
}

/* FNV-1a over @len bytes and a NUL, so that ("ab","c") and ("a","bc") differ. */
static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return hash * UINT64_C(0x100000001b3);
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return hash_bytes(hash, text, strlen(text));
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
    const char *url = base_url != NULL ? base_url : profile->base_url;

    write_id(hash_bytes(hash_text(HASH_START, profile->name), url, bare_len(url)), out);
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
