#ifndef SIMULATOR_DEADLINE_H
#define SIMULATOR_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "simulator/dialect.h"

/** A window without an end ("background"). */
#define DEADLINE_NONE 0

/**
 * The hours of @window ("24h", "7d", "background") where @dialect takes it.
 * NULL, and anything where the window is given up or checked later, gives 24.
 */
bool deadline_hours(const struct dialect_batches *dialect, const char *window, unsigned *hours);

/**
 * When a batch created at @created that is to expire at @expires (unix ms, 0:
 * never) is ended by the provider itself; INT64_MAX: never.
 */
int64_t deadline_end(const struct dialect_batches *dialect, int64_t created, int64_t expires);

/** Of @total rows that take from @created for @delay_ms, those done at @at_ms; without a delay
 * none, as they are all done at the end. */
int64_t deadline_rows(int64_t total, int64_t created, int64_t delay_ms, int64_t at_ms);

#endif
