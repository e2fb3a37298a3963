#ifndef PROVIDER_PROFILE_H
#define PROVIDER_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/base/tree.h"

/*
 * What differs between providers, as data. docs/providers.md says where each
 * value comes from. Everything here is pure.
 */

/**
 * What a provider accepts and how it behaves in time. 0 is "no such limit, or
 * not published", except where it says otherwise.
 */
struct provider_limits {
    uint32_t max_requests;     /* per batch file; never 0 */
    uint64_t max_bytes;        /* per batch file, as the provider states it; never 0 */
    uint32_t margin_pct;       /* of max_bytes, left unused */
    uint64_t max_line_bytes;   /* one request line, its line end among them */
    uint32_t custom_id_min;    /* bytes */
    uint32_t custom_id_max;    /* bytes */
    uint32_t batches_alive;    /* at once in a lane, unless the user says otherwise; never 0 */
    uint32_t creates_per_hour; /* of an account, as the two below */
    uint32_t uploads_per_min;
    uint32_t polls_per_min;     /* GET of one batch, of whichever */
    uint32_t files_stored;      /* of an account */
    uint64_t storage_bytes;     /* of an account */
    uint64_t enqueued_tokens;   /* in unfinished batches of a lane; 0: learned from refusals */
    uint64_t enqueued_requests; /* in unfinished batches of a lane; 0: learned from refusals */
    int64_t poll_min_ms;        /* between two polls of one batch */
    int64_t visibility_lag_ms;  /* how long a new file or batch may not be found yet */
    int64_t output_kept_ms;     /* how long results can be downloaded */
    int64_t window_ms;          /* what completion_window promises */
    int64_t expires_after_s;    /* uploads, and results where profile.output_expiry, are deleted
                                   by the provider after this time; 0: not sent */

    /* When a batch counts as stuck; 0: never. */
    int64_t stuck_validating_ms; /* in validating */
    int64_t stuck_finalizing_ms; /* in finalizing */
    int64_t stuck_running_ms;    /* beyond window_ms: tell somebody */
    int64_t stuck_cancel_ms;     /* beyond window_ms: cancel it */
    int64_t stuck_cancelling_ms; /* in cancelling: take it as it is */
};

/** One endpoint: how request lines name it, how this provider does. */
struct provider_endpoint {
    const char *url;       /* "/v1/chat/completions"; NULL ends the list */
    const char *theirs;    /* "/v4/chat/completions" */
    uint32_t max_requests; /* per batch file, where lower than the profile's; 0: the profile's */
};

/** How an upload names when the file goes away by itself. */
enum provider_expiry {
    PROVIDER_EXPIRY_NONE,
    PROVIDER_EXPIRY_BRACKETS, /* expires_after[anchor], expires_after[seconds] */
    PROVIDER_EXPIRY_DOTS,     /* expires_after.anchor, expires_after.seconds */
};

struct provider_dialect;

struct provider_profile {
    const char *name;     /* "openai" */
    const char *base_url; /* without a trailing slash */
    bool base_url_varies; /* it is an example: everybody has an address of their own */
    /* Whose servers are the vendor's own beside base_url: host names, or their ends from a dot
       on; NULL ends them. */
    const char *const *hosts;
    /* Names of environment variables with the key, the first that is set wins; NULL ends them.
       SHEAF_API_KEY comes before all of them and is the caller's business. */
    const char *const *key_names;
    const struct provider_endpoint *endpoints;
    const struct provider_dialect *dialect; /* the shape of its API: dialect.h */
    const char *auth_header; /* what the key stands behind: "Authorization: Bearer", "api-key" */
    const char *file_type;   /* Content-Type of an uploaded batch file */
    const char *completion_window; /* text of it in a create; NULL: not sent */
    const char *metadata_name;     /* metadata that gets "sheaf-BID": its listing shows that;
                                      NULL: none */
    const char *list_cursor;       /* query parameter of the next page: "after", "cursor" */
    enum provider_expiry upload_expiry;
    bool output_expiry;    /* output_expires_after in a create */
    bool has_metadata;     /* metadata.sheaf_bid and so on in a create */
    bool keeps_input_file; /* must be told: auto_delete_input_file: false */
    bool has_file_get;     /* GET /files/{id} exists */
    bool files_unpaged;    /* the listing of files is always all of them: nothing else is said */
    bool validates_upload; /* the file is checked before the upload is answered: that may take long
                            */
    struct provider_limits limits;
    struct provider_limits said; /* of these what the configuration file sets; 0: it does not */
};

/** The built-in profile of that name, or NULL. Static. */
const struct provider_profile *provider_profile_find(const char *name);

/** All built-in names, NULL-terminated. Static. */
const char *const *provider_profile_names(void);

/**
 * A profile with what the configuration file says of it. Zero-initialise, or
 * fill with provider_profile_load(); may be moved.
 */
struct provider_profile_box {
    struct provider_profile profile; /* .name is NULL while empty */
    char **owned;                    /* its own texts */
    size_t owned_count;
    struct provider_endpoint *endpoints; /* its own, or NULL */
    const char **key_names;              /* its own, or NULL */
};

/**
 * The profile @name: a built-in one or one that the file defines (like: NAME),
 * changed as the file says. @overrides is what is under "providers:" in the
 * file, all of which is checked; NULL or empty: nothing. Everything is copied.
 * ERR_USAGE: no such profile, with "did you mean"; or, with "file:line:column: "
 * before it, what is wrong in the file. The caller frees *@out with
 * provider_profile_release().
 */
MUST_CHECK bool provider_profile_load(const char *name, const struct tree *overrides,
                                      struct provider_profile_box *out, struct err *err);

/** Free it; the box is empty afterwards. */
void provider_profile_release(struct provider_profile_box *box);

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
 * False with ERR_USAGE when @base_url (NULL: the profile's own) cannot be the
 * address of a provider: no http(s) URL, or with a query, a fragment or a user;
 * or when the profile needs one and has none.
 */
MUST_CHECK bool provider_check_base_url(const struct provider_profile *profile,
                                        const char *base_url, struct err *err);

/**
 * The least time between polls: provider_limits_at()'s poll_min_ms.
 */
int64_t provider_poll_min_ms(const struct provider_profile *profile, const char *base_url);

/**
 * Limits as they hold at @base_url (NULL: the profile's own). What a vendor says
 * of its own servers (rates, quotas, the least poll interval) and what only
 * they are known to take (expires_after_s) is 0 at another address: there it is
 * learned from refusals, or the configuration file has a profile with that
 * base_url. What the configuration file sets holds at any address. Slashes at
 * the end make no other address.
 */
struct provider_limits provider_limits_at(const struct provider_profile *profile,
                                          const char *base_url);

/** Bytes of a site or account id, without the NUL. */
#define PROVIDER_ID_LEN 12

/**
 * Who serves a job: 12 hex digits of a hash of the profile's name and
 * @base_url (NULL: the profile's own) without slashes at its end. Equal on every host.
 */
void provider_site_id(const struct provider_profile *profile, const char *base_url,
                      char out[PROVIDER_ID_LEN + 1]);

/**
 * Whose account. @account NULL: 12 hex digits of a hash of the site and the
 * key; 48 bits of hash tell keys apart, they do not give one away. 12 lower-case
 * hex digits: as they are (what a message named). Any other text: a hash of the
 * site and the text, so that it stays the same when a key is replaced.
 */
void provider_account_id(const char *site, const char *api_key, const char *account,
                         char out[PROVIDER_ID_LEN + 1]);

#endif
