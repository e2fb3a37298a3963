/* Answers by the rules of a file. */
#include "tests/testlib/unit.h"

#include <unistd.h>

#include "common/base/err.h"
#include "simulator/script.h"
#include "simulator/text.h"

static struct script *load(const char *text, struct err *err)
{
    char path[] = "/tmp/sheaf-script-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    struct script *script = script_load(path, err);
    assert_int_equal(unlink(path), 0);
    return script;
}

/* The answer to a user's message; "-" when no rule fits. */
static const char *ask(const struct script *script, uint64_t hash, const char *message,
                       struct buf *out)
{
    char body[512];
    int len = snprintf(body, sizeof(body),
                       "{\"messages\":[{\"role\":\"system\",\"content\":\"S\"},"
                       "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"%s\"}]}]}",
                       message);

    return script_answer(script, hash, body, (size_t)len, out) ? out->data : "-";
}

static void the_first_rule_that_fits_answers(void **state)
{
    struct buf out = TEXT_INIT;
    struct script *s = load("{\"answers\":[{\"find\":[\"one\",\"two\"],\"text\":\"both\"},"
                            "{\"find\":\"one\",\"json\":{\"n\":1}},"
                            "{\"find\":\"S\\nplain\",\"json\":[null,true,1.5,\"好\"]}]}",
                            NULL);

    (void)state;
    assert_non_null(s);
    assert_string_equal(ask(s, 1, "two and one", &out), "both");
    assert_string_equal(ask(s, 1, "only one", &out), "{\"n\":1}");
    assert_string_equal(ask(s, 1, "plain", &out), "[null,true,1.5,\"好\"]");
    assert_string_equal(ask(s, 1, "other", &out), "-");
    assert_false(script_answer(s, 1, "no JSON", 7, &out));
    buf_release(&out);
    script_free(s);
}

static void choices_follow_the_hash(void **state)
{
    struct buf out = TEXT_INIT;
    struct script *s = load("{\"answers\":[{\"json\":{\"a\":{\"$one\":[\"x\",\"y\"]},"
                            "\"n\":{\"$int\":[1,5]},"
                            "\"s\":{\"$some\":[1,2,3,4],\"min\":1,\"max\":2}}}]}",
                            NULL);
    unsigned x = 0, n[6] = {0}, two = 0;

    (void)state;
    for (uint64_t hash = 0; hash < 2000; hash++) {
        char first[128], word, list[8];
        unsigned number;

        (void)snprintf(first, sizeof(first), "%s", ask(s, hash, "q", &out));
        assert_string_equal(ask(s, hash, "q", &out), first);
        assert_int_equal(
            sscanf(first, "{\"a\":\"%c\",\"n\":%u,\"s\":[%7[1-4,]]}", &word, &number, list), 3);
        assert_in_range(number, 1, 5);
        x += word == 'x';
        n[number]++;
        two += strlen(list) == 3;
        assert_true(strlen(list) == 1 || (strlen(list) == 3 && list[0] < list[2]));
    }
    assert_in_range(x, 900, 1100);
    assert_in_range(two, 900, 1100);
    for (size_t i = 1; i < 6; i++)
        assert_in_range(n[i], 320, 480);
    buf_release(&out);
    script_free(s);
}

static void a_pack_gets_an_element_for_each_id(void **state)
{
    struct buf out = TEXT_INIT;
    struct script *s =
        load("{\"answers\":[{\"find\":\"into\",\"each\":\"^## (.+)$\",\"into\":\"label\","
             "\"id\":\"user\",\"json\":\"z\"},"
             "{\"each\":\"^## (.+)$\",\"json\":{\"n\":3}}]}",
             NULL);

    (void)state;
    assert_string_equal(ask(s, 1, "intro ## no\\n## u 1\\ntext\\n## 二\\n", &out),
                        "[{\"id\":\"u 1\",\"n\":3},{\"id\":\"二\",\"n\":3}]");
    assert_string_equal(ask(s, 1, "into\\n## a", &out), "[{\"user\":\"a\",\"label\":\"z\"}]");
    assert_string_equal(ask(s, 1, "nobody", &out), "[]");
    buf_release(&out);
    script_free(s);
}

static void a_file_that_cannot_be_used_is_refused(void **state)
{
    static const struct {
        const char *text, *wanted;
    } bad[] = {
        {"{",                                                      "unexpected"                      },
        {"[]",                                                     "needs {\"answers\": [RULE, ...]}"},
        {"{\"answers\":[]}",                                       "needs {\"answers\""              },
        {"{\"answers\":[1]}",                                      "answers[0]: is no object"        },
        {"{\"answers\":[{}]}",                                     "answers[0]: needs either"        },
        {"{\"answers\":[{\"text\":\"a\",\"json\":1}]}",            "needs either text or json"       },
        {"{\"answers\":[{\"text\":\"a\"},{\"jsn\":1}]}",           "answers[1]: has a member other"  },
        {"{\"answers\":[{\"text\":\"a\",\"find\":[1]}]}",          "find: needs"                     },
        {"{\"answers\":[{\"text\":\"a\",\"find\":[]}]}",           "find: needs"                     },
        {"{\"answers\":[{\"json\":1,\"each\":\"a\"}]}",            "expression with a group"         },
        {"{\"answers\":[{\"json\":1,\"each\":\"(a\"}]}",           "expression with a group"         },
        {"{\"answers\":[{\"text\":\"b\",\"each\":\"(a)\"}]}",      "each: needs json"                },
        {"{\"answers\":[{\"json\":1,\"each\":\"(a)\",\"id\":1}]}", "id, into and each"               },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err err = {0};

        assert_null(load(bad[i].text, &err));
        if (strstr(err.msg, bad[i].wanted) == NULL)
            fail_msg("%s: %s", bad[i].text, err.msg);
        assert_int_equal(err.kind, ERR_USAGE);
    }
    struct err err = {0};
    assert_null(script_load("/no/such/file", &err));
    assert_string_equal(err.msg, "/no/such/file: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_fits_answers),
        cmocka_unit_test(choices_follow_the_hash),
        cmocka_unit_test(a_pack_gets_an_element_for_each_id),
        cmocka_unit_test(a_file_that_cannot_be_used_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
