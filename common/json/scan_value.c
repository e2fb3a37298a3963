/* The reading half of the scanner: walks over text that was checked, and trusts it. */
#include <string.h>

#include "common/json/scan.h"
#include "common/json/scan_text.h"

const char *json_kind_name(enum json_kind kind)
{
    switch (kind) {
    case JSON_ABSENT: return "absent";
    case JSON_NULL: return "null";
    case JSON_BOOL: return "bool";
    case JSON_NUMBER: return "number";
    case JSON_STRING: return "string";
    case JSON_ARRAY: return "array";
    case JSON_OBJECT: return "object";
    }
    return "?";
}

enum json_kind scan_kind(char first)
{
    switch (first) {
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case '"': return JSON_STRING;
    case 't':
    case 'f': return JSON_BOOL;
    case 'n': return JSON_NULL;
    default: return JSON_NUMBER;
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && is_space(*p))
        p++;
    return p;
}

/*
 * Most strings are short: behind the closing quote when it is among the next 32 bytes and no
 * backslash before it (*@found), else to where one has to look on. @p is behind the opening quote.
 */
static const char *skip_short(const char *p, const char *end, bool *found)
{
    *found = false;
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i slash = _mm_set1_epi8('\\');

    for (int i = 0; i < 2 && end - p >= 16; i++, p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        unsigned quotes = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, quote));
        unsigned slashes = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, slash));

        if ((quotes | slashes) == 0)
            continue;
        *found = quotes != 0 && (slashes & (quotes ^ (quotes - 1))) == 0;
        return *found ? p + __builtin_ctz(quotes) + 1 : p;
    }
#else
    (void)end;
#endif
    return p;
}

/* From the opening quote to behind the closing one. */
static const char *skip_string(const char *p, const char *end)
{
    bool found = false;
    const char *start = p = skip_short(p + 1, end, &found);

    while (!found) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        const char *slashes = quote;

        if (quote == NULL)
            return end;
        while (slashes > start && slashes[-1] == '\\')
            slashes--;
        if ((quote - slashes) % 2 == 0)
            return quote + 1;
        p = start = quote + 1; /* the backslashes before it are counted */
    }
    return p;
}

/* The next byte in [@p, @end) that opens or closes something: a quote, brace or bracket. */
static const char *skip_to_mark(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i lower = _mm_set1_epi8(0x20); /* makes a brace of a bracket */
    const __m128i opening = _mm_set1_epi8('{');
    const __m128i closing = _mm_set1_epi8('}');

    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i w = _mm_or_si128(v, lower);
        __m128i pair = _mm_or_si128(_mm_cmpeq_epi8(w, opening), _mm_cmpeq_epi8(w, closing));
        int hits = _mm_movemask_epi8(_mm_or_si128(pair, _mm_cmpeq_epi8(v, quote)));

        if (hits != 0)
            return p + __builtin_ctz((unsigned)hits);
        p += 16;
    }
#endif
    while (p < end && *p != '"' && *p != '{' && *p != '}' && *p != '[' && *p != ']')
        p++;
    return p;
}

static const char *skip_container(const char *p, const char *end)
{
    size_t depth = 0;

    while (p < end) {
        if (*p == '"') {
            p = skip_string(p, end);
        } else {
            depth = *p == '{' || *p == '[' ? depth + 1 : depth - 1;
            p++;
            if (depth == 0)
                return p;
        }
        p = skip_to_mark(p, end);
    }
    return p;
}

static const char *skip_value(const char *p, const char *end)
{
    if (*p == '"')
        return skip_string(p, end);
    if (*p == '{' || *p == '[')
        return skip_container(p, end);
    while (p < end && *p != ',' && *p != '}' && *p != ']' && !is_space(*p))
        p++;
    return p;
}

struct json_iter json_iter_begin(const struct json_value *container)
{
    struct json_iter it = {0};

    if (container->kind != JSON_ARRAY && container->kind != JSON_OBJECT)
        return it;
    it.end = container->text + container->len - 1;
    it.p = skip_space(container->text + 1, it.end);
    it.members = container->kind == JSON_OBJECT;
    return it;
}

/* Over a member's name and its colon; leaves it->p at the value. Returns the name. */
static struct json_value take_name(struct json_iter *it)
{
    const char *start = it->p;

    it->p = skip_string(it->p, it->end);

    struct json_value name = {JSON_STRING, start, (size_t)(it->p - start)};

    it->p = skip_space(it->p, it->end) + 1;
    it->p = skip_space(it->p, it->end);
    return name;
}

bool json_iter_next(struct json_iter *it, struct json_value *name, struct json_value *value)
{
    struct json_value found = {.kind = JSON_ABSENT};

    if (it->p >= it->end)
        return false;
    if (it->members)
        found = take_name(it);
    if (name != NULL)
        *name = found;

    const char *start = it->p;

    it->p = skip_value(start, it->end);
    *value = (struct json_value){scan_kind(*start), start, (size_t)(it->p - start)};
    it->p = skip_space(it->p, it->end);
    if (it->p < it->end)
        it->p = skip_space(it->p + 1, it->end); /* the comma */
    return true;
}

void json_members(const struct json_value *object, const char *const names[], size_t count,
                  struct json_value out[])
{
    struct json_iter it = {0};
    struct json_value name;
    struct json_value value;

    for (size_t i = 0; i < count; i++)
        out[i] = (struct json_value){.kind = JSON_ABSENT};
    if (object->kind == JSON_OBJECT)
        it = json_iter_begin(object);
    while (json_iter_next(&it, &name, &value)) {
        size_t len = name.len - 2;
        bool escaped = memchr(name.text + 1, '\\', len) != NULL;

        for (size_t i = 0; i < count; i++)
            if (scan_name_equals(name.text + 1, len, escaped, names[i]))
                out[i] = value;
    }
}

struct json_value json_member(const struct json_value *object, const char *name)
{
    struct json_value out;

    json_members(object, &name, 1, &out);
    return out;
}

bool json_is_null(const struct json_value *value)
{
    return value->kind == JSON_NULL;
}

bool json_to_int64(const struct json_value *value, int64_t *out)
{
    int64_t n = 0;

    if (value->kind != JSON_NUMBER)
        return false;

    const char *p = value->text;
    const char *end = p + value->len;
    bool negative = *p == '-';

    if (negative)
        p++;
    for (; p < end; p++) {
        int digit = *p - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(n, 10, &n) ||
            __builtin_sub_overflow(n, digit, &n)) /* below zero there is one number more */
            return false;
    }
    if (!negative && n == INT64_MIN)
        return false;
    *out = negative ? n : -n;
    return true;
}
