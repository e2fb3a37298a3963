#ifndef PROVIDER_REMOTE_H
#define PROVIDER_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/provider/provider_error.h"

/*
 * What lies at the provider, and tolerant readers of how providers describe
 * it. Pure: JSON text in, plain structs out. Readers fail with ERR_PERMANENT
 * when the text is no JSON or lacks what makes it usable (an id); everything
 * else may be missing, null or spelled in another way.
 */

/** How far a provider is with a file. */
enum remote_file_status {
    REMOTE_FILE_UNKNOWN,   /* it says nothing, or a word we do not know: taken as usable */
    REMOTE_FILE_PENDING,   /* still on its way or being checked: a create may be refused */
    REMOTE_FILE_UPLOADED,  /* it has arrived; some servers never say more than this */
    REMOTE_FILE_PROCESSED, /* it can be used */
    REMOTE_FILE_ERROR,     /* it cannot, ever: status_details */
};

struct remote_file {
    char id[128];
    int64_t bytes; /* -1: unknown */
    char filename[256];
    enum remote_file_status status;
    char status_details[256]; /* why it cannot be used; "": nothing is said */
    int64_t created_unix_ms;  /* 0: unknown */
};

enum remote_status {
    REMOTE_VALIDATING,
    REMOTE_QUEUED,
    REMOTE_RUNNING,
    REMOTE_FINALIZING,
    REMOTE_CANCELLING,
    REMOTE_COMPLETED, /* not: every request succeeded */
    REMOTE_EXPIRED,   /* may have results */
    REMOTE_CANCELLED, /* may have results */
    REMOTE_FAILED,
    REMOTE_UNKNOWN, /* a word we do not know; not terminal */
};

/** One complaint of a provider about a batch. */
struct remote_error {
    char code[64];
    char message[256];
    char param[64];
    int64_t line; /* of the input file, from 1; -1: none */
};

#define REMOTE_ERRORS_MAX 16

struct remote_batch {
    char id[128];
    enum remote_status status;
    char status_text[32];    /* as sent */
    char input_file_id[128]; /* "": none; so for the next two */
    char output_file_id[128];
    char error_file_id[128];
    int64_t created_unix_ms;          /* 0: unknown */
    int64_t total, completed, failed; /* requests; -1: unknown. For progress only */
    struct remote_error errors[REMOTE_ERRORS_MAX];
    size_t error_count;    /* stored */
    size_t errors_total;   /* sent */
    char metadata_bid[64]; /* metadata.sheaf_bid, or what follows "sheaf-" in ds_name; "": none */
    const char *json;      /* the answer as it came, for remote_errors_parse(); borrowed for the
                              callback; NULL in listings */
    size_t json_len;
};

/** One page of a listing. */
struct remote_batch_page {
    struct remote_batch *items; /* owned; remote_batch_page_release() */
    size_t count;
    bool has_more;
    char next[128]; /* cursor of the next page; "" without one */
};

struct remote_file_page {
    struct remote_file *items; /* owned; remote_file_page_release() */
    size_t count;
    bool has_more;
    char next[128];
};

/** Nothing more will happen to the batch (but its file ids may still appear). */
bool remote_status_is_terminal(enum remote_status status);

/** Stable lower-case name: "validating", ... "unknown". */
const char *remote_status_name(enum remote_status status);

/** Any provider's word for a status, in any case. */
enum remote_status remote_status_parse(const char *word);

/** Stable lower-case name: "unknown", "pending", "uploaded", "processed", "error". */
const char *remote_file_status_name(enum remote_file_status status);

/** Any provider's word for the status of a file, in any case. */
enum remote_file_status remote_file_status_parse(const char *word);

/** A point in time as seconds, milliseconds or RFC 3339 text; 0 when it is none of them. */
int64_t remote_time_from_number(int64_t number);
int64_t remote_time_from_text(const char *text);

/** A batch object, bare or under "job". */
MUST_CHECK bool remote_batch_parse(const char *json, size_t len, struct remote_batch *out,
                                   struct err *err);

/**
 * All errors of a batch, not only the first few: at most @cap into @out. Returns
 * how many were written; 0 when the text is no batch.
 */
size_t remote_errors_parse(const char *json, size_t len, struct remote_error *out, size_t cap);

/** A file object. */
MUST_CHECK bool remote_file_parse(const char *json, size_t len, struct remote_file *out,
                                  struct err *err);

/**
 * An array under "data" or "value", or bare. @limit is what was asked for: when
 * the answer does not say whether there is more, a full page means there is. A
 * bare array is everything. A page that says there is more, but gives no
 * cursor, is an error: a listing that ends early must not look complete.
 */
MUST_CHECK bool remote_batch_page_parse(const char *json, size_t len, size_t limit,
                                        struct remote_batch_page *out, struct err *err);
MUST_CHECK bool remote_file_page_parse(const char *json, size_t len, size_t limit,
                                       struct remote_file_page *out, struct err *err);

/** Free the items. */
void remote_batch_page_release(struct remote_batch_page *page);
void remote_file_page_release(struct remote_file_page *page);

/**
 * Why a batch failed: the class of its first telling error. QUOTA_ENQUEUED and
 * NOT_FOUND (its file) come before the rest; UNKNOWN when it gives no reason,
 * NONE when it has not failed.
 */
enum provider_class remote_batch_failure(const struct remote_batch *batch);

#endif
