#ifndef WORKER_CORE_CLASSIFY_H
#define WORKER_CORE_CLASSIFY_H

#include <stdbool.h>

#include "common/model/outcome.h"

struct result_line;

/**
 * What a provider's result line means for its task: the class that common/provider/row.h gives
 * it, and what common/provider/retry.h says about that. Which of the two files it came
 * from says nothing.
 */
enum outcome classify_line(const struct result_line *line);

/** It failed for want of money: so will the next, until somebody pays. */
bool classify_unpaid(const struct result_line *line);

#endif
