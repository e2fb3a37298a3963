/*
 * Twenty thousand mutated texts, judged by the scanner, by a second reading of RFC
 * 8259 that is as plain as can be, and by json-c in strict mode. Always the same
 * texts: the numbers come from a fixed seed.
 */
#include "tests/testlib/unit.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/json/scan.h"

enum { ROUNDS = 20000, TEXT_MAX = 1024 };

#define REQUEST                                                                              \
    "{\"custom_id\":\"r-1\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{" \
    "\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":"                          \
    "\"\xE4\xBD\xA0\xE5\xA5\xBD\\n\"}]}}"
#define RESULT                                                                                     \
    "{\"id\":\"b\",\"response\":{\"status_code\":200,\"body\":{\"usage\":{\"prompt_tokens\":24}}}" \
    ","                                                                                            \
    "\"error\":null}"

static const char *const seeds[] = {
    REQUEST,
    RESULT,
    "[0,-0,1.5,-2.5e-3,1E+9,9223372036854775808,0.0001]",
    "[true,false,null,[],{},[[]],[{}],\"\"]",
    "{\"a\\u0041\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t\":\"\xF0\x9F\x98\x80\xC3\xA9\"}",
    " { \"a\" : [ 1 , 2 ] , \"b\" : { \"c\" : null } } ",
    "\"a string of more than sixteen bytes, then \xE2\x80\xA8 some more\"",
    "[[[[[[[[[[1]]]]]]]]]]",
};

static uint64_t random_next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

/* One change: a bit, a byte that means something, a cut, a copy or a move of a piece. */
static size_t mutate(char *text, size_t len, uint64_t *s)
{
    static const char meaning[] =
        "{}[]:,\"\\ \t\n/u0123456789.eE+-tfnaD\x01\x80\xC0\xE0\xED\xF4\xFF";
    size_t at = len == 0 ? 0 : random_next(s) % len;
    size_t n = 1 + random_next(s) % 8;

    switch (random_next(s) % 5) {
    case 0:
        if (len > 0)
            text[at] = (char)(text[at] ^ 1 << random_next(s) % 8);
        return len;
    case 1:
        if (len > 0)
            text[at] = meaning[random_next(s) % (sizeof(meaning) - 1)];
        return len;
    case 2: /* take out */
        if (at + n > len)
            return at;
        memmove(text + at, text + at + n, len - at - n);
        return len - n;
    case 3: /* put in */
        if (len == TEXT_MAX)
            return len;
        memmove(text + at + 1, text + at, len - at);
        text[at] = meaning[random_next(s) % (sizeof(meaning) - 1)];
        return len + 1;
    default: /* double a piece */
        if (at + n > len || len + n > TEXT_MAX)
            return len;
        memmove(text + at + n, text + at, len - at);
        return len + n;
    }
}

/* The second reading. Each function returns behind what it read, or NULL. */
static const char *plain_value(const char *p, const char *end);

static const char *plain_space(const char *p, const char *end)
{
    while (p < end && memchr(" \t\n\r", *p, 4) != NULL)
        p++;
    return p;
}

static const char *plain_hex(const char *p, const char *end)
{
    for (int i = 0; i < 4; i++, p++)
        if (p == end || memchr("0123456789abcdefABCDEF", *p, 22) == NULL)
            return NULL;
    return p;
}

/* By decoding, not by ranges of bytes: the code point says what is overlong. */
static const char *plain_utf8(const char *p, const char *end)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char c = (unsigned char)*p;
    int n = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
    uint32_t code = n == 1 ? c : c & (0x7Fu >> n);

    if (n == 0 || end - p < n)
        return NULL;
    for (int i = 1; i < n; i++) {
        if (((unsigned char)p[i] & 0xC0) != 0x80)
            return NULL;
        code = code << 6 | ((unsigned char)p[i] & 0x3F);
    }
    if (code < least[n] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return NULL;
    return p + n;
}

static const char *plain_string(const char *p, const char *end)
{
    if (p == end || *p++ != '"')
        return NULL;
    while (p != NULL && p < end && *p != '"') {
        if ((unsigned char)*p < 0x20)
            return NULL;
        if (*p != '\\')
            p = plain_utf8(p, end);
        else if (end - p < 2)
            return NULL;
        else if (p[1] == 'u')
            p = plain_hex(p + 2, end);
        else
            p = memchr("\"\\/bfnrt", p[1], 8) != NULL ? p + 2 : NULL;
    }
    return p != NULL && p < end ? p + 1 : NULL;
}

