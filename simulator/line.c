#include "simulator/line.h"

#include <string.h>

#include "simulator/hash.h"
#include "simulator/text.h"
#include "simulator/utf8.h"

struct scan {
    const char *p;
    const char *end;
};

static void skip_space(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

static bool take(struct scan *s, char c)
{
    if (s->p >= s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

/* Eight bytes at once that are neither quote, backslash, control character nor beyond ASCII. */
static bool plain8(const char *p)
{
    const uint64_t ones = 0x0101010101010101U;
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    uint64_t quote = (v ^ (ones * '"')) - ones;
    uint64_t backslash = (v ^ (ones * '\\')) - ones;
    uint64_t control = v - ones * 0x20;
    return ((v | quote | backslash | control) & (ones * 0x80)) == 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Bytes of the escape at the backslash @p, 0 when it is none. */
static size_t escape_len(const char *p, const char *end)
{
    if (end - p < 2)
        return 0;
    if (p[1] != 'u')
        return p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL ? 2 : 0;
    if (end - p < 6)
        return 0;
    for (int i = 2; i < 6; i++) {
        if (hex_digit(p[i]) < 0)
            return 0;
    }
    return 6;
}

static size_t char_len(const char *p, const char *end)
{
    unsigned char c = (unsigned char)*p;

    if (c == '\\')
        return escape_len(p, end);
    if (c < 0x20)
        return 0;
    return c < 0x80 ? 1 : utf8_len(p, end);
}

static bool skip_string(struct scan *s)
{
    if (!take(s, '"'))
        return false;
    const char *p = s->p;
    for (;;) {
        while (s->end - p >= 8 && plain8(p))
            p += 8;
        if (p >= s->end)
            return false;
        if (*p == '"')
            break;
        size_t n = char_len(p, s->end);
        if (n == 0)
            return false;
        p += n;
    }
    s->p = p + 1;
    return true;
}

static bool skip_digits(struct scan *s)
{
    const char *from = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > from;
}

static bool skip_number(struct scan *s)
{
    (void)take(s, '-');
    if (!take(s, '0') && !skip_digits(s))
        return false;
    if (take(s, '.') && !skip_digits(s))
        return false;
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+'))
            (void)take(s, '-');
        return skip_digits(s);
    }
    return true;
}

static bool skip_word(struct scan *s, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return false;
    s->p += n;
    return true;
}

static bool skip_scalar(struct scan *s)
{
    if (s->p >= s->end)
        return false;
    switch (*s->p) {
    case '"': return skip_string(s);
    case 't': return skip_word(s, "true");
    case 'f': return skip_word(s, "false");
    case 'n': return skip_word(s, "null");
    default: return skip_number(s);
    }
}

static bool skip_key(struct scan *s)
{
    skip_space(s);
    if (!skip_string(s))
        return false;
    skip_space(s);
    return take(s, ':');
}

/* Which kinds of brackets are open: bit set = object. */
struct nest {
    uint64_t bits[LINE_DEPTH_MAX / 64];
    unsigned depth;
};

static bool nest_open(struct nest *n, bool object)
{
    if (n->depth == LINE_DEPTH_MAX)
        return false;
    uint64_t bit = (uint64_t)1 << (n->depth % 64);
    uint64_t *word = &n->bits[n->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    n->depth++;
    return true;
}

static bool nest_in_object(const struct nest *n)
{
    return (n->bits[(n->depth - 1) / 64] >> ((n->depth - 1) % 64)) & 1;
}

enum step { STEP_BAD, STEP_VALUE, STEP_AFTER };

/* At a value: a scalar is passed, a bracket is opened. */
static enum step step_value(struct scan *s, struct nest *n)
{
    skip_space(s);
    bool object = s->p < s->end && *s->p == '{';

    if (!object && !(s->p < s->end && *s->p == '['))
        return skip_scalar(s) ? STEP_AFTER : STEP_BAD;
    s->p++;
    if (!nest_open(n, object))
        return STEP_BAD;
    skip_space(s);
    if (take(s, object ? '}' : ']')) {
        n->depth--;
        return STEP_AFTER;
    }
    return !object || skip_key(s) ? STEP_VALUE : STEP_BAD;
}

/* Behind a value inside brackets: the next one, or the end of the bracket. */
static enum step step_after(struct scan *s, struct nest *n)
{
    bool object = nest_in_object(n);

    skip_space(s);
    if (take(s, object ? '}' : ']')) {
        n->depth--;
        return STEP_AFTER;
    }
    if (!take(s, ','))
        return STEP_BAD;
    return !object || skip_key(s) ? STEP_VALUE : STEP_BAD;
}

static bool skip_value(struct scan *s)
{
    struct nest nest = {0};
    enum step step = STEP_VALUE;

    do {
        step = step == STEP_VALUE ? step_value(s, &nest) : step_after(s, &nest);
    } while (step == STEP_VALUE || (step == STEP_AFTER && nest.depth > 0));
    return step == STEP_AFTER;
}

enum member { MEMBER_BAD, MEMBER_END, MEMBER_FOUND };

/* The key of the next member of an object whose '{' was taken; leaves @s at the value. */
static enum member next_member(struct scan *s, bool first, struct slice *key)
{
    skip_space(s);
    if (take(s, '}'))
        return MEMBER_END;
    if (!first && !take(s, ','))
        return MEMBER_BAD;
    skip_space(s);
    key->p = s->p;
    if (!skip_string(s))
        return MEMBER_BAD;
    key->n = (size_t)(s->p - key->p);
    skip_space(s);
    if (!take(s, ':'))
        return MEMBER_BAD;
    skip_space(s);
    return MEMBER_FOUND;
}

struct field {
    const char *name;
    size_t offset; /* of its slice in struct line */
};

#define FIELD(member)                          \
    {                                          \
#member, offsetof(struct line, member) \
    }

static const struct field line_fields[] = {FIELD(custom_id), FIELD(method), FIELD(url),
                                           FIELD(body)};
static const struct field body_fields[] = {
    FIELD(model),  FIELD(messages),   FIELD(input),      FIELD(prompt),
    FIELD(stream), FIELD(sim_answer), FIELD(sim_status), FIELD(sim_raw_content)};

static struct slice *field_slot(struct line *line, const struct field *f)
{
    return (struct slice *)(void *)((char *)line + f->offset);
}

static void assign(struct line *line, const struct field *fields, size_t count, struct slice key,
                   struct slice value)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_means(key, fields[i].name))
            *field_slot(line, &fields[i]) = value;
    }
}

static bool scan_body(struct scan *s, struct line *out)
{
    struct slice key;
    enum member got;

    for (size_t i = 0; i < ARRAY_LEN(body_fields); i++)
        *field_slot(out, &body_fields[i]) = (struct slice){0};
    if (s->p >= s->end || *s->p != '{')
        return skip_value(s);
    s->p++;
    for (bool first = true; (got = next_member(s, first, &key)) == MEMBER_FOUND; first = false) {
        struct slice value = {.p = s->p};

        if (!skip_value(s))
            return false;
        value.n = (size_t)(s->p - value.p);
        assign(out, body_fields, ARRAY_LEN(body_fields), key, value);
    }
    return got == MEMBER_END;
}

bool line_scan(const char *text, size_t len, struct line *out)
{
    struct scan s = {text, text + len};
    struct line line = {0};
    struct slice key;
    enum member got;

    skip_space(&s);
    if (!take(&s, '{'))
        return false;
    for (bool first = true; (got = next_member(&s, first, &key)) == MEMBER_FOUND; first = false) {
        struct slice value = {.p = s.p};

        if (!(slice_means(key, "body") ? scan_body(&s, &line) : skip_value(&s)))
            return false;
        value.n = (size_t)(s.p - value.p);
        assign(&line, line_fields, ARRAY_LEN(line_fields), key, value);
    }
    skip_space(&s);
    if (got != MEMBER_END || s.p != s.end)
        return false;
    *out = line;
    return true;
}

bool slice_is_string(struct slice s)
{
    return s.p != NULL && s.n >= 2 && s.p[0] == '"';
}

struct slice slice_inside(struct slice s)
{
    return (struct slice){s.p + 1, s.n - 2};
}

bool slice_means(struct slice s, const char *text)
{
    if (!slice_is_string(s))
        return false;
    struct slice in = slice_inside(s);
    size_t n = strlen(text);

    if (in.n < n || in.n > 6 * n)
        return false;
    if (memchr(in.p, '\\', in.n) == NULL)
        return in.n == n && memcmp(in.p, text, n) == 0;
    struct buf decoded = TEXT_INIT;
    slice_decode(s, &decoded);
    bool same = decoded.len == n && memcmp(decoded.data, text, n) == 0;
    buf_release(&decoded);
    return same;
}

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++)
        v = v << 4 | (uint32_t)hex_digit(p[i]);
    return v;
}

