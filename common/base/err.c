#include "common/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
    if (err == NULL)
        return false;

    err->kind = kind;
    err->retry_after_ms = 0;

    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    return false;
}

bool err_wrap(struct err *err, const char *fmt, ...)
{
    if (err == NULL)
        return false;

    char inner[sizeof(err->msg)];
    memcpy(inner, err->msg, sizeof(inner));

    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);

    if (n >= 0 && (size_t)n < sizeof(err->msg)) {
        size_t room = sizeof(err->msg) - (size_t)n;
        (void)snprintf(err->msg + n, room, ": %.*s", (int)room, inner);
    }
    return false;
}

bool err_one_line(struct err *err)
{
    if (err == NULL)
        return false;
    for (char *p = err->msg; *p != '\0'; p++) {
        if ((*p > 0 && *p < ' ') || *p == 0x7f)
            *p = '?';
    }
    return false;
}

const char *err_kind_name(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE: return "none";
    case ERR_TEMPORARY: return "temporary";
    case ERR_PERMANENT: return "permanent";
    case ERR_INTERNAL: return "internal";
    case ERR_USAGE: return "usage";
    case ERR_AUTH: return "auth";
    case ERR_NO_JOB: return "no_job";
    case ERR_UNAVAILABLE: return "unavailable";
    case ERR_INPUT: return "input";
    case ERR_CONFLICT: return "conflict";
    }
    return "unknown";
}

int err_exit_code(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE: return 0;
    case ERR_PERMANENT:
    case ERR_INTERNAL: return 1;
    case ERR_USAGE: return 2;
    case ERR_AUTH: return 4;
    case ERR_NO_JOB: return 5;
    case ERR_TEMPORARY: return 8;
    case ERR_UNAVAILABLE: return 9;
    case ERR_INPUT: return 11;
    case ERR_CONFLICT: return 12;
    }
    return 1;
}
