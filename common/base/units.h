#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

/*
 * Numbers as people write and read them. The parsers take the whole text, with
 * no spaces in it, and fail with ERR_USAGE and a message that quotes the text;
 * *out is written only on success. The formatters write into @out and return
 * it; they round down, so that nothing looks more finished than it is.
 */

/** Room for any formatted value and its NUL. */
#define UNITS_TEXT_MAX 32

/** A plain whole number in decimal, maybe with a minus sign: "50000". */
MUST_CHECK bool units_parse_count(const char *text, int64_t *out, struct err *err);

/**
 * Milliseconds of "200ms", "5s", "1.5h", "1h30m", "7d": numbers, each with one
 * of ms, s, m, h, d, larger units first. A number without a unit is an error.
 */
MUST_CHECK bool units_parse_duration(const char *text, int64_t *out, struct err *err);

/**
 * Bytes of "4096", "1MB" (1,000,000), "1.5GB", "100MiB" (100 * 2^20). Units B,
 * kB, MB, GB, TB, KiB, MiB, GiB, TiB in any case. At most INT64_MAX.
 */
MUST_CHECK bool units_parse_size(const char *text, uint64_t *out, struct err *err);

/** "850ms", "12s", "5m30s", "1h24m", "2d3h": the two largest units. */
const char *units_format_duration(int64_t ms, char out[UNITS_TEXT_MAX]);

/** "512 B", "41.2 MB", "1.0 GB": powers of 1000, as the parser's MB. */
const char *units_format_size(uint64_t bytes, char out[UNITS_TEXT_MAX]);

#endif
