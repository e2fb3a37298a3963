#include "simulator/utf8.h"

#include <stdbool.h>

static bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* Whether the second byte keeps the sequence out of overlong forms, surrogates and past U+10FFFF.
 */
static bool second_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0: return second >= 0xA0;
    case 0xED: return second <= 0x9F;
    case 0xF0: return second >= 0x90;
    case 0xF4: return second <= 0x8F;
    default: return true;
    }
}

/* Bytes of the sequence that @first begins; 0 when none begins so. */
static size_t announced_len(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    if (first < 0xE0)
        return 2;
    return first < 0xF0 ? 3 : 4;
}

size_t utf8_len(const char *p, const char *end)
{
    size_t len = announced_len((unsigned char)p[0]);

    if (len < 2 || (size_t)(end - p) < len)
        return len == 1 ? 1 : 0;
    for (size_t i = 1; i < len; i++) {
        if (!is_tail((unsigned char)p[i]))
            return 0;
    }
    return second_fits((unsigned char)p[0], (unsigned char)p[1]) ? len : 0;
}
