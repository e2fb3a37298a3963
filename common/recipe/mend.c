#include "common/recipe/mend.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"

static void note(struct mender *m, enum repair repair)
{
    m->repairs |= 1u << repair;
}

static bool stop(struct mender *m, enum mend_outcome outcome)
{
    m->outcome = outcome;
    return false;
}

static bool put(struct mender *m, const char *text, size_t len)
{
    if (buf_append(m->out, text, len))
        return true;
    m->full = true;
    return stop(m, MEND_BROKEN);
}

/* Marks: the characters between values */

struct mark {
    const char *text; /* as it may be written */
    char means;
};

static const struct mark wide_marks[] = {
    {"，", ','},
    {"、", ','},
    {"：", ':'},
    {"｛", '{'},
    {"｝", '}'},
    {"［", '['},
    {"］", ']'},
};

static const char *const curly_quotes[] = {"“", "”"};

static const char *const wide_spaces[] = {"\u3000", "\u00A0", "\uFEFF"};

static bool starts_with(const char *p, const char *end, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(end - p) >= len && memcmp(p, text, len) == 0;
}

/* Which mark is at @p, and its length; 0 for none. */
static char mark_at(const char *p, const char *end, size_t *len)
{
    *len = 1;
    if (p < end && strchr(",:{}[]", *p) != NULL && *p != '\0')
        return *p;
    for (size_t i = 0; i < ARRAY_LEN(wide_marks); i++) {
        if (starts_with(p, end, wide_marks[i].text)) {
            *len = strlen(wide_marks[i].text);
            return wide_marks[i].means;
        }
    }
    return 0;
}

/* Length of the curly quote at @p; 0 when there is none. */
static size_t curly_at(const char *p, const char *end)
{
    for (size_t i = 0; i < ARRAY_LEN(curly_quotes); i++)
        if (starts_with(p, end, curly_quotes[i]))
            return strlen(curly_quotes[i]);
    return 0;
}

static char peek_mark(const struct mender *m)
{
    size_t len = 0;

    return mark_at(m->p, m->end, &len);
}

/* Over the mark at @p. */
static void take_mark(struct mender *m)
{
    size_t len = 0;

    (void)mark_at(m->p, m->end, &len);
    if (len > 1)
        note(m, REPAIR_PUNCTUATION);
    m->p += len;
}

/* Space */

