#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "common/base/attr.h"

enum log_level { LOG_LV_ERROR, LOG_LV_WARN, LOG_LV_INFO, LOG_LV_DEBUG };

enum log_format { LOG_FMT_TEXT, LOG_FMT_JSON };

/** Name of the program (borrowed for good), the least severe level written, the form. */
void log_setup(const char *program, enum log_level level, enum log_format format);

bool log_enabled(enum log_level level);

/**
 * One line on stderr. Write the message as logfmt, `ev=` first, ids always:
 *     log_info("ev=batch batch=%s from=%s to=%s", id, from, to);
 * Text that may hold spaces or quotes goes through log_text(). Control
 * characters are replaced, so text from a peer cannot forge a line. Never log
 * request or response bodies, or keys. With LOG_FMT_JSON the same pairs become
 * one JSON object.
 */
void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

/**
 * @text quoted for a logfmt value, cut at 400 bytes. Lives in one of four
 * rotating static buffers: use it inside the log call only.
 */
const char *log_text(const char *text);

/** Write the message at error level and abort(). Not for bad input. */
NORETURN void log_fatal(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The argument expressions are not evaluated when the level is off. */
#define log_at(lv, ...)                   \
    do {                                  \
        if (log_enabled(lv))              \
            log_write((lv), __VA_ARGS__); \
    } while (0)

#define log_error(...) log_at(LOG_LV_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_LV_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_LV_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LV_DEBUG, __VA_ARGS__)

#endif