static const char *plain_digits(const char *p, const char *end)
{
    const char *start = p;

    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p > start ? p : NULL;
}

static const char *plain_number(const char *p, const char *end)
{
    if (p < end && *p == '-')
        p++;
    if (p < end && *p == '0')
        p++;
    else
        p = plain_digits(p, end);
    if (p != NULL && p < end && *p == '.')
        p = plain_digits(p + 1, end);
    if (p != NULL && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        p = plain_digits(p, end);
    }
    return p;
}

static const char *plain_container(const char *p, const char *end, bool object)
{
    char close = object ? '}' : ']';

    p = plain_space(p + 1, end);
    if (p < end && *p == close)
        return p + 1;
    for (;;) {
        if (object) {
            p = plain_string(plain_space(p, end), end);
            if (p == NULL)
                return NULL;
            p = plain_space(p, end);
            if (p == end || *p++ != ':')
                return NULL;
        }
        p = plain_value(p, end);
        if (p == NULL || p == end || (*p != ',' && *p != close))
            return NULL;
        if (*p++ == close)
            return p;
    }
}

static const char *plain_value(const char *p, const char *end)
{
    p = plain_space(p, end);
    if (p == end)
        return NULL;
    if (*p == '{' || *p == '[')
        p = plain_container(p, end, *p == '{');
    else if (*p == '"')
        p = plain_string(p, end);
    else if (end - p >= 4 && (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0))
        p += 4;
    else if (end - p >= 5 && memcmp(p, "false", 5) == 0)
        p += 5;
    else
        p = plain_number(p, end);
    return p != NULL ? plain_space(p, end) : NULL;
}

static bool jsonc_accepts(const char *text, size_t len)
{
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
    struct json_object *doc = NULL;
    enum json_tokener_error failure = json_tokener_success;

    assert_non_null(tokener);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    doc = json_tokener_parse_ex(tokener, text, (int)len);
    failure = json_tokener_get_error(tokener);
    if (failure == json_tokener_continue) { /* a number ends with what follows it */
        doc = json_tokener_parse_ex(tokener, " ", 1);
        failure = json_tokener_get_error(tokener);
    }
    json_object_put(doc);
    json_tokener_free(tokener);
    return failure == json_tokener_success;
}

/*
 * What json-c 0.16 lets pass although it is no JSON: control characters in strings,
 * some overlong UTF-8, numbers like "1." and "01".
 */
static bool is_known_leniency(const char *text, const struct json_error *error)
{
    const char *at = text + error->offset;

    if (strcmp(error->what, "a control character in a string") == 0 ||
        strcmp(error->what, "invalid UTF-8") == 0 || strcmp(error->what, "expected a digit") == 0)
        return true;
    return error->offset > 0 && at[-1] == '0' && *at >= '0' && *at <= '9';
}

static void judge(const char *text, size_t len, size_t *good)
{
    char *copy = malloc(len + 1);
    struct json_value root;
    struct json_error error = {0};

    assert_non_null(copy);
    copy[0] = ' ';
    memcpy(copy + 1, text, len);

    const char *own = copy + 1;
    bool ours = json_scan(own, len, &root, &error);
    bool plain = plain_value(own, own + len) == own + len;
    bool theirs = jsonc_accepts(own, len);

    if (ours != plain || (ours && !theirs) ||
        (!ours && theirs && !is_known_leniency(own, &error))) {
        print_message("  %.*s\n", (int)len, text);
        fail_msg("ours %d (%s at %zu), plain %d, json-c %d", ours, error.what, error.offset, plain,
                 theirs);
    }
    *good += ours;
    free(copy);
}

static void the_scanner_agrees_with_the_others(void **state)
{
    uint64_t s = 0x5EAF5EAF5EAF5EAF;
    char text[TEXT_MAX + 1];
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ROUNDS; i++) {
        const char *seed = seeds[i % ARRAY_LEN(seeds)];
        size_t len = strlen(seed);
        size_t changes = 1 + random_next(&s) % 3;

        memcpy(text, seed, len);
        while (changes-- > 0)
            len = mutate(text, len, &s);
        judge(text, len, &good);
    }
    /* Neither side of the question may be rare. */
    print_message("  %zu of %d are JSON\n", good, ROUNDS);
    assert_true(good > ROUNDS / 10 && good < ROUNDS - ROUNDS / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scanner_agrees_with_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