static size_t space_at(const char *p, const char *end)
{
    if (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        return 1;
    for (size_t i = 0; i < ARRAY_LEN(wide_spaces); i++)
        if (starts_with(p, end, wide_spaces[i]))
            return strlen(wide_spaces[i]);
    return 0;
}

static const char *skip_space(const char *p, const char *end)
{
    for (size_t n = space_at(p, end); n > 0; n = space_at(p, end))
        p += n;
    return p;
}

/* Over the comment at @p; false when there is none. */
static bool skip_comment(struct mender *m)
{
    const char *close = NULL;

    if (starts_with(m->p, m->end, "//")) {
        close = memchr(m->p, '\n', (size_t)(m->end - m->p));
        m->p = close == NULL ? m->end : close + 1;
    } else if (starts_with(m->p, m->end, "/*")) {
        close = memmem(m->p + 2, (size_t)(m->end - m->p) - 2, "*/", 2);
        m->p = close == NULL ? m->end : close + 2;
    } else {
        return false;
    }
    note(m, REPAIR_COMMENTS);
    return true;
}

void mend_skip_space(struct mender *m)
{
    do {
        for (size_t n = space_at(m->p, m->end); n > 0; n = space_at(m->p, m->end)) {
            if (n > 1)
                note(m, REPAIR_PUNCTUATION);
            m->p += n;
        }
    } while (skip_comment(m));
}

/* A closing fence ends the text as its end does. */
static bool at_end(const struct mender *m)
{
    return m->p == m->end || starts_with(m->p, m->end, "```");
}

/* Strings */

static bool put_control(struct mender *m, char c)
{
    static const char from[] = "\b\f\n\r\t";
    static const char to[] = "bfnrt";
    static const char digits[] = "0123456789abcdef";
    const char *known = c == '\0' ? NULL : strchr(from, c);
    char text[6] = {'\\', 'u', '0', '0', digits[(unsigned char)c >> 4], digits[c & 15]};

    note(m, REPAIR_NEWLINES);
    if (known == NULL)
        return put(m, text, sizeof(text));
    text[1] = to[known - from];
    return put(m, text, 2);
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
    return put(m, text, sizeof(text));
}

/* The escape at the backslash at @p. */
static bool mend_escape(struct mender *m, bool single)
{
    const char *p = m->p;
    size_t left = (size_t)(m->end - p);

    if (left < 2)
        return stop(m, MEND_CUT);
    if (p[1] == 'u') {
        size_t digits = hex_length(p + 2, m->end, 4);

        if (digits < 4 && left < 6 && digits == left - 2)
            return stop(m, MEND_CUT);
        m->p += digits == 4 ? 6 : 1;
        if (digits == 4)
            return put(m, p, 6);
    } else if (strchr("\"\\/bfnrt", p[1]) != NULL && p[1] != '\0') {
        m->p += 2;
        return put(m, p, 2);
    } else if (p[1] == '\'') {
        note(m, single ? REPAIR_QUOTES : REPAIR_ESCAPES);
        m->p += 2;
        return put(m, "'", 1);
    } else if (single && p[1] == 'x' && hex_length(p + 2, m->end, 2) == 2) {
        return put_byte_escape(m);
    } else {
        m->p += 1;
    }
    note(m, REPAIR_ESCAPES);
    return put(m, "\\\\", 2);
}

/* Whether the quote that ends at @p is followed by what follows a string. */
static bool ends_string(const char *p, const char *end)
{
    size_t len = 0;
    char mark = 0;

    p = skip_space(p, end);
    mark = mark_at(p, end, &len);
    return p == end || starts_with(p, end, "```") || mark == ',' || mark == ':' || mark == '}' ||
           mark == ']';
}

/* How a string is closed: by the same quote, or any quote that its end may be behind. */
enum quote { QUOTE_DOUBLE, QUOTE_SINGLE, QUOTE_CURLY };

/* Length of the quote at @p if it closes the string; else 0. */
static size_t closing_quote(const struct mender *m, enum quote quote)
{
    size_t len = 0;

    if (quote == QUOTE_DOUBLE)
        return *m->p == '"';
    if (quote == QUOTE_SINGLE)
        return *m->p == '\'';
    len = *m->p == '"' ? 1 : curly_at(m->p, m->end);
    return len > 0 && ends_string(m->p + len, m->end) ? len : 0;
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

static bool mend_string(struct mender *m, enum quote quote)
{
    size_t close = 0;

    if (quote != QUOTE_DOUBLE)
        note(m, quote == QUOTE_SINGLE ? REPAIR_QUOTES : REPAIR_PUNCTUATION);
    if (!put(m, "\"", 1))
        return false;
    for (;;) {
        size_t n = plain_length(m->p, m->end);
        bool ok = put(m, m->p, n);

        m->p += n;
        if (!ok)
            return false;
        if (m->p == m->end)
            return stop(m, MEND_CUT);
        close = closing_quote(m, quote);
        if (close > 0)
            break;
        if (*m->p == '\\')
            ok = mend_escape(m, quote == QUOTE_SINGLE);
        else if ((unsigned char)*m->p < 0x20)
            ok = put_control(m, *m->p++);
        else if (*m->p == '"')
            ok = put(m, "\\\"", 2) && m->p++ != NULL;
        else
            ok = put(m, m->p++, 1);
        if (!ok)
            return false;
    }
    m->p += close;
    return put(m, "\"", 1);
}

/* Over the opening quote at @p; false when there is none. */
static bool take_quote(struct mender *m, enum quote *quote)
{
    size_t curly = curly_at(m->p, m->end);

    if (m->p < m->end && (*m->p == '"' || *m->p == '\'')) {
        *quote = *m->p++ == '"' ? QUOTE_DOUBLE : QUOTE_SINGLE;
        return true;
    }
    m->p += curly;
    *quote = QUOTE_CURLY;
    return curly > 0;
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
    return n > 0 || stop(m, *p == m->end ? MEND_CUT : MEND_BROKEN);
}

static bool mend_number(struct mender *m)
{
    const char *p = m->p + (*m->p == '-' ? 1 : 0);
    size_t len = 0;

    if (p < m->end && *p == '0')
        p++;
    else if (!take_digits(m, &p))
        return false;
    if (p < m->end && *p == '.') {
        p++;
        if (!take_digits(m, &p))
            return false;
    }
    if (p < m->end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < m->end && (*p == '+' || *p == '-'))
            p++;
        if (!take_digits(m, &p))
            return false;
    }
    if (p == m->end && m->depth > 0)
        return stop(m, MEND_CUT); /* more digits may be missing */
    len = (size_t)(p - m->p);
    m->p = p;
    return put(m, p - len, len);
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

static bool mend_word(struct mender *m)
{
    size_t left = (size_t)(m->end - m->p);

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t len = strlen(words[i].text);

        if (left < len && left > 0 && memcmp(words[i].text, m->p, left) == 0)
            return stop(m, MEND_CUT);
        if (!starts_with(m->p, m->end, words[i].text))
            continue;
        if (words[i].text[0] != words[i].means[0])
            note(m, REPAIR_WORDS);
        m->p += len;
        return put(m, words[i].means, strlen(words[i].means));
    }
    return stop(m, MEND_BROKEN);
}

/* Structure */

static bool mend_scalar(struct mender *m)
{
    enum quote quote = QUOTE_DOUBLE;

    if (at_end(m))
        return stop(m, MEND_CUT);
    if (take_quote(m, &quote))
        return mend_string(m, quote);
    if (*m->p == '-' || (*m->p >= '0' && *m->p <= '9'))
        return mend_number(m);
    return mend_word(m);
}

/* A member's name and the colon. */
static bool mend_name(struct mender *m)
{
    enum quote quote = QUOTE_DOUBLE;

    mend_skip_space(m);
    if (at_end(m))
        return stop(m, MEND_CUT);
    if (!take_quote(m, &quote))
        return stop(m, MEND_BROKEN);
    if (!mend_string(m, quote))
        return false;
    mend_skip_space(m);
    if (at_end(m))
        return stop(m, MEND_CUT);
    if (peek_mark(m) != ':')
        return stop(m, MEND_BROKEN);
    take_mark(m);
    return put(m, ":", 1);
}

/* Into the list or object at @p. *@empty: its end comes next. */
static bool mend_open(struct mender *m, bool *empty)
{
    char open = peek_mark(m);

    if (m->depth == MEND_DEPTH)
        return stop(m, MEND_BROKEN);
    m->levels[m->depth++] = (struct mend_level){.object = open == '{'};
    take_mark(m);
    if (!put(m, &open, 1))
        return false;
    mend_skip_space(m);
    *empty = peek_mark(m) == (open == '{' ? '}' : ']');
    return *empty || open == '[' || mend_name(m);
}

static bool mend_end(struct mender *m)
{
    const char *close = m->levels[--m->depth].object ? "}" : "]";

    take_mark(m);
    return put(m, close, 1);
}

/* Behind a comma: an end (then there was one comma too many), or another value. */
static bool mend_next(struct mender *m, bool *more)
{
    bool object = m->levels[m->depth - 1].object;

    mend_skip_space(m);
    if (peek_mark(m) == (object ? '}' : ']')) {
        note(m, REPAIR_COMMAS);
        return true;
    }
    if (at_end(m))
        return stop(m, MEND_CUT);
    *more = true;
    return put(m, ",", 1) && (!object || mend_name(m));
}

/* Behind a value: ends and a comma. *@more: another value must follow. */
static bool mend_behind(struct mender *m, bool *more)
{
    *more = false;
    while (m->depth > 0) {
        struct mend_level *level = &m->levels[m->depth - 1];

        level->any = true;
        level->good = m->out->len;
        mend_skip_space(m);
        if (peek_mark(m) == ',') {
            take_mark(m);
            if (!mend_next(m, more))
                return false;
            if (*more)
                return true;
        }
        if (at_end(m))
            return stop(m, MEND_CUT);
        if (peek_mark(m) != (level->object ? '}' : ']'))
            return stop(m, MEND_BROKEN);
        if (!mend_end(m))
            return false;
    }
    return true;
}

enum mend_outcome mend_value(struct mender *m)
{
    bool more = true;

    m->outcome = MEND_COMPLETE;
    while (more) {
        bool empty = false;
        char mark = 0;

        mend_skip_space(m);
        mark = peek_mark(m);
        if (mark == '{' || mark == '[') {
            if (!mend_open(m, &empty))
                return m->outcome;
            if (!empty)
                continue;
            if (!mend_end(m))
                return m->outcome;
        } else if (!mend_scalar(m)) {
            return m->outcome;
        }
        if (!mend_behind(m, &more))
            return m->outcome;
    }
    return MEND_COMPLETE;
}

bool mend_close(struct mender *m, size_t *whole)
{
    bool any = false;

    for (; m->depth > 0; m->depth--) {
        struct mend_level *level = &m->levels[m->depth - 1];

        if (any) /* what was in here is closed now */
            level->good = m->out->len;
        else if (!level->any)
            continue;
        else
            *whole = level->good;
        any = true;
        m->out->len = level->good;
        if (!put(m, level->object ? "}" : "]", 1))
            return false;
    }
    return any;
}

bool mend_looks_like_json(const char *p, const char *end)
{
    size_t len = 0;
    bool object = mark_at(p, end, &len) == '{';

    p = skip_space(p + len, end);
    if (p == end || *p == '"' || *p == '\'' || *p == '/' || curly_at(p, end) > 0)
        return true;

    char mark = mark_at(p, end, &len);

    if (object || mark != 0)
        return mark == (object ? '}' : ']') || (!object && (mark == '{' || mark == '['));
    if (*p == '-' || (*p >= '0' && *p <= '9'))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (starts_with(p, end, words[i].text))
            return true;
    return false;
}
