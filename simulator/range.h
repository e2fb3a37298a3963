#ifndef SIMULATOR_RANGE_H
#define SIMULATOR_RANGE_H

#include <stdint.h>

enum range_kind {
    RANGE_NONE,   /* no range, or one that is ignored: answer 200 with everything */
    RANGE_PART,   /* answer 206 */
    RANGE_BEYOND, /* answer 416 */
};

/**
 * Read a Range header (RFC 9110 14.2; NULL: none) for @total bytes. Several
 * ranges and other units are ignored. Outputs are written for RANGE_PART only.
 */
enum range_kind range_parse(const char *header, uint64_t total, uint64_t *offset, uint64_t *length);

#endif
