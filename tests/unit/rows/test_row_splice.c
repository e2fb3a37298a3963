#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/rows/row_path.h"
#include "common/rows/row_writer.h"

enum { PUTS_MAX = 6, OUT_MAX = 1 << 20 };

struct put {
    const char *path, *json;
};

static const struct {
    const char *name, *object;
    struct put puts[PUTS_MAX];
    const char *want;
} cases[] = {
    {"nothing",                            "{ \"a\" : 1 }",          {{0}},                                    "{ \"a\" : 1 }"                    },
    {"a new member",                       "{\"a\":1}",              {{"b", "2"}},                             "{\"a\":1,\"b\":2}"                },
    {"the first member",                   "{}",                     {{"b", "2"}},                             "{\"b\":2}"                        },
    {"the first member, with space",       "{ }",                    {{"b", "2"}},                             "{\"b\":2 }"                       },
    {"behind the last value",              "{ \"a\": 1 }\n",         {{"b", "2"}},                             "{ \"a\": 1,\"b\":2 }"             },
    {"a value is replaced",                "{ \"a\" : 1 , \"b\":2}", {{"a", "[3]"}},                           "{ \"a\" : [3] , \"b\":2}"         },
    {"objects are made",                   "{\"a\":1}",              {{"x.y.z", "2"}},                         "{\"a\":1,\"x\":{\"y\":{\"z\":2}}}"},
    {"objects are used",                   "{\"x\":{\"a\":1}}",      {{"x.b", "2"}},                           "{\"x\":{\"a\":1,\"b\":2}}"        },
    {"deep inside",
     "{\"x\":{\"y\":{\"a\":1}},\"z\":0}",                            {{"x.y.b", "2"}},
     "{\"x\":{\"y\":{\"a\":1,\"b\":2}},\"z\":0}"                                                                                                  },
    {"a number in the way",                "{\"x\":5,\"y\":6}",      {{"x.b", "2"}},                           "{\"x\":{\"b\":2},\"y\":6}"        },
    {"null in the way",                    "{\"x\":null}",           {{"x.b", "2"}},                           "{\"x\":{\"b\":2}}"                },
    {"an array in the way",                "{\"x\":[{\"b\":1}]}",    {{"x.0.b", "2"}},                         "{\"x\":{\"0\":{\"b\":2}}}"        },
    {"two into one new object",            "{}",                     {{"s.a", "1"}, {"s.b", "2"}},             "{\"s\":{\"a\":1,\"b\":2}}"        },
    {"new ones in the order of the first",
     "{}",                                                           {{"s.a", "1"}, {"t", "3"}, {"s.b", "2"}},
     "{\"s\":{\"a\":1,\"b\":2},\"t\":3}"                                                                                                          },
    {"old and new",
     "{\"b\":0,\"a\":0}",                                            {{"a", "1"}, {"c", "3"}, {"b", "2"}},
     "{\"b\":2,\"a\":1,\"c\":3}"                                                                                                                  },
    {"the later wins",                     "{}",                     {{"a", "1"}, {"a", "2"}},                 "{\"a\":2}"                        },
    {"a value, then into it",
     "{}",                                                           {{"a", "{\"k\":1}"}, {"a.b", "2"}},
     "{\"a\":{\"k\":1,\"b\":2}}"                                                                                                                  },
    {"into it, then a value",              "{\"a\":{\"z\":0}}",      {{"a.b", "2"}, {"a", "1"}},               "{\"a\":1}"                        },
    {"in, over and in again",
     "{\"a\":{\"z\":0}}",                                            {{"a.b", "2"}, {"a", "1"}, {"a.c", "3"}},
     "{\"a\":{\"c\":3}}"                                                                                                                          },
    {"a name with a dot",
     "{\"a.b\":1,\"a\":{\"b\":2}}",                                  {{"a.b", "3"}},
     "{\"a.b\":3,\"a\":{\"b\":2}}"                                                                                                                },
    {"into a name with a dot",             "{\"a.b\":{}}",           {{"a.b.c", "3"}},                         "{\"a.b\":{\"c\":3}}"              },
    {"a name with a dot is not made",      "{}",                     {{"a.b", "3"}},                           "{\"a\":{\"b\":3}}"                },
    {"the last of one name",               "{\"a\":1,\"a\":2}",      {{"a", "3"}},                             "{\"a\":1,\"a\":3}"                },
    {"an escaped name",                    "{\"\\u0061\":1}",        {{"a", "3"}},                             "{\"\\u0061\":3}"                  },
    {"a name that needs escapes",          "{}",                     {{"a\"\n", "3"}},                         "{\"a\\\"\\n\":3}"                 },
    {"every kind of byte stays",
     "{\"n\": 1.0e+05,\"u\":\"\\u4e2d中\\/\",\t\"n\":[ ]}",         {{"_sheaf", "{}"}},
     "{\"n\": 1.0e+05,\"u\":\"\\u4e2d中\\/\",\t\"n\":[ ],\"_sheaf\":{}}"                                                                         },
};

