#ifndef PROVIDER_ROW_H
#define PROVIDER_ROW_H

#include <stdbool.h>
#include <stdint.h>

/** What became of one request of a batch, in terms of what can be done about it. */
enum row_class {
    ROW_OK,             /* it has a result */
    ROW_EXPIRED,        /* the window ended before its turn: not run */
    ROW_CANCELLED,      /* the batch was cancelled before its turn: not run */
    ROW_TIMEOUT,        /* it took too long: given up */
    ROW_RATE,           /* the provider was too busy for it: 429 */
    ROW_SERVER,         /* the provider broke: 5xx, or no status at all */
    ROW_QUOTA,          /* money or a plan is used up: the same again fails until somebody pays */
    ROW_AUTH,           /* the account may not do this: 401, 403 */
    ROW_MODEL,          /* no such model */
    ROW_CONTENT_POLICY, /* refused for what it says */
    ROW_TOO_LONG,       /* more text than the model takes */
    ROW_BAD,            /* any other 4xx: the request itself is wrong */
    ROW_UNKNOWN,        /* an error that fits nothing above */
};

#define ROW_CLASSES (ROW_UNKNOWN + 1)

/** Stable lower-case name: "ok", "expired", "cancelled", "timeout", "rate", ... */
const char *row_class_name(enum row_class class);

/**
 * The one place where a result line becomes a class. @status is its
 * response.status_code (-1: none), @code and @message are what its error says
 * ("": nothing), @has_error whether there is one, of the line or of the body.
 * Codes decide before the status. Pure.
 */
enum row_class provider_row_classify(int64_t status, const char *code, const char *message,
                                     bool has_error);

#endif
