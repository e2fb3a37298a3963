#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/buf.h"

static void what_is_appended_is_text_with_a_nul_behind_it(void **state)
{
    struct buf b = BUF_INIT(100);

    (void)state;
    assert_true(buf_append(&b, "abc", 3));
    assert_true(buf_append(&b, "", 0));
    assert_true(buf_printf(&b, "-%d", 42));
    assert_int_equal(b.len, 6);
    assert_string_equal(b.data, "abc-42");
    buf_release(&b);
}

static void an_empty_append_makes_an_empty_text(void **state)
{
    struct buf b = BUF_INIT(10);

    (void)state;
    assert_true(buf_append(&b, NULL, 0));
    assert_string_equal(b.data, "");
    buf_release(&b);
}

static void the_limit_is_exact_and_a_refusal_changes_nothing(void **state)
{
    struct buf b = BUF_INIT(5);

    (void)state;
    assert_true(buf_append(&b, "abc", 3));
    assert_false(buf_append(&b, "def", 3));
    assert_false(buf_printf(&b, "%s", "def"));
    assert_false(buf_reserve(&b, 3));
    assert_int_equal(b.len, 3);
    assert_string_equal(b.data, "abc");
    assert_true(buf_printf(&b, "%s", "de"));
    assert_string_equal(b.data, "abcde");
    assert_false(buf_append(&b, "f", 1));
    assert_true(buf_append(&b, "f", 0));
    buf_release(&b);
}

static void bytes_survive_growth(void **state)
{
    struct buf b = BUF_INIT(1000000);

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        unsigned char byte = (unsigned char)(i % 251);
        assert_true(buf_append(&b, &byte, 1));
    }
    assert_int_equal(b.len, 100000);
    assert_true(b.cap > b.len);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal((unsigned char)b.data[i], i % 251);
    buf_release(&b);
}

static void consuming_takes_from_the_front(void **state)
{
    struct buf b = BUF_INIT(100);

    (void)state;
    buf_consume(&b, 3); /* nothing there yet */
    assert_int_equal(b.len, 0);
    assert_true(buf_append(&b, "line 1\nline 2", 13));
    buf_consume(&b, 7);
    assert_string_equal(b.data, "line 2");
    assert_int_equal(b.len, 6);
    buf_consume(&b, 0);
    assert_int_equal(b.len, 6);
    buf_consume(&b, 7); /* one more than there is */
    assert_int_equal(b.len, 0);
    assert_string_equal(b.data, "");
    buf_release(&b);
}

static void clearing_keeps_the_memory_releasing_keeps_the_limit(void **state)
{
    struct buf b = BUF_INIT(8);

    (void)state;
    buf_clear(&b);
    assert_true(buf_append(&b, "12345678", 8));
    const char *memory = b.data;
    buf_clear(&b);
    assert_ptr_equal(b.data, memory);
    assert_string_equal(b.data, "");
    buf_release(&b);
    assert_null(b.data);
    buf_release(&b);
    assert_false(buf_append(&b, "123456789", 9));
    assert_true(buf_append(&b, "12345678", 8));
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_appended_is_text_with_a_nul_behind_it),
        cmocka_unit_test(an_empty_append_makes_an_empty_text),
        cmocka_unit_test(the_limit_is_exact_and_a_refusal_changes_nothing),
        cmocka_unit_test(bytes_survive_growth),
        cmocka_unit_test(consuming_takes_from_the_front),
        cmocka_unit_test(clearing_keeps_the_memory_releasing_keeps_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