static void put_code_point(struct buf *out, uint32_t c)
{
    char u[4];
    size_t n = 0;

    if (c >= 0xD800 && c <= 0xDFFF)
        c = 0xFFFD;
    if (c < 0x80) {
        u[n++] = (char)c;
    } else if (c < 0x800) {
        u[n++] = (char)(0xC0 | c >> 6);
    } else if (c < 0x10000) {
        u[n++] = (char)(0xE0 | c >> 12);
        u[n++] = (char)(0x80 | (c >> 6 & 0x3F));
    } else {
        u[n++] = (char)(0xF0 | c >> 18);
        u[n++] = (char)(0x80 | (c >> 12 & 0x3F));
        u[n++] = (char)(0x80 | (c >> 6 & 0x3F));
    }
    if (c >= 0x80)
        u[n++] = (char)(0x80 | (c & 0x3F));
    text_bytes(out, u, n);
}

/* Decode the escape at the backslash @p; returns how many bytes it takes. */
static size_t decode_escape(const char *p, const char *end, struct buf *out)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";

    if (p[1] != 'u') {
        const char *at = memchr(from, p[1], sizeof(from) - 1);
        text_bytes(out, at != NULL ? to + (at - from) : "?", 1);
        return 2;
    }
    uint32_t c = hex4(p + 2);
    bool pair = c >= 0xD800 && c <= 0xDBFF && end - p >= 12 && p[6] == '\\' && p[7] == 'u';
    uint32_t low = pair ? hex4(p + 8) : 0;

    if (low < 0xDC00 || low > 0xDFFF) {
        put_code_point(out, c);
        return 6;
    }
    put_code_point(out, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
    return 12;
}

