#ifndef JSON_SCAN_TEXT_H
#define JSON_SCAN_TEXT_H

/* Walking over string bytes: shared by the files of the scanner, not for others. */

#include <stdbool.h>
#include <stddef.h>

#include "common/json/scan.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/**
 * The first byte of [@p, @end) that cannot be passed over inside a string
 * without a look: quote, backslash, control character, non-ASCII. @end if none.
 */
static inline const char *scan_plain(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(' '); /* as signed bytes, non-ASCII is below it too */

    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i special = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash));
        int hits = _mm_movemask_epi8(_mm_or_si128(special, _mm_cmplt_epi8(v, space)));

        if (hits != 0)
            return p + __builtin_ctz((unsigned)hits);
        p += 16;
    }
#endif
    for (; p < end; p++) {
        unsigned char c = (unsigned char)*p;

        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
            break;
    }
    return p;
}

static inline bool scan_within(char c, unsigned low, unsigned high)
{
    return (unsigned char)c >= low && (unsigned char)c <= high;
}

/** The least second byte behind a lead byte: a lower one is an overlong form. */
static inline unsigned scan_utf8_low(unsigned lead)
{
    if (lead == 0xE0)
        return 0xA0;
    return lead == 0xF0 ? 0x90 : 0x80;
}

/** The greatest second byte: a higher one is a surrogate or beyond U+10FFFF. */
static inline unsigned scan_utf8_high(unsigned lead)
{
    if (lead == 0xED)
        return 0x9F;
    return lead == 0xF4 ? 0x8F : 0xBF;
}

/** Length of the UTF-8 character at @p < @end as RFC 3629 defines it; 0 when it is none. */
static inline size_t scan_utf8_length(const char *p, const char *end)
{
    unsigned lead = (unsigned char)*p;
    size_t n = 2;

    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    if (lead >= 0xE0)
        n = lead >= 0xF0 ? 4 : 3;
    if ((size_t)(end - p) < n || !scan_within(p[1], scan_utf8_low(lead), scan_utf8_high(lead)))
        return 0;
    if (n > 2 && !scan_within(p[2], 0x80, 0xBF))
        return 0;
    return n > 3 && !scan_within(p[3], 0x80, 0xBF) ? 0 : n;
}

/** Kind of the value that starts with @first, in text that was checked. */
enum json_kind scan_kind(char first);

/** Whether the inside of a checked string with escapes (@p, @len) decodes to @name. */
bool scan_escaped_equals(const char *p, size_t len, const char *name);

/** Whether the inside of a checked string (@p, @len, without quotes) decodes to @name. */
static inline bool scan_name_equals(const char *p, size_t len, bool escaped, const char *name)
{
    if (escaped)
        return scan_escaped_equals(p, len, name);
    /* Without escapes there is no NUL in the @len bytes, so this stops at the name's own. */
    for (size_t i = 0; i < len; i++)
        if (name[i] != p[i])
            return false;
    return name[len] == '\0';
}

#endif
