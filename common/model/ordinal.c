#include "common/model/ordinal.h"

#include <stdio.h>
#include <string.h>

void ordinal_format(uint64_t ordinal, const char *ji, char out[WIRE_ID_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";
    uint32_t window = ordinal_window(ordinal);
    uint32_t line = ordinal_line(ordinal);
    char *p = out;

    memcpy(p, ji, WIRE_JOB_LEN);
    p += WIRE_JOB_LEN;
    *p++ = '-';
    for (int shift = 24; shift >= 0; shift -= 4)
        *p++ = hex[window >> shift & 0xf];
    *p++ = '-';
    for (int shift = 8; shift >= 0; shift -= 4)
        *p++ = hex[line >> shift & 0xf];
    *p = '\0';
}

static bool parse_hex(const char *text, int digits, uint32_t *value)
{
    uint32_t v = 0;

    for (int i = 0; i < digits; i++) {
        char c = text[i];

        if (c >= '0' && c <= '9')
            v = v << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint32_t)(c - 'a' + 10);
        else
            return false;
    }
    *value = v;
    return true;
}

bool ordinal_parse(const char *text, const char *ji, uint64_t *ordinal)
{
    uint32_t window;
    uint32_t line;

    if (strlen(text) != WIRE_ID_LEN || strncmp(text, ji, WIRE_JOB_LEN) != 0 || text[4] != '-' ||
        text[12] != '-' || !parse_hex(text + 5, 7, &window) || !parse_hex(text + 13, 3, &line) ||
        line >= ORDINAL_LINES)
        return false;
    *ordinal = ordinal_make(window, line);
    return true;
}