static struct json_value scan(const char *text, size_t len)
{
    struct json_value value;
    struct json_error error;

    if (!json_scan(text, len, &value, &error))
        fail_msg("%s at %zu of %.*s", error.what, error.offset, (int)len, text);
    return value;
}

static void values_go_where_their_paths_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct row_put puts[PUTS_MAX];
        struct buf out = BUF_INIT(OUT_MAX);
        struct json_value object = scan(cases[i].object, strlen(cases[i].object));
        size_t count = 0;

        for (; count < PUTS_MAX && cases[i].puts[count].path != NULL; count++) {
            const struct put *p = &cases[i].puts[count];

            puts[count] = (struct row_put){
                p->path, {p->json, strlen(p->json)}
            };
        }
        print_message("  %s\n", cases[i].name);
        assert_true(row_splice(&out, &object, puts, count));
        assert_string_equal(out.data, cases[i].want);
        buf_release(&out);
    }
}

static void what_is_absent_counts_as_an_empty_object(void **state)
{
    struct json_value absent = {.kind = JSON_ABSENT};
    struct row_put put = {
        "_sheaf", {"{\"error\":1}", 11}
    };
    struct buf out = BUF_INIT(OUT_MAX);

    (void)state;
    assert_true(row_splice(&out, &absent, &put, 1));
    assert_string_equal(out.data, "{\"_sheaf\":{\"error\":1}}");
    buf_clear(&out);
    assert_true(row_splice(&out, &absent, NULL, 0));
    assert_string_equal(out.data, "{}");
    buf_release(&out);
}

static void past_the_limit_nothing_is_appended(void **state)
{
    const char *text = "{\"a\":{\"b\":1},\"c\":2}";
    struct json_value object = scan(text, strlen(text));
    struct row_put puts[] = {
        {"a.x", {"12345", 5}},
        {"d.e", {"67890", 5}}
    };
    size_t need = strlen("{\"a\":{\"b\":1,\"x\":12345},\"c\":2,\"d\":{\"e\":67890}}");

    (void)state;
    for (size_t max = 0; max <= need + 1; max++) {
        struct buf out = BUF_INIT(max + 1);

        assert_true(buf_append(&out, "!", 1));
        assert_int_equal(row_splice(&out, &object, puts, 2), max >= need);
        assert_int_equal(out.len, 1 + (max >= need ? need : 0));
        assert_int_equal(out.data[0], '!');
        buf_release(&out);
    }
}

/* ---- random objects */

