#include "tests/testlib/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "tests/unit/base/child.h"

#ifdef SHEAF_FAILPOINTS

/* Each child is a fresh process to the failpoints: they read SHEAF_FP at the first visit. */
static int with_points(const char *points, void (*fn)(const char *arg), char *said, size_t size)
{
    assert_int_equal(setenv("SHEAF_FP", points, 1), 0);
    int status = child_run(fn, NULL, said, size);
    assert_int_equal(unsetenv("SHEAF_FP"), 0);
    return status;
}

/* Says after each visit what it gave. */
static void visit_a_three_times(const char *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        (void)fprintf(stderr, "%d ", FAILPOINT_ERRNO("a"));
}

static void visit_a_and_b(const char *arg)
{
    (void)arg;
    FAILPOINT("a");
    (void)fprintf(stderr, "between ");
    FAILPOINT("b");
    (void)fprintf(stderr, "behind ");
}

static void visits_fail_when_the_script_says_so(void **state)
{
    static const struct {
        const char *points;
        int visit[3];
    } cases[] = {
        {"",                         {0, 0, 0}               },
        {"a:err=ENOSPC",             {ENOSPC, 0, 0}          },
        {"a:err=EIO@2",              {0, EIO, 0}             },
        {"a:err=EDQUOT@*",           {EDQUOT, EDQUOT, EDQUOT}},
        {"b:err=EIO,a:err=EACCES@3", {0, 0, EACCES}          },
        {"ab:err=EIO@*",             {0, 0, 0}               },
        {"a:err=EIO,a:err=ENOSPC@2", {EIO, ENOSPC, 0}        },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char said[256], expected[64];
        const int *v = cases[i].visit;

        print_message("  %s\n", cases[i].points);
        int status = with_points(cases[i].points, visit_a_three_times, said, sizeof(said));
        (void)snprintf(expected, sizeof(expected), "%d %d %d ", v[0], v[1], v[2]);
        assert_int_equal(status, 0);
        assert_string_equal(said, expected);
    }
}

static void kill_takes_the_process_at_that_place(void **state)
{
    char said[256];

    (void)state;
    int status = with_points("b:kill", visit_a_and_b, said, sizeof(said));
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_string_equal(said, "between ");
}

static void stop_freezes_the_process_at_that_place(void **state)
{
    char said[256];

    (void)state;
    int status = with_points("a:stop", visit_a_and_b, said, sizeof(said));
    assert_true(WIFSTOPPED(status));
    assert_string_equal(said, "");
}

static void delay_waits_and_goes_on(void **state)
{
    char said[256];

    (void)state;
    int64_t start = clock_mono_ms();
    int status = with_points("a:delay=120", visit_a_and_b, said, sizeof(said));
    assert_true(clock_mono_ms() - start >= 120);
    assert_int_equal(status, 0);
    assert_string_equal(said, "between behind ");
}

static void once_means_one_process_of_all_that_share_the_folder(void **state)
{
    char folder[] = "/tmp/sheaf-failpoint-XXXXXX", mark[64], first[64], second[64];

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(setenv("SHEAF_FP_ONCE", folder, 1), 0);
    (void)with_points("a:err=EIO@*", visit_a_three_times, first, sizeof(first));
    (void)with_points("a:err=EIO@*", visit_a_three_times, second, sizeof(second));
    assert_int_equal(unsetenv("SHEAF_FP_ONCE"), 0);
    assert_string_equal(first, "5 0 0 "); /* EIO */
    assert_string_equal(second, "0 0 0 ");

    (void)snprintf(mark, sizeof(mark), "%s/a", folder);
    assert_int_equal(unlink(mark), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void a_script_that_is_wrong_is_told_and_never_ignored(void **state)
{
    static const char *const wrong[] = {"a", "a:err=ENOTHING", "a:explode"};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char said[512];

        print_message("  %s\n", wrong[i]);
        int status = with_points(wrong[i], visit_a_three_times, said, sizeof(said));
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
        assert_non_null(strstr(said, "SHEAF_FP"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visits_fail_when_the_script_says_so),
        cmocka_unit_test(kill_takes_the_process_at_that_place),
        cmocka_unit_test(stop_freezes_the_process_at_that_place),
        cmocka_unit_test(delay_waits_and_goes_on),
        cmocka_unit_test(once_means_one_process_of_all_that_share_the_folder),
        cmocka_unit_test(a_script_that_is_wrong_is_told_and_never_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void visit(const char *arg)
{
    (void)arg;
    FAILPOINT("a");
    (void)fprintf(stderr, "%d", FAILPOINT_ERRNO("a"));
}

static void release_builds_have_no_failpoints(void **state)
{
    char said[64];

    (void)state;
    assert_int_equal(setenv("SHEAF_FP", "a:kill", 1), 0);
    assert_int_equal(child_run(visit, NULL, said, sizeof(said)), 0);
    assert_string_equal(said, "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(release_builds_have_no_failpoints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
