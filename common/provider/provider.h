#ifndef PROVIDER_PROVIDER_H
#define PROVIDER_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/net/http_client.h"
#include "common/provider/profile.h"
#include "common/provider/provider_error.h"
#include "common/provider/remote.h"

/*
 * The Batch API of one provider, for one key. Each call below makes one
 * request and tells its outcome once; nothing is repeated, waited for or
 * remembered here: what to do about a failure is the caller's decision.
 */

struct provider;
struct provider_call;

/**
 * @error is NULL on success; otherwise the result is NULL (or, for content,
 * what came until then is valid). All are borrowed for the callback. Callbacks
 * run on the loop, never inside the call that starts them, exactly once, and
 * may start, cancel and free anything, the provider included.
 */
typedef void (*provider_done_fn)(const struct provider_error *error, void *arg);
typedef void (*provider_batch_fn)(const struct provider_error *error,
                                  const struct remote_batch *batch, void *arg);
typedef void (*provider_batches_fn)(const struct provider_error *error,
                                    const struct remote_batch_page *page, void *arg);
typedef void (*provider_file_fn)(const struct provider_error *error, const struct remote_file *file,
                                 void *arg);
typedef void (*provider_files_fn)(const struct provider_error *error,
                                  const struct remote_file_page *page, void *arg);

/**
 * @client and @profile are borrowed and must outlive it; @base_url (no trailing
 * slash; NULL: the profile's), @api_key and @account (provider_account_id();
 * NULL: the key's) are copied. The key is wiped when freed and never logged.
 * ERR_USAGE when the URL is no http(s) URL or the key holds what no header can.
 * Owned by the caller: provider_free().
 */
struct provider *provider_new(struct http_client *client, const struct provider_profile *profile,
                              const char *base_url, const char *api_key, const char *account,
                              struct err *err);

/** Drops calls under way without a callback. Safe inside callbacks. NULL is fine. */
void provider_free(struct provider *p);

/** Who serves: provider_site_id() of it. Borrowed until provider_free(). */
const char *provider_site(const struct provider *p);

/** Whose account: provider_account_id(). Borrowed until provider_free(). */
const char *provider_account(const struct provider *p);

/** The provider says that one of its rates is used up. */
struct provider_rate {
    enum provider_operation operation; /* of the call whose answer said so */
    const char *what;                  /* "requests" or "tokens"; static */
    int64_t remaining;                 /* 0 */
    int64_t reset_ms;                  /* until there is some again */
};

typedef void (*provider_rate_fn)(const struct provider_rate *rate, void *arg);

/**
 * Run @fn whenever an answer, good or bad, has an x-ratelimit-remaining-* that
 * says nothing and an x-ratelimit-reset-* that says for how long; before the
 * call's own callback, on the loop. It may start calls, but not cancel or free.
 * NULL: nobody.
 */
void provider_on_rate(struct provider *p, provider_rate_fn fn, void *arg);

/**
 * No callback from now on; what was sent may still be acted upon. Safe inside
 * any callback, also its own, but not after its last one has returned. NULL is
 * fine.
 */
void provider_call_cancel(struct provider_call *call);

/**
 * Upload @size bytes of @fd from its start as a batch input file. @fd is
 * borrowed until the callback has run or the call was cancelled. Ends only when
 * nothing moves for two minutes. PROVIDER_ABORTED when @fd cannot be read.
 */
struct provider_call *provider_upload(struct provider *p, int fd, uint64_t size,
                                      const char *filename, provider_file_fn done, void *arg);

/**
 * Create a batch from an uploaded file. @endpoint is what the request lines
 * call it. @bid, @job and @cluster become metadata sheaf_bid, sheaf_job and
 * sheaf_cluster (NULL or "": left out). Over after 60 s. Not idempotent: after
 * PROVIDER_AMBIGUOUS look for the batch before creating another.
 */
struct provider_call *provider_create(struct provider *p, const char *file_id, const char *endpoint,
                                      const char *bid, const char *job, const char *cluster,
                                      provider_batch_fn done, void *arg);

/** One batch. */
struct provider_call *provider_get(struct provider *p, const char *batch_id, provider_batch_fn done,
                                   void *arg);

/** Ask a batch to stop. PROVIDER_CONFLICT_STATE when it has ended already. */
struct provider_call *provider_cancel(struct provider *p, const char *batch_id,
                                      provider_batch_fn done, void *arg);

/**
 * A page of at most @limit batches (1 to 100), the newest first with every
 * provider seen, from behind @after ("" or NULL: the start). A cursor that does
 * not move is PROVIDER_UNKNOWN: success means that the page can be trusted.
 */
struct provider_call *provider_list(struct provider *p, const char *after, unsigned limit,
                                    provider_batches_fn done, void *arg);

/** One file. Only where the profile says has_file_get. */
struct provider_call *provider_file_get(struct provider *p, const char *file_id,
                                        provider_file_fn done, void *arg);

/** Success also when there is no such file. */
struct provider_call *provider_file_delete(struct provider *p, const char *file_id,
                                           provider_done_fn done, void *arg);

/** A page of batch input files; as provider_list(). */
struct provider_call *provider_file_list(struct provider *p, const char *after, unsigned limit,
                                         provider_files_fn done, void *arg);

/** How a download is received. */
struct provider_content_sink {
    /* Size of the whole file, or -1; once, before any byte; also when none follows. NULL: none. */
    void (*on_size)(int64_t total, void *arg);
    /* The next bytes, from the offset asked for. */
    enum http_body_verdict (*on_bytes)(const char *bytes, size_t len, void *arg);
    provider_done_fn done;
};

/**
 * Download a file from byte @offset on (copies @sink). A server that ignores
 * the range is read from the start and the first bytes are dropped here. An
 * @offset at the end is success without bytes. PROVIDER_TRUNCATED: ask again
 * from behind what came. Ends only when nothing moves for a minute; a paused
 * download does not end by itself. Success of an answer without a length means
 * only that the connection was closed: compare with the size known.
 */
struct provider_call *provider_content(struct provider *p, const char *file_id, uint64_t offset,
                                       const struct provider_content_sink *sink, void *arg);

/** Go on after HTTP_BODY_PAUSE; on_bytes runs later. */
void provider_content_resume(struct provider_call *call);

/** What the provider's clock said in its last answer, unix milliseconds; -1: it never did. */
int64_t provider_date_ms(const struct provider *p);

/** List models and drop the list: shows that the key works, costs nothing. */
struct provider_call *provider_models(struct provider *p, provider_done_fn done, void *arg);

#endif