static unsigned next_random(unsigned *seed, unsigned below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

static const char *const names[] = {"a", "b", "c", "a.b", "b.c", "a.b.c"};
static const char *const raw_names[] = {"\"a\"",   "\"b\"",         "\"\\u0063\"", "\"a.b\"",
                                        "\"b.c\"", "\"a\\u002Eb\"", "\"\"",        "\"d\""};

static void random_space(unsigned *seed, struct buf *out)
{
    static const char *const spaces[] = {"", "", " ", "\n  "};
    const char *s = spaces[next_random(seed, 4)];

    assert_true(buf_append(out, s, strlen(s)));
}

static void random_value(unsigned *seed, struct buf *out, unsigned depth);

static void random_members(unsigned *seed, struct buf *out, unsigned depth, bool object)
{
    unsigned count = next_random(seed, 5);

    for (unsigned i = 0; i < count; i++) {
        const char *name = raw_names[next_random(seed, ARRAY_LEN(raw_names))];

        assert_true(i == 0 || buf_append(out, ",", 1));
        random_space(seed, out);
        if (object)
            assert_true(buf_printf(out, "%s:", name));
        random_space(seed, out);
        random_value(seed, out, depth - 1);
        random_space(seed, out);
    }
}

static void random_value(unsigned *seed, struct buf *out, unsigned depth)
{
    static const char *const scalars[] = {"1",    "-0.5e7",      "null",
                                          "true", "\"x,}\\\"\"", "\"中\\n\""};
    unsigned kind = depth == 0 ? 0 : next_random(seed, 4);
    const char *scalar = scalars[next_random(seed, ARRAY_LEN(scalars))];

    if (kind < 2) {
        assert_true(buf_append(out, scalar, strlen(scalar)));
        return;
    }
    assert_true(buf_append(out, kind == 2 ? "[" : "{", 1));
    random_members(seed, out, depth, kind == 3);
    assert_true(buf_append(out, kind == 2 ? "]" : "}", 1));
}

static void random_object(unsigned *seed, struct buf *out)
{
    buf_clear(out);
    assert_true(buf_append(out, "{", 1));
    random_members(seed, out, 3, true);
    random_space(seed, out);
    assert_true(buf_append(out, "}", 1));
}

static void random_put(unsigned *seed, struct buf *path, struct buf *json)
{
    unsigned count = 1 + next_random(seed, 3);

    buf_clear(path);
    buf_clear(json);
    for (unsigned i = 0; i < count; i++)
        assert_true(
            buf_printf(path, "%s%s", i > 0 ? "." : "", names[next_random(seed, ARRAY_LEN(names))]));
    random_value(seed, json, 2);
}

/* Every value of @before that no path goes into is in @after with the same bytes, in its place. */
static void check_others(const struct json_value *before, const struct json_value *after,
                         const struct row_put *puts, size_t count)
{
    struct json_iter a = json_iter_begin(before);
    struct json_iter b = json_iter_begin(after);
    struct json_value a_name;
    struct json_value a_value;
    struct json_value b_name;
    struct json_value b_value;

    while (json_iter_next(&a, &a_name, &a_value)) {
        bool touched = false;

        assert_true(json_iter_next(&b, &b_name, &b_value));
        assert_int_equal(a_name.len, b_name.len);
        assert_memory_equal(a_name.text, b_name.text, a_name.len);
        for (size_t i = 0; i < count; i++)
            touched = touched || row_path_match(&a_name, puts[i].path) > 0;
        if (touched)
            continue;
        assert_int_equal(a_value.len, b_value.len);
        assert_memory_equal(a_value.text, b_value.text, a_value.len);
    }
}

static void check_found(const struct json_value *after, const struct row_put *put)
{
    struct json_value found = row_at(after, put->path);

    assert_int_equal(found.len, put->json.len);
    assert_memory_equal(found.text, put->json.p, found.len);
}

/*
 * Of random puts into random objects: the result is JSON, the last value is found again where it
 * was put, what no path touches stays byte for byte, and all at once is one after the other.
 */
static void random_objects_keep_what_is_not_touched(void **state)
{
    struct buf object = BUF_INIT(OUT_MAX);
    struct buf one = BUF_INIT(OUT_MAX);
    struct buf all = BUF_INIT(OUT_MAX);
    struct buf paths[PUTS_MAX];
    struct buf jsons[PUTS_MAX];
    unsigned seed = 7;

    (void)state;
    for (size_t i = 0; i < PUTS_MAX; i++)
        paths[i] = jsons[i] = BUF_INIT(OUT_MAX);
    for (unsigned round = 0; round < 20000; round++) {
        struct row_put puts[PUTS_MAX];
        size_t count = 1 + next_random(&seed, PUTS_MAX);

        random_object(&seed, &object);

        struct json_value before = scan(object.data, object.len);

        for (size_t i = 0; i < count; i++) {
            random_put(&seed, &paths[i], &jsons[i]);
            puts[i] = (struct row_put){
                paths[i].data, {jsons[i].data, jsons[i].len}
            };
        }
        buf_clear(&all);
        assert_true(row_splice(&all, &before, puts, count));

        struct json_value after = scan(all.data, all.len);

        check_found(&after, &puts[count - 1]);
        check_others(&before, &after, puts, count);
        for (size_t i = 0; i < count; i++) {
            struct json_value now = scan(object.data, object.len);

            buf_clear(&one);
            assert_true(row_splice(&one, &now, &puts[i], 1));
            buf_clear(&object);
            assert_true(buf_append(&object, one.data, one.len));
        }
        if (strcmp(object.data, all.data) != 0)
            fail_msg("round %u: one by one %s\nat once %s", round, object.data, all.data);
    }
    buf_release(&object);
    buf_release(&one);
    buf_release(&all);
    for (size_t i = 0; i < PUTS_MAX; i++) {
        buf_release(&paths[i]);
        buf_release(&jsons[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_go_where_their_paths_say),
        cmocka_unit_test(what_is_absent_counts_as_an_empty_object),
        cmocka_unit_test(past_the_limit_nothing_is_appended),
        cmocka_unit_test(random_objects_keep_what_is_not_touched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
