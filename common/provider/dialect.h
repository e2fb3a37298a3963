#ifndef PROVIDER_DIALECT_H
#define PROVIDER_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/net/http_client.h"
#include "common/provider/profile.h"
#include "common/provider/provider_error.h"
#include "common/provider/remote.h"

/*
 * The shape of an API: what an operation looks like on the wire, and how its
 * answer is read. Pure: provider.c does the sending. One implementation serves
 * all of OpenAI's family; what differs inside a family is data of the profile.
 * docs/providers.md ("Adding a provider") says what another one would need.
 */

/** An operation in our own terms. Borrowed; what it does not need is NULL or 0. */
struct dialect_ask {
    enum provider_operation op;
    const char *id;                       /* of the batch or file it is about */
    const char *after;                    /* listings: the cursor; "" is the start */
    unsigned limit;                       /* listings */
    const char *file_id, *endpoint;       /* create; the endpoint as request lines call it */
    const char *bid, *job, *cluster;      /* create */
    const struct provider_limits *limits; /* create, upload: as they hold at the base URL */
};

/** One text field of an upload's form. */
struct dialect_field {
    const char *name; /* static */
    char value[32];
};

#define DIALECT_FIELDS_MAX 4

/** The same on the wire. Zero-initialise; dialect_request_release(). */
struct dialect_request {
    enum http_method method;
    struct buf url;                                  /* owned */
    struct buf body;                                 /* owned; JSON, or nothing */
    struct dialect_field fields[DIALECT_FIELDS_MAX]; /* upload: before the file */
    size_t field_count;
    bool has_body;
    bool once; /* must not reach the server twice */
};

#define DIALECT_URL_MAX 4096

struct provider_dialect {
    /* Aborts when an id or a text is longer than any caller may give. */
    void (*build)(const struct provider_profile *profile, const char *base_url,
                  const struct dialect_ask *ask, struct dialect_request *out);

    /* The answer to create, get, cancel; to upload, file get; to the two listings: remote.h. */
    bool (*read_batch)(const char *json, size_t len, struct remote_batch *out, struct err *err);
    bool (*read_file)(const char *json, size_t len, struct remote_file *out, struct err *err);
    bool (*read_batches)(const char *json, size_t len, size_t limit, struct remote_batch_page *out,
                         struct err *err);
    bool (*read_files)(const char *json, size_t len, size_t limit, struct remote_file_page *out,
                       struct err *err);
};

/** POST /files, POST /batches and so on, as OpenAI's API reference has them. */
extern const struct provider_dialect provider_dialect_openai;

/** Free what build() made. */
void dialect_request_release(struct dialect_request *request);

#endif
