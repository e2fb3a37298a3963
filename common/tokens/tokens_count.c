#include "common/tokens/tokens_count.h"

#include <stddef.h>

#include "common/base/attr.h"

/* ---- characters ---- */

static bool is_letter(uint32_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_upper(uint32_t c)
{
    return c >= 'A' && c <= 'Z';
}

static bool within(uint32_t c, uint32_t low, uint32_t high)
{
    return c >= low && c <= high;
}

/* Unicode blocks, as https://www.unicode.org/Public/UNIDATA/Blocks.txt has them. */
static const struct block {
    uint32_t low, high;
    enum tokens_class class;
} blocks[] = {
    {0x00c0,  0x024f,  TOKENS_ACCENT   }, /* Latin-1 letters, Latin Extended-A and -B */
    {0x0300,  0x036f,  TOKENS_ACCENT   }, /* combining marks */
    {0x0370,  0x052f,  TOKENS_CYRILLIC }, /* Greek, Cyrillic */
    {0x1e00,  0x1eff,  TOKENS_ACCENT   }, /* Latin Extended Additional: Vietnamese */
    {0x2000,  0x2e7f,  TOKENS_SYMBOL   }, /* General Punctuation to Supplemental Punctuation */
    {0x2e80,  0x2fdf,  TOKENS_HAN      }, /* radicals */
    {0x3000,  0x303f,  TOKENS_CJK_PUNCT},
    {0x3040,  0x30ff,  TOKENS_KANA     },
    {0x3400,  0x4dbf,  TOKENS_HAN      },
    {0x4e00,  0x9fff,  TOKENS_HAN      },
    {0xac00,  0xd7af,  TOKENS_HANGUL   },
    {0xf900,  0xfaff,  TOKENS_HAN      },
    {0xfe30,  0xfe4f,  TOKENS_CJK_PUNCT},
    {0xff00,  0xffef,  TOKENS_CJK_PUNCT}, /* full-width forms */
    {0x20000, 0x3ffff, TOKENS_RARE     }, /* rare Han */
};

static enum tokens_class class_of(uint32_t code)
{
    if (within(code, 0x4e00, 0x9fff)) /* most of what is not ASCII */
        return TOKENS_HAN;
    for (size_t i = 0; i < ARRAY_LEN(blocks) && code >= blocks[i].low; i++) {
        if (code <= blocks[i].high)
            return blocks[i].class;
    }
    return code < 0x10000 ? TOKENS_OTHER : TOKENS_RARE;
}

/* ---- runs ---- */

/* One more of @run; how many it had. */
static uint32_t go_on(struct tokens_count *c, enum tokens_run run)
{
    uint32_t had = c->run == run ? c->length : 0;

    /* A space that a digit does not take is a token of its own. */
    if (run == TOKENS_RUN_DIGITS && c->run == TOKENS_RUN_BLANK && c->length == 1)
        c->of[TOKENS_LONE_SPACE]++;
    c->run = run;
    c->length = had + 1;
    return had;
}

static uint64_t beyond_fifth(uint32_t length)
{
    return length > 5 ? length - 5 : 0;
}

static void put_letter(struct tokens_count *c, uint32_t code)
{
    uint32_t had = go_on(c, TOKENS_RUN_WORD);
    bool upper = is_upper(code);

    if (had == 0)
        c->of[TOKENS_WORD]++;
    else if (upper && c->upper)
        c->of[TOKENS_UPPER]++;
    if (had >= 5 && !within(code, 0x0370, 0x052f))
        c->of[TOKENS_LONG]++;
    c->upper = upper;
}

static void put_digit(struct tokens_count *c)
{
    c->of[TOKENS_DIGIT]++;
    if (go_on(c, TOKENS_RUN_DIGITS) % 3 == 0)
        c->of[TOKENS_DIGITS]++;
}

static void put_ascii(struct tokens_count *c, uint32_t code)
{
    if (is_letter(code)) {
        put_letter(c, code);
    } else if (code >= '0' && code <= '9') {
        put_digit(c);
    } else if (code == '\n' || code == '\r') {
        if (go_on(c, TOKENS_RUN_LINE) == 0)
            c->of[TOKENS_LINE_ENDS]++;
    } else if (code == ' ' || code == '\t') {
        if (go_on(c, TOKENS_RUN_BLANK) == 1)
            c->of[TOKENS_BLANKS]++;
    } else {
        c->of[TOKENS_PUNCT]++;
        if (go_on(c, TOKENS_RUN_PUNCT) == 0)
            c->of[TOKENS_PUNCT_RUN]++;
    }
}

static void put_char(struct tokens_count *c, uint32_t code)
{
    if (code < 0x80) {
        put_ascii(c, code);
        return;
    }
    enum tokens_class class = class_of(code);
    c->of[class]++;
    if (class == TOKENS_ACCENT || class == TOKENS_CYRILLIC) {
        put_letter(c, code);
    } else if (class == TOKENS_HAN) {
        if (go_on(c, TOKENS_RUN_HAN) == 0)
            c->of[TOKENS_HAN_RUN]++;
    } else {
        (void)go_on(c, TOKENS_RUN_OTHER);
    }
}

/* ---- texts ---- */

static uint32_t tail(char byte)
{
    return (uint32_t)(unsigned char)byte & 0x3f;
}

static bool is_tail(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* The character at @p, that begins with a byte beyond ASCII; what is no UTF-8 is one byte. */
static uint32_t decode(const char **p, const char *end)
{
    const char *at = *p;
    uint32_t lead = (unsigned char)*at;
    uint32_t size = 2 + (uint32_t)(lead >= 0xe0) + (uint32_t)(lead >= 0xf0);
    uint32_t code = lead & (0x7fu >> size);

    *p = at + 1;
    if (lead < 0xc2 || lead > 0xf4 || (size_t)(end - at) < size)
        return UINT32_MAX;
    for (uint32_t i = 1; i < size; i++) {
        if (!is_tail(at[i]))
            return UINT32_MAX;
        code = code << 6 | tail(at[i]);
    }
    *p = at + size;
    return code;
}

/* Whether the three bytes at @p are a character from U+4E00 to U+9FFF. */
static bool is_common_han(const char *p)
{
    uint32_t lead = (unsigned char)p[0], second = (unsigned char)p[1];

    return lead >= 0xe4 && lead <= 0xe9 && is_tail(p[1]) && is_tail(p[2]) &&
           (lead > 0xe4 || second >= 0xb8);
}

static uint32_t hex4(const char *p)
{
    uint32_t code = 0;

    for (int i = 0; i < 4; i++) {
        uint32_t c = (unsigned char)p[i];

        code = code << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return code;
}

/* The character of the escape at @p, behind the backslash; *@p is behind it afterwards. */
static uint32_t unescape(const char **p, const char *end)
{
    const char *at = *p;

    *p = at + 1;
    switch (*at) {
    case 'n':
    case 'r': return '\n';
    case 't': return '\t';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'u': break;
    default: return (unsigned char)*at;
    }
    uint32_t code = hex4(at + 1);
    *p = at + 5;
    if (!within(code, 0xd800, 0xdbff) || end - at < 11 || at[5] != '\\' || at[6] != 'u' ||
        !within(hex4(at + 7), 0xdc00, 0xdfff))
        return code;
    *p = at + 11;
    return 0x10000 + ((code - 0xd800) << 10) + (hex4(at + 7) - 0xdc00);
}

/* As put_char() for each of the ASCII letters that @p begins with; behind them. */
static const char *put_word(struct tokens_count *c, const char *p, const char *end)
{
    const char *start = p;
    bool going = c->run == TOKENS_RUN_WORD;
    uint32_t had = going ? c->length : 0;
    bool upper = going && c->upper;
    uint64_t uppers = 0;

    for (; p < end && is_letter((unsigned char)*p); p++) {
        bool now = is_upper((unsigned char)*p);

        uppers += now && upper;
        upper = now;
    }
    uint32_t len = (uint32_t)(p - start);
    c->of[TOKENS_WORD] += had == 0;
    c->of[TOKENS_UPPER] += uppers;
    c->of[TOKENS_LONG] += beyond_fifth(had + len) - beyond_fifth(had);
    c->run = TOKENS_RUN_WORD;
    c->length = had + len;
    c->upper = upper;
    return p;
}

/* As put_char() for each of the common Han characters that @p begins with; behind them. */
static const char *put_hans(struct tokens_count *c, const char *p, const char *end)
{
    const char *start = p;
    uint32_t had = c->run == TOKENS_RUN_HAN ? c->length : 0;

    while (end - p >= 3 && is_common_han(p))
        p += 3;
    if (p == start)
        return p;
    uint32_t len = (uint32_t)(p - start) / 3;
    c->of[TOKENS_HAN] += len;
    c->of[TOKENS_HAN_RUN] += had == 0;
    c->run = TOKENS_RUN_HAN;
    c->length = had + len;
    return p;
}

void tokens_count_text(struct tokens_count *c, const char *p, const char *end, bool json)
{
    while (p < end) {
        uint32_t code = (unsigned char)*p;

        if (is_letter(code)) {
            p = put_word(c, p, end);
            continue;
        }
        if (code >= 0x80) {
            const char *behind = put_hans(c, p, end);

            if (behind != p) {
                p = behind;
                continue;
            }
            code = decode(&p, end);
        } else if (code == '\\' && json) {
            p++;
            code = unescape(&p, end);
        } else {
            p++;
        }
        put_char(c, code);
    }
}
