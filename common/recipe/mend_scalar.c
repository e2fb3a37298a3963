/* Strings, numbers and words. */
#include <string.h>

#include "common/base/attr.h"
#include "common/recipe/mend_marks.h"
#include "common/recipe/mend_parts.h"

/* Strings */

static bool put_control(struct mender *m, char c)
{
    static const char from[] = "\b\f\n\r\t";
    static const char to[] = "bfnrt";
    static const char digits[] = "0123456789abcdef";
    const char *known = c == '\0' ? NULL : strchr(from, c);
    char text[6] = {'\\', 'u', '0', '0', digits[(unsigned char)c >> 4], digits[c & 15]};

    mend_note(m, REPAIR_NEWLINES);
    if (known == NULL)
        return mend_put(m, text, sizeof(text));
    text[1] = to[known - from];
    return mend_put(m, text, 2);
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Hexadecimal digits at @p, at most @most. */
static size_t hex_length(const char *p, const char *end, size_t most)
{
    size_t n = 0;

    while (n < most && p + n < end && is_hex(p[n]))
        n++;
    return n;
}

/* Python's \xHH; the backslash is at @p. */
static bool put_byte_escape(struct mender *m)
{
    char text[6] = {'\\', 'u', '0', '0', m->p[2], m->p[3]};

    m->p += 4;
    return mend_put(m, text, sizeof(text));
}

/* A backslash that begins no escape. */
static bool put_backslash(struct mender *m)
{
    mend_note(m, REPAIR_ESCAPES);
    m->p++;
    return mend_put(m, "\\\\", 2);
}

/* "\u" at @p. */
static bool put_unicode_escape(struct mender *m)
{
    size_t left = (size_t)(m->end - m->p) - 2;
    size_t digits = hex_length(m->p + 2, m->end, 4);

    if (digits == 4) {
        m->p += 6;
        return mend_put(m, m->p - 6, 6);
    }
    return digits == left ? mend_stop(m, MEND_CUT) : put_backslash(m);
}

/* The escape at the backslash at @p. */
static bool put_escape(struct mender *m, bool single)
{
    const char *p = m->p;

    if (m->end - p < 2)
        return mend_stop(m, MEND_CUT);
    if (p[1] == 'u')
        return put_unicode_escape(m);
    if (p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL) {
        m->p += 2;
        return mend_put(m, p, 2);
    }
    if (p[1] == '\'') {
        mend_note(m, single ? REPAIR_QUOTES : REPAIR_ESCAPES);
        m->p += 2;
        return mend_put(m, "'", 1);
    }
    if (single && p[1] == 'x' && hex_length(p + 2, m->end, 2) == 2)
        return put_byte_escape(m);
    return put_backslash(m);
}

/* Whether the quote that ends at @p is followed by what follows a string. */
static bool ends_string(const char *p, const char *end)
{
    size_t len = 0;
    char mark = 0;

    p = mend_skip_blank(p, end);
    mark = mend_mark_at(p, end, &len);
    return p == end || mend_starts_with(p, end, "```") || mark == ',' || mark == ':' ||
           mark == '}' || mark == ']';
}

/* By what a string is closed: the same quote, or any double one that its end may be behind. */
enum quote { QUOTE_DOUBLE, QUOTE_SINGLE, QUOTE_CURLY };

/* A string that is read. */
struct string {
    enum quote quote;
    size_t depth;  /* curly quotes that are open, the first one included */
    bool straight; /* a straight quote is part of the text */
};

/* Whether the quote of @len at @p pairs with the one that opened the string. */
static bool pairs(const struct mender *m, struct string *s, size_t len)
{
    bool first = s->depth == 1;

    if (len == 1) {
        first = first && !s->straight;
        s->straight = true;
    } else if (mend_starts_with(m->p, m->end, "“")) {
        first = false;
        s->depth++;
    } else {
        s->depth--;
    }
    return first;
}

/*
 * In a string of curly quotes. One that pairs with the first and stands where a string may end
 * closes it; where only one of both is so, what the text is nobody knows.
 */
static bool take_curly(struct mender *m, struct string *s, size_t *close)
{
    size_t len = *m->p == '"' ? 1 : mend_curly_at(m->p, m->end);
    const char *behind = mend_skip_blank(m->p + len, m->end);
    bool first = false;
    bool end = false;

    if (len == 0)
        return true;
    end = ends_string(behind, m->end);
    first = pairs(m, s, len);
    if (first && end)
        *close = len;
    else if ((first && len > 1) || (end && behind < m->end))
        return mend_stop(m, MEND_BROKEN);
    return true;
}

/* *@close: length of the quote at @p if it closes the string; else 0. */
static bool closing_quote(struct mender *m, struct string *s, size_t *close)
{
    *close = 0;
    if (s->quote == QUOTE_CURLY)
        return take_curly(m, s, close);
    *close = *m->p == (s->quote == QUOTE_DOUBLE ? '"' : '\'') ? 1 : 0;
    return true;
}

/* Bytes at @p that are as they are in every string. */
static size_t plain_length(const char *p, const char *end)
{
    size_t n = 0;

    while (p + n < end && (unsigned char)p[n] >= 0x20 && p[n] != '"' && p[n] != '\'' &&
           p[n] != '\\' && p[n] != '\xE2')
        n++;
    return n;
}

/* The character at @p, which does not close the string and is not plain. */
static bool put_special(struct mender *m, enum quote quote)
{
    if (*m->p == '\\')
        return put_escape(m, quote == QUOTE_SINGLE);
    if ((unsigned char)*m->p < 0x20)
        return put_control(m, *m->p++);
    m->p++;
    return m->p[-1] == '"' ? mend_put(m, "\\\"", 2) : mend_put(m, m->p - 1, 1);
}

/* From behind the opening quote to behind the closing one. */
static bool put_string(struct mender *m, enum quote quote)
{
    struct string s = {.quote = quote, .depth = 1};
    size_t close = 0;

    if (!mend_put(m, "\"", 1))
        return false;
    while (close == 0) {
        size_t n = plain_length(m->p, m->end);

        m->p += n;
        if (!mend_put(m, m->p - n, n))
            return false;
        if (m->p == m->end)
            return mend_stop(m, MEND_CUT);
        if (!closing_quote(m, &s, &close) || (close == 0 && !put_special(m, quote)))
            return false;
    }
    m->p += close;
    return mend_put(m, "\"", 1);
}

/* Over the opening quote at @p; false when there is none. */
static bool take_quote(struct mender *m, enum quote *quote)
{
    size_t curly = mend_curly_at(m->p, m->end);

    if (m->p < m->end && (*m->p == '"' || *m->p == '\'')) {
        *quote = *m->p++ == '"' ? QUOTE_DOUBLE : QUOTE_SINGLE;
        return true;
    }
    m->p += curly;
    *quote = QUOTE_CURLY;
    return curly > 0;
}

bool mend_string(struct mender *m, bool *found)
{
    enum quote quote = QUOTE_DOUBLE;

    *found = take_quote(m, &quote);
    if (!*found)
        return true;
    if (quote != QUOTE_DOUBLE)
        mend_note(m, quote == QUOTE_SINGLE ? REPAIR_QUOTES : REPAIR_PUNCTUATION);
    return put_string(m, quote);
}

/* Numbers and words */

static size_t digits_at(const char *p, const char *end)
{
    size_t n = 0;

    while (p + n < end && p[n] >= '0' && p[n] <= '9')
        n++;
    return n;
}

/* At least one digit. At the end of the text there might have been one. */
static bool take_digits(struct mender *m, const char **p)
{
    size_t n = digits_at(*p, m->end);

    *p += n;
    return n > 0 || mend_stop(m, *p == m->end ? MEND_CUT : MEND_BROKEN);
}

/* Behind the digits of the whole part: ".5", "e-3". */
static bool take_fraction(struct mender *m, const char **p)
{
    if (*p < m->end && **p == '.') {
        ++*p;
        if (!take_digits(m, p))
            return false;
    }
    if (*p < m->end && (**p == 'e' || **p == 'E')) {
        ++*p;
        if (*p < m->end && (**p == '+' || **p == '-'))
            ++*p;
        return take_digits(m, p);
    }
    return true;
}

static bool put_number(struct mender *m)
{
    const char *start = m->p;
    const char *p = start + (*start == '-' ? 1 : 0);

    if (p < m->end && *p == '0')
        p++;
    else if (!take_digits(m, &p))
        return false;
    if (!take_fraction(m, &p))
        return false;
    if (p == m->end && m->depth > 0)
        return mend_stop(m, MEND_CUT); /* more digits may be missing */
    m->p = p;
    return mend_put(m, start, (size_t)(p - start));
}

static const struct {
    const char *text, *means;
} words[] = {
    {"true",  "true" },
    {"false", "false"},
    {"null",  "null" },
    {"True",  "true" },
    {"False", "false"},
    {"None",  "null" },
};

static bool put_word(struct mender *m)
{
    size_t left = (size_t)(m->end - m->p);

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t len = strlen(words[i].text);

        if (left < len && left > 0 && memcmp(words[i].text, m->p, left) == 0)
            return mend_stop(m, MEND_CUT);
        if (!mend_starts_with(m->p, m->end, words[i].text))
            continue;
        if (words[i].text[0] != words[i].means[0])
            mend_note(m, REPAIR_WORDS);
        m->p += len;
        return mend_put(m, words[i].means, strlen(words[i].means));
    }
    return mend_stop(m, MEND_BROKEN);
}

bool mend_word_at(const char *p, const char *end)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (mend_starts_with(p, end, words[i].text))
            return true;
    return false;
}

bool mend_scalar(struct mender *m)
{
    bool found = false;
    bool ok = false;

    if (mend_at_end(m))
        return mend_stop(m, MEND_CUT);
    ok = mend_string(m, &found);
    if (found)
        return ok;
    if (*m->p == '-' || (*m->p >= '0' && *m->p <= '9'))
        return put_number(m);
    return put_word(m);
}
