#ifndef MERGE_REPORT_FIELDS_H
#define MERGE_REPORT_FIELDS_H

#include <stddef.h>
#include <stdint.h>

struct report;

/* The plain numbers of a report as a table: they are summed, written and read. */

#define REPORT_FIELD_COUNT 18u

/** Name of number @i < REPORT_FIELD_COUNT in the report of a part. */
const char *report_field_name(size_t i);

uint64_t *report_field(struct report *report, size_t i);
const uint64_t *report_field_const(const struct report *report, size_t i);

#endif
