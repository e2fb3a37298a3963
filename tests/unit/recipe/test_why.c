#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/json/scan.h"
#include "common/recipe/why.h"

static void long_words_end_with_a_whole_character(void **state)
{
    static const char *const characters[] = {"x", "é", "情", "😀"};
    char text[2000];
    char why[WHY_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(characters); i++) {
        for (size_t shift = 0; shift < 5; shift++) {
            size_t size = strlen(characters[i]);
            struct json_value value;
            size_t len = 0;

            (void)snprintf(text, sizeof(text), "%.*s", (int)shift, "aaaaa");
            for (size_t n = 0; n < 300; n++)
                memcpy(text + shift + n * size, characters[i], size + 1);
            assert_false(why_set(why, "%s", text));
            len = strlen(why);
            assert_true(len < WHY_MAX && len + size >= WHY_MAX); /* as much as fits */
            assert_memory_equal(why, text, len);
            assert_int_equal((len - shift) % size, 0);

            struct buf json = BUF_INIT(4096); /* what is not UTF-8 would become U+FFFD */

            assert_true(json_string_encode(&json, why, len));
            assert_int_equal(json.len, len + 2);
            assert_true(json_scan(json.data, json.len, &value, NULL));
            buf_release(&json);
        }
    }
}

static void words_are_one_line(void **state)
{
    char why[WHY_MAX];

    (void)state;
    assert_false(why_set(why, "a\nb\tc\x7F%c", 1));
    assert_string_equal(why, "a?b?c??");
    assert_false(why_wrap(why, "what"));
    assert_string_equal(why, "what: a?b?c??");
}

static void nobody_has_to_ask(void **state)
{
    (void)state;
    assert_false(why_set(NULL, "%d", 1));
    assert_false(why_wrap(NULL, "what"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_words_end_with_a_whole_character),
        cmocka_unit_test(words_are_one_line),
        cmocka_unit_test(nobody_has_to_ask),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
