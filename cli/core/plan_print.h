#ifndef CLI_PLAN_PRINT_H
#define CLI_PLAN_PRINT_H

#include "cli/core/plan_sum.h"
#include "common/base/buf.h"

/* A finished plan, as `sheaf plan` shows it. Pure. */

/** Lines for people. */
void plan_print_text(const struct plan *plan, struct buf *out);

/** One JSON object and a newline; docs/cli.md has its members. */
void plan_print_json(const struct plan *plan, struct buf *out);

#endif
