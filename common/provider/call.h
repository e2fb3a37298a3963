#ifndef PROVIDER_CALL_H
#define PROVIDER_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/buf.h"
#include "common/net/http_client.h"
#include "common/provider/dialect.h"
#include "common/provider/provider.h"

/*
 * One call under way, as provider.c and content.c share it. Private to this
 * folder.
 *
 * Life: call_new() links it to its provider; call_detach() unlinks it, before
 * the last callback or because it was cancelled, after which nobody outside can
 * reach it; it is freed when no callback of its own is on the stack.
 */

/** The state of a download. */
struct content {
    struct provider_content_sink sink;
    uint64_t offset;    /* first byte that is wanted */
    uint64_t skip;      /* bytes still to drop: the server ignored the range */
    uint64_t delivered; /* bytes handed on */
    int64_t total;      /* size of the file; -1: unknown */
    bool size_told;
    bool is_suspect; /* may be an error in the clothes of a success */
    bool is_error;   /* it is: @said */
    struct provider_error_body said;
    bool no_range;      /* the server refuses ranges: ask for the whole */
    bool at_end;        /* the server says that nothing lies behind the offset */
    const char *broken; /* why its headers cannot be trusted; NULL: they can */
    unsigned redirects; /* followed */
    bool sends_key;     /* still at the provider's own origin */
    char url[DIALECT_URL_MAX];
};

struct provider_call {
    struct provider *provider; /* NULL once detached */
    LIST_ENTRY(provider_call) link;
    struct http_exchange *exchange; /* NULL when none is under way */
    const struct provider_dialect *dialect;
    enum provider_operation op;
    union {
        provider_done_fn done;
        provider_batch_fn batch;
        provider_batches_fn batches;
        provider_file_fn file;
        provider_files_fn files;
    } fn;
    void *arg;
    bool busy;               /* one of its callbacks, but not the last, is on the stack */
    char after[128];         /* listings: the cursor asked with */
    size_t limit;            /* listings: the items asked for */
    struct content *content; /* downloads: owned */
};

LIST_HEAD(provider_calls, provider_call);

struct provider {
    struct http_client *client;
    const struct provider_profile *profile;
    struct provider_limits limits; /* as they hold at base_url */
    char *base_url;
    char *auth;      /* the whole header, with the key */
    const char *key; /* in @auth */
    char site[PROVIDER_ID_LEN + 1];
    char account[PROVIDER_ID_LEN + 1];
    struct provider_calls calls;
    provider_rate_fn on_rate; /* NULL: nobody */
    void *on_rate_arg;
    int64_t date_ms; /* of the last answer that had a Date; 0: none so far */
};

/** A linked call without an exchange. */
struct provider_call *call_new(struct provider *p, enum provider_operation op, void *arg);

/** Unlink; no-op when that was done. */
void call_detach(struct provider_call *call);

/** Free a detached call. */
void call_free(struct provider_call *call);

/** Put @ask on the wire's terms; release it with dialect_request_release(). */
void call_build(const struct provider *p, const struct dialect_ask *ask,
                struct dialect_request *out);

/**
 * Put asterisks in the place of the key: some providers repeat it in what they complain about, and
 * their words are logged and kept. What is shorter than a key is left alone.
 */
void call_hide_key(const struct provider *p, char *text, size_t len);

/** @out is @reply without the key. Where it had one: with a body of its own, returned for free().
 */
char *call_without_key(const struct provider *p, const struct http_reply *reply,
                       struct http_reply *out);

/**
 * What the end of an exchange means. False when it is a failure, with @error
 * filled; true when the answer is worth reading.
 */
bool call_judge(const struct provider_call *call, enum http_outcome outcome,
                const struct http_reply *reply, const struct err *err,
                struct provider_error *error);

/**
 * Where a redirect of a download from @url leads, into @out. False with
 * ERR_PERMANENT when it may not be followed: it names nothing, no http(s) URL,
 * or leads from https to http. Pure.
 */
bool content_redirect(const char *url, const char *location, char *out, size_t size,
                      struct err *err);

#endif
