#ifndef CLI_CMDLINE_H
#define CLI_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/config/options.h"

/** A command line that grows. @items is NULL-terminated once a word was added. */
struct cmdline {
    const char **items; /* owned, as the words are */
    size_t count;
};

/** Free all of it; the struct can be used again. */
void cmdline_release(struct cmdline *w);

/** Add one word. */
void cmdline_add(struct cmdline *w, const char *fmt, ...) PRINTF_LIKE(2, 3);

/**
 * Add "--name=value" for every setting that another program with the groups
 * @groups takes too and that somebody has set, except those in @but
 * (NULL-terminated).
 */
void cmdline_add_options(struct cmdline *w, const struct options *o, unsigned groups,
                         const char *const *but);

/** Add the path of the program @name beside our own executable, else its name, for PATH. */
void cmdline_add_program(struct cmdline *w, const char *name);

/**
 * Run it on our own input and output, and wait: *@code is its exit code, 128 + n for a signal.
 * Blocks. ERR_UNAVAILABLE when it cannot be executed.
 */
MUST_CHECK bool cmdline_run(const struct cmdline *w, int *code, struct err *err);

#endif