void slice_decode(struct slice s, struct buf *out)
{
    struct slice in = slice_inside(s);
    const char *p = in.p;
    const char *end = in.p + in.n;

    buf_clear(out);
    while (p < end) {
        const char *stop = memchr(p, '\\', (size_t)(end - p));

        if (stop == NULL)
            stop = end;
        text_bytes(out, p, (size_t)(stop - p));
        p = stop;
        if (p < end)
            p += decode_escape(p, end, out);
    }
}

uint64_t slice_hash(struct slice s, struct buf *scratch)
{
    struct slice in = slice_inside(s);

    if (memchr(in.p, '\\', in.n) == NULL)
        return hash_fnv(in.p, in.n);
    slice_decode(s, scratch);
    return hash_fnv(scratch->data, scratch->len);
}

size_t slice_count_inputs(struct slice s)
{
    struct scan scan = {s.p, s.p};
    size_t count = 0;

    if (s.p == NULL)
        return 1;
    scan.end += s.n;
    if (!take(&scan, '['))
        return 1;
    skip_space(&scan);
    if (scan.p >= scan.end || (*scan.p != '"' && *scan.p != '['))
        return 1;
    do {
        if (!skip_value(&scan))
            break;
        count++;
        skip_space(&scan);
    } while (take(&scan, ','));
    return count;
}
