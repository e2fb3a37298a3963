#ifndef SIMULATOR_UTF8_H
#define SIMULATOR_UTF8_H

#include <stddef.h>

/**
 * Bytes of the well-formed UTF-8 sequence at @p (RFC 3629: 1 to 4, no overlong
 * form, no surrogate), or 0 when there is none. Needs @p < @end.
 */
size_t utf8_len(const char *p, const char *end);

#endif
