#ifndef PROVIDER_PROVIDER_ERROR_H
#define PROVIDER_PROVIDER_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/net/http_client.h"

/** What went wrong, in terms of what can be done about it. */
enum provider_class {
    PROVIDER_NONE,              /* nothing */
    PROVIDER_NOT_SENT,          /* the request surely never arrived: try again */
    PROVIDER_AMBIGUOUS,         /* it may have been carried out: a read can be repeated, a create
                                   must be looked up first */
    PROVIDER_RATE_LIMIT,        /* slow down; retry_after_ms */
    PROVIDER_QUOTA_ENQUEUED,    /* too much in the queue: wait until batches end */
    PROVIDER_QUOTA_CREATES,     /* too many batches created in the hour */
    PROVIDER_QUOTA_FILES,       /* too many files or bytes stored: delete some */
    PROVIDER_QUOTA_TIME,        /* used up until a day or period ends */
    PROVIDER_BILLING,           /* no money: only a person can help */
    PROVIDER_AUTH,              /* the key, its rights or the account is refused */
    PROVIDER_NOT_FOUND,         /* no such file or batch, or not visible yet */
    PROVIDER_INVALID_FILE,      /* the file as a whole: too large, empty, mixed, no JSONL */
    PROVIDER_INVALID_LINE,      /* one line of it; provider_error.line when named */
    PROVIDER_MODEL_UNSUPPORTED, /* no such model, or none for batches */
    PROVIDER_CONFLICT_STATE,    /* cancelling what has ended */
    PROVIDER_CONTENT_POLICY,    /* refused for what it says */
    PROVIDER_REFUSED,           /* any other clear no: the request itself is wrong */
    PROVIDER_TRUNCATED,         /* a download stopped early; what came is valid */
    PROVIDER_ABORTED,           /* ended on this side: the receiver said so, the answer is too
                                   large, the file to send cannot be read */
    PROVIDER_UNKNOWN,           /* an answer that makes no sense */
};

/** Stable lower-case name: "not_sent", "quota_enqueued", ... */
const char *provider_class_name(enum provider_class class);

enum provider_operation {
    PROVIDER_OP_UPLOAD,
    PROVIDER_OP_CREATE,
    PROVIDER_OP_GET,
    PROVIDER_OP_CANCEL,
    PROVIDER_OP_LIST,
    PROVIDER_OP_FILE_GET,
    PROVIDER_OP_FILE_DELETE,
    PROVIDER_OP_FILE_LIST,
    PROVIDER_OP_CONTENT,
    PROVIDER_OP_MODELS,
    PROVIDER_OP_VALIDATION, /* no call: the provider's own check of a file, later, told in the
                               errors of a failed batch; classified as a status of 400 */
};

/** "upload", "create", ... for logs. */
const char *provider_operation_name(enum provider_operation op);

/** One failed call. Plain data. */
struct provider_error {
    enum provider_class class;
    long status;            /* HTTP status; 0: no answer */
    char code[64];          /* the provider's own, as text; "": none */
    char message[256];      /* for people; the provider's words where it has any */
    char request_id[64];    /* x-request-id; "": none */
    int64_t retry_after_ms; /* the longest wait that headers or body ask for; -1: none */
    int64_t line;           /* line of the input file, from 1; -1: none */
    bool no_repeat;         /* x-should-retry: false: this very call will not work; not a verdict
                               on what it was for */
};

/** What the body of an answer says about a failure. */
struct provider_error_body {
    char code[64];          /* "": none */
    char message[256];      /* "": none */
    int64_t line;           /* from 1; -1: none */
    int64_t retry_after_ms; /* -1: none */
};

/**
 * Read an error in any of the shapes seen: {"error":{...}}, {"error":"text"},
 * {"code","message"} at the top, plain text, HTML, nothing. In a 2xx answer
 * only an unmistakable error object counts: an id at the top means success.
 * @body is NUL-terminated behind its @len bytes. Pure. Always fills @out.
 */
void provider_error_parse(long status, const char *body, size_t len,
                          struct provider_error_body *out);

/**
 * The one place where answers become classes. Pure. @code and @message are ""
 * when there are none; @line is -1. PROVIDER_NONE is an answer worth reading;
 * when it then turns out unreadable, that is PROVIDER_AMBIGUOUS.
 */
enum provider_class provider_classify(enum provider_operation op, enum http_outcome outcome,
                                      long status, const char *code, const char *message,
                                      int64_t line);

#endif
