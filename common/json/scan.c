/*
 * The checking half of the scanner: one pass over text that nobody has checked.
 * Nesting is kept in a bit per level, so depth costs no stack.
 */
#include "common/json/scan.h"

#include <string.h>

#include "common/json/scan_text.h"

struct scanner {
    const char *p;
    const char *end;
    const char *what; /* set when scanning failed at @p */
    bool escaped;     /* the last string had a backslash in it */
};

/* What is open around the place where we are: a set bit is an object. */
struct nesting {
    uint64_t objects[JSON_DEPTH_MAX / 64];
    unsigned depth;
    unsigned limit;
};

static bool fail(struct scanner *s, const char *at, const char *what)
{
    s->p = at;
    s->what = what;
    return false;
}

static inline void skip_space(struct scanner *s)
{
    while (s->p < s->end && (unsigned char)*s->p <= ' ' &&
           (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

static inline bool at(const struct scanner *s, char c)
{
    return s->p < s->end && *s->p == c;
}

static bool is_hex(char c)
{
    return scan_within(c, '0', '9') || scan_within(c, 'a', 'f') || scan_within(c, 'A', 'F');
}

/* Length of the escape sequence at the backslash @p; 0 when it is none. */
static size_t escape_length(const char *p, const char *end)
{
    if (end - p < 2)
        return 0;
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return 2;
    case 'u': break;
    default: return 0;
    }
    if (end - p < 6 || !is_hex(p[2]) || !is_hex(p[3]) || !is_hex(p[4]) || !is_hex(p[5]))
        return 0;
    return 6;
}

/* Over the escape sequence at @p and non-ASCII characters behind it, or over these at @p. */
static bool scan_special(struct scanner *s)
{
    const char *p = s->p;

    if (*p == '\\') {
        size_t n = escape_length(p, s->end);

        s->escaped = true;
        if (n == 0)
            return fail(s, p, "an invalid escape sequence");
        p += n;
    }
    while (p < s->end && (unsigned char)*p >= 0x80) {
        size_t n = scan_utf8_length(p, s->end);

        if (n == 0)
            return fail(s, p, "invalid UTF-8");
        p += n;
    }
    s->p = p;
    return true;
}

/* From the opening quote to behind the closing one. */
static bool scan_string(struct scanner *s)
{
    s->escaped = false;
    s->p++;
    for (;;) {
        s->p = scan_plain(s->p, s->end);
        if (s->p == s->end)
            return fail(s, s->p, "the text ends inside a string");
        if (*s->p == '"')
            break;
        if (scan_within(*s->p, 0, 0x1F))
            return fail(s, s->p, "a control character in a string");
        if (!scan_special(s))
            return false;
    }
    s->p++;
    return true;
}

static bool skip_digits(struct scanner *s)
{
    const char *start = s->p;

    while (s->p < s->end && scan_within(*s->p, '0', '9'))
        s->p++;
    return s->p > start || fail(s, s->p, "expected a digit");
}

static bool scan_number(struct scanner *s)
{
    if (at(s, '-'))
        s->p++;
    if (at(s, '0'))
        s->p++;
    else if (!skip_digits(s))
        return false;
    if (at(s, '.')) {
        s->p++;
        if (!skip_digits(s))
            return false;
    }
    if (at(s, 'e') || at(s, 'E')) {
        s->p++;
        if (at(s, '+') || at(s, '-'))
            s->p++;
        return skip_digits(s);
    }
    return true;
}

static bool scan_word(struct scanner *s, const char *word, size_t len)
{
    if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
        return fail(s, s->p, "expected a value");
    s->p += len;
    return true;
}

static bool scan_scalar(struct scanner *s)
{
    if (s->p == s->end)
        return fail(s, s->p, "expected a value");
    switch (*s->p) {
    case '"': return scan_string(s);
    case 't': return scan_word(s, "true", 4);
    case 'f': return scan_word(s, "false", 5);
    case 'n': return scan_word(s, "null", 4);
    default: break;
    }
    if (*s->p == '-' || scan_within(*s->p, '0', '9'))
        return scan_number(s);
    return fail(s, s->p, "expected a value");
}

/* A member's name and the colon; leaves @p at the value. *@name is without quotes. */
static bool scan_name(struct scanner *s, struct slice *name)
{
    skip_space(s);
    if (!at(s, '"'))
        return fail(s, s->p, "expected a member name");
    name->p = s->p + 1;
    if (!scan_string(s))
        return false;
    name->len = (size_t)(s->p - name->p) - 1;
    skip_space(s);
    if (!at(s, ':'))
        return fail(s, s->p, "expected a colon");
    s->p++;
    skip_space(s);
    return true;
}

static inline bool in_object(const struct nesting *n)
{
    return (n->objects[(n->depth - 1) / 64] >> ((n->depth - 1) % 64) & 1) != 0;
}

/*
 * Go into the container that starts at @p. *@empty says that it is already
 * closed again; else @p is left where its first value must be.
 */
static bool scan_open(struct scanner *s, struct nesting *n, bool *empty)
{
    struct slice name;
    bool object = *s->p == '{';
    uint64_t bit = (uint64_t)1 << (n->depth % 64);
    uint64_t *word = &n->objects[n->depth / 64];

    if (n->depth == n->limit)
        return fail(s, s->p, "nested too deeply");
    if (n->depth % 64 == 0)
        *word = 0;
    *word = object ? *word | bit : *word & ~bit;
    n->depth++;
    s->p++;
    skip_space(s);
    *empty = at(s, object ? '}' : ']');
    return *empty || !object || scan_name(s, &name);
}

/*
 * Behind a value: close what ends here. *@more says that @p is left where
 * another value must be; else the outermost value is complete.
 */
static bool scan_behind(struct scanner *s, struct nesting *n, bool *more)
{
    struct slice name;

    *more = false;
    while (n->depth > 0) {
        bool object = in_object(n);

        skip_space(s);
        if (at(s, ',')) {
            s->p++;
            *more = true;
            if (object)
                return scan_name(s, &name);
            skip_space(s);
            return true;
        }
        if (!at(s, object ? '}' : ']'))
            return fail(s, s->p,
                        object ? "expected a comma or a closing brace"
                               : "expected a comma or a closing bracket");
        s->p++;
        n->depth--;
    }
    return true;
}

/* One value from its first byte to behind its last, inside @outside open containers. */
static bool scan_value(struct scanner *s, unsigned outside)
{
    struct nesting n;
    bool more = true;

    n.depth = 0;
    n.limit = JSON_DEPTH_MAX - outside;
    while (more) {
        if (at(s, '{') || at(s, '[')) {
            bool empty = false;

            if (!scan_open(s, &n, &empty))
                return false;
            if (!empty)
                continue;
        } else if (!scan_scalar(s)) {
            return false;
        }
        if (!scan_behind(s, &n, &more))
            return false;
    }
    return true;
}

static bool scan_end(struct scanner *s)
{
    skip_space(s);
    return s->p == s->end || fail(s, s->p, "text behind the value");
}

static bool report(const struct scanner *s, const char *text, struct json_error *error)
{
    if (error != NULL)
        *error = (struct json_error){.offset = (size_t)(s->p - text), .what = s->what};
    return false;
}

bool json_scan(const char *text, size_t len, struct json_value *root, struct json_error *error)
{
    if (len == 0)
        text = ""; /* it may be NULL */

    struct scanner s = {.p = text, .end = text + len};

    skip_space(&s);

    const char *start = s.p;

    if (!scan_value(&s, 0))
        return report(&s, text, error);

    size_t value_len = (size_t)(s.p - start);

    if (!scan_end(&s))
        return report(&s, text, error);
    *root = (struct json_value){.kind = scan_kind(*start), .text = start, .len = value_len};
    return true;
}

/* One member of the object at @p; its value goes to @out where its name is asked for. */
static bool scan_member(struct scanner *s, const char *const names[], size_t count,
                        struct json_value out[])
{
    struct slice name;

    if (!scan_name(s, &name))
        return false;

    bool escaped = s->escaped;
    const char *start = s->p;

    if (!scan_value(s, 1))
        return false;
    for (size_t i = 0; i < count; i++)
        if (scan_name_equals(name.p, name.len, escaped, names[i]))
            out[i] = (struct json_value){scan_kind(*start), start, (size_t)(s->p - start)};
    skip_space(s);
    return true;
}

/* The object at @p. */
static bool scan_members(struct scanner *s, const char *const names[], size_t count,
                         struct json_value out[])
{
    s->p++;
    skip_space(s);
    if (!at(s, '}') && !scan_member(s, names, count, out))
        return false;
    while (at(s, ',')) {
        s->p++;
        if (!scan_member(s, names, count, out))
            return false;
    }
    if (!at(s, '}'))
        return fail(s, s->p, "expected a comma or a closing brace");
    s->p++;
    return true;
}

static void forget(struct json_value out[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (struct json_value){.kind = JSON_ABSENT};
}

/* The text does not start as an object does: is it other JSON, or no JSON? */
static bool refuse(const char *text, size_t len, struct json_error *error)
{
    struct json_value root;

    if (json_scan(text, len, &root, error) && error != NULL)
        *error = (struct json_error){.offset = (size_t)(root.text - text), .what = "not an object"};
    return false;
}

bool json_scan_object(const char *text, size_t len, const char *const names[], size_t count,
                      struct json_value out[], struct json_error *error)
{
    if (len == 0)
        text = "";

    struct scanner s = {.p = text, .end = text + len};

    forget(out, count);
    skip_space(&s);
    if (!at(&s, '{'))
        return refuse(text, len, error);
    if (!scan_members(&s, names, count, out) || !scan_end(&s)) {
        forget(out, count);
        return report(&s, text, error);
    }
    return true;
}

void json_scan_prefix(const char *text, size_t len, const char *const names[], size_t count,
                      struct json_value out[])
{
    if (len == 0)
        text = "";

    struct scanner s = {.p = text, .end = text + len};

    forget(out, count);
    skip_space(&s);
    if (at(&s, '{'))
        (void)scan_members(&s, names, count, out);
}
