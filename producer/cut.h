#ifndef PRODUCER_CUT_H
#define PRODUCER_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/input/window.h"
#include "common/model/job_spec.h"
#include "common/protocol/protocol.h"

/** The input being cut into windows, from any cursor on. Reading blocks. */
struct cut;

/** @path and @spec are borrowed. NULL with ERR_INPUT when it cannot be read. */
struct cut *cut_new(const char *path, const struct job_spec *spec, struct err *err);

/** NULL is fine. */
void cut_free(struct cut *cut);

/**
 * Go to @cursor, where a window starts. What cannot be read again (standard
 * input, compressed files) can only go forward: ERR_TEMPORARY says to start the
 * program again; ERR_CONFLICT that the input is not the one that was cut before.
 */
MUST_CHECK bool cut_go_to(struct cut *cut, const struct job_cursor *cursor, struct err *err);

/** The next window, borrowed until the next call; *@end instead behind the last one. */
MUST_CHECK bool cut_next(struct cut *cut, struct window *window, bool *end, struct err *err);

#endif
