#ifndef SIMULATOR_QUANTITY_H
#define SIMULATOR_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"

/* Numbers as people write them. Each returns false, with *@out untouched, for anything else. */

/** Digits only, at most 2^63 - 1. */
MUST_CHECK bool quantity_count(const char *text, uint64_t *out);

/** "200ms", "5s", "2m", "1h", "1.5s", or "0", in milliseconds; at most a year. */
MUST_CHECK bool quantity_duration(const char *text, int64_t *out_ms);

/** "1024", "100kB", "200MB", "1GiB": decimal and binary units, in bytes. */
MUST_CHECK bool quantity_size(const char *text, uint64_t *out_bytes);

/** A share between 0 and 1: "0.1", "1". */
MUST_CHECK bool quantity_share(const char *text, double *out);

#endif
