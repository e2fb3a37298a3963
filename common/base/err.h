#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#include "common/base/attr.h"

/**
 * What the caller can do about a failure. Callers branch on this, never on
 * the message. The programs turn it into their exit code (docs/cli.md).
 */
enum err_kind {
    ERR_NONE = 0,
    ERR_TEMPORARY,   /* same call may work later: timeout, 429, 5xx, lost link */
    ERR_PERMANENT,   /* same call will never work: 4xx, broken file */
    ERR_INTERNAL,    /* our own bug or a broken invariant: stop and look */
    ERR_USAGE,       /* the command line or the configuration is wrong */
    ERR_AUTH,        /* the provider refuses the key */
    ERR_NO_JOB,      /* no such job */
    ERR_UNAVAILABLE, /* Redis, disk or sink cannot be used */
    ERR_INPUT,       /* the input cannot be read or is not valid */
    ERR_CONFLICT,    /* same name, other content; or somebody else holds it */
};

/**
 * One failure, told once, with its context. Lives on the caller's stack; owns
 * nothing and needs no cleanup. Zero-initialise it: `struct err err = {0};`
 */
struct err {
    enum err_kind kind;
    unsigned retry_after_ms; /* 0: no hint; else the peer's own hint */
    char msg[512];           /* NUL-terminated, cut if longer */
};

/**
 * Fill @err and return false, so that a failing function ends in one line:
 *     return err_set(err, ERR_PERMANENT, "batch %s: %d lines", id, n);
 * @err may be NULL when the caller does not want the details.
 */
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/**
 * Put "what: " before the message that a callee left in @err, and return
 * false. Keeps kind and retry_after_ms as they are.
 */
bool err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/**
 * Make the message one line of text, whatever it quotes: control characters
 * become "?". Returns false. NULL is fine.
 */
bool err_one_line(struct err *err);

/** Stable lower-case name for logs: "temporary", ... */
const char *err_kind_name(enum err_kind kind);

/** What a program ends with after this kind of failure: the exit codes of docs/cli.md. */
int err_exit_code(enum err_kind kind);

#endif
