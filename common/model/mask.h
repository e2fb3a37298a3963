#ifndef MODEL_MASK_H
#define MODEL_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * One bit a line of a window, bit i in byte i/8. A set bit means "nothing left
 * to do here": settled, not valid, or another lane's line.
 */

static inline size_t mask_bytes(uint32_t lines)
{
    return (lines + 7u) / 8u;
}

static inline bool mask_get(const uint8_t *mask, uint32_t line)
{
    return (mask[line >> 3] >> (line & 7) & 1) != 0;
}

static inline void mask_set(uint8_t *mask, uint32_t line)
{
    mask[line >> 3] = (uint8_t)(mask[line >> 3] | 1u << (line & 7));
}

/** How many of the first @lines bits are clear. */
static inline uint32_t mask_left(const uint8_t *mask, uint32_t lines)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < lines; i++)
        left += !mask_get(mask, i);
    return left;
}

#endif
