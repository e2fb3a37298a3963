#ifndef PROVIDER_PROFILE_H
#define PROVIDER_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What differs between providers, as data. docs/providers.md says where each
 * value comes from. Everything here is pure.
 */

/** What a provider accepts and how it behaves in time. */
struct provider_limits {
    uint32_t max_requests;     /* per batch file */
    uint64_t max_bytes;        /* per batch file, as the provider states it */
    uint32_t margin_pct;       /* of max_bytes, left unused */
    uint32_t custom_id_min;    /* bytes */
    uint32_t custom_id_max;    /* bytes */
    uint32_t batches_alive;    /* at once in a lane, unless the user says otherwise */
    uint32_t creates_per_hour; /* 0: not published */
    uint32_t uploads_per_min;  /* 0: not published */
    uint32_t files_stored;     /* 0: no such limit */
    int64_t poll_min_ms;       /* between two polls of one batch */
    int64_t visibility_lag_ms; /* how long a new file or batch may not be found yet */
    int64_t output_kept_ms;    /* how long results can be downloaded; 0: not published */
    int64_t completion_max_ms; /* a batch has ended by then */
};

/** One endpoint: how request lines name it, how this provider does. */
struct provider_endpoint {
    const char *url;       /* "/v1/chat/completions"; NULL ends the list */
    const char *theirs;    /* "/v4/chat/completions" */
    uint32_t max_requests; /* per batch file, where lower than the profile's; 0: the profile's */
};

struct provider_profile {
    const char *name;     /* "openai" */
    const char *base_url; /* without a trailing slash */
    /* Names of environment variables with the key, the first that is set wins; NULL ends them.
       SHEAF_API_KEY comes before all of them and is the caller's business. */
    const char *const *key_names;
    const struct provider_endpoint *endpoints;
    bool sends_completion_window; /* completion_window: "24h" in the create call */
    bool keeps_input_file;        /* must be told: auto_delete_input_file: false */
    bool has_file_get;            /* GET /files/{id} exists */
    struct provider_limits limits;
};

/** The profile of that name, or NULL. Static. */
const struct provider_profile *provider_profile_find(const char *name);

/** All names, NULL-terminated, for "did you mean". Static. */
const char *const *provider_profile_names(void);

/**
 * The provider's name for the endpoint that a request line calls @url. What
 * the profile does not list is returned as it is: a server behind another base
 * URL may know it. Borrowed: static or @url itself.
 */
const char *provider_endpoint_for(const struct provider_profile *profile, const char *url);

/** Requests that one batch file to @url (a line's or the provider's name) may hold. */
uint32_t provider_max_requests(const struct provider_profile *profile, const char *url);

/** Bytes that one batch file may hold: the limit less the margin. */
uint64_t provider_max_bytes(const struct provider_profile *profile);

/**
 * The least time between polls: the profile's at the provider itself, 0 at
 * another @base_url, whose owner decides. NULL is the provider itself.
 */
int64_t provider_poll_min_ms(const struct provider_profile *profile, const char *base_url);

/** Bytes of a site or account id, without the NUL. */
#define PROVIDER_ID_LEN 12

/**
 * Who serves a job: 12 hex digits of a hash of the profile's name and
 * @base_url (NULL: the profile's own). Equal on every host.
 */
void provider_site_id(const struct provider_profile *profile, const char *base_url,
                      char out[PROVIDER_ID_LEN + 1]);

/**
 * Whose account: 12 hex digits of a hash of the site and the key. 48 bits of
 * hash tell keys apart; they do not give one away.
 */
void provider_account_id(const char *site, const char *api_key, char out[PROVIDER_ID_LEN + 1]);

#endif
