#ifndef CLI_AUDIT_PRINT_H
#define CLI_AUDIT_PRINT_H

#include "common/base/buf.h"

struct audit;

/** What an audit found, for people: lines. */
void audit_print(const struct audit *a, struct buf *out);

/** The same as one JSON object, without a newline. */
void audit_print_json(const struct audit *a, struct buf *out);

#endif
