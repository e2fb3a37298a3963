#include "tests/testlib/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/base/xmem.h"
#include "tests/unit/base/child.h"

static void fresh_memory_is_zero(void **state)
{
    static const char zeros[1000];
    char *p = xcalloc(100, 10);

    (void)state;
    assert_memory_equal(p, zeros, 1000);
    free(p);
}

static void growing_keeps_the_content(void **state)
{
    char *p = xrealloc(NULL, 4, 1);

    (void)state;
    memcpy(p, "abc", 4);
    p = xrealloc(p, 100000, 1);
    assert_string_equal(p, "abc");
    free(p);
}

static void copies_are_whole_or_cut_and_always_end(void **state)
{
    char *whole = xstrdup("Garbe");
    char *cut = xstrndup("Garbe", 3);
    char *none = xstrndup(NULL, 0);

    (void)state;
    assert_string_equal(whole, "Garbe");
    assert_string_equal(cut, "Gar");
    assert_string_equal(none, "");
    assert_null(xstrdup(NULL));
    free(whole);
    free(cut);
    free(none);
}

/* Through a volatile, so that the compiler does not see how absurd it is. */
static volatile size_t half_of_all = SIZE_MAX / 2 + 2;

static void ask_too_much_anew(const char *arg)
{
    (void)arg;
    free(xcalloc(half_of_all, 2));
}

static void ask_to_grow_too_much(const char *arg)
{
    (void)arg;
    free(xrealloc(NULL, half_of_all, 2));
}

/* The sanitizers' allocators end the process in their own way: any death will do. */
static void a_size_that_overflows_ends_the_process(void **state)
{
    char said[4096];

    (void)state;
    int status = child_run(ask_too_much_anew, NULL, said, sizeof(said));
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    status = child_run(ask_to_grow_too_much, NULL, said, sizeof(said));
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(strlen(said) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh_memory_is_zero),
        cmocka_unit_test(growing_keeps_the_content),
        cmocka_unit_test(copies_are_whole_or_cut_and_always_end),
        cmocka_unit_test(a_size_that_overflows_ends_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
