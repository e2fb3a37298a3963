#include "tests/testlib/unit.h"

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/children.h"
#include "cli/supervisor.h"
#include "common/base/clock.h"
#include "common/loop/loop.h"

struct fixture {
    struct event_base *base;
    struct supervisor *supervisor;
    int log_fd;
    unsigned exits;
    unsigned wanted; /* exits after which the loop stops */
    int last_status;
    bool again;
};

static bool on_exit_of(const char *name, int status, void *arg)
{
    struct fixture *f = arg;

    (void)name;
    f->last_status = status;
    if (++f->exits >= f->wanted)
        (void)event_base_loopbreak(f->base);
    return f->again;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char path[] = "/tmp/sheaf-test-XXXXXX";

    f->base = loop_new();
    f->log_fd = mkostemp(path, O_APPEND | O_CLOEXEC);
    (void)unlink(path);
    f->supervisor = supervisor_new(f->base, f->log_fd);
    f->again = true;
    supervisor_on_exit(f->supervisor, on_exit_of, f);
    *state = f;
    return f->log_fd < 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    supervisor_free(f->supervisor);
    (void)close(f->log_fd);
    loop_free(f->base);
    free(f);
    return 0;
}

static void start(struct fixture *f, const char *script)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    struct err err = {0};

    assert_true(supervisor_start(f->supervisor, "child", argv, &err));
}

static void run_until(struct fixture *f, unsigned exits)
{
    f->wanted = exits;
    if (f->exits < exits)
        (void)event_base_dispatch(f->base);
}

static void what_dies_is_started_again_at_once_then_later(void **state)
{
    struct fixture *f = *state;
    int64_t begin_ms = clock_mono_ms();

    start(f, "kill -9 $$");
    run_until(f, 3);
    int64_t took_ms = clock_mono_ms() - begin_ms;
    assert_true(WIFSIGNALED(f->last_status));
    assert_true(took_ms >= 250);
    assert_true(took_ms < 5000);
    struct run_failure failure = supervisor_failure(f->supervisor);
    assert_string_equal(failure.name, "child");
    assert_int_equal(failure.code, -9);
}

static void a_refusal_is_kept_with_its_last_words(void **state)
{
    struct fixture *f = *state;

    f->again = false;
    start(f, "echo 'ts=1 ev=failed' >&2; echo 'sh: the input is another one' >&2; exit 12");
    run_until(f, 1);
    struct run_failure failure = supervisor_failure(f->supervisor);
    assert_int_equal(failure.code, 12);
    assert_int_equal(failure.deaths, 1);
    assert_string_equal(failure.said, "the input is another one");
}

static void what_has_done_its_work_is_no_failure_and_can_run_once_more(void **state)
{
    struct fixture *f = *state;

    f->again = false;
    start(f, "exit 0");
    run_until(f, 1);
    assert_null(supervisor_failure(f->supervisor).name);
    supervisor_again(f->supervisor, "child");
    run_until(f, 2);
    assert_int_equal(f->exits, 2);
}

static void a_program_that_is_not_there_is_said_by_name(void **state)
{
    struct fixture *f = *state;
    const char *argv[] = {"/nowhere/sheaf-worker", NULL};
    struct err err = {0};

    assert_false(supervisor_start(f->supervisor, "w", argv, &err));
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_non_null(strstr(err.msg, "/nowhere/sheaf-worker"));
}

static void what_does_not_hear_sigterm_is_killed_and_the_spared_one_lives(void **state)
{
    struct fixture *f = *state;
    const char *deaf[] = {"sh", "-c", "trap '' TERM; while :; do sleep 0.05; done", NULL};
    const char *spared[] = {"sleep", "60", NULL};
    struct err err = {0};
    static const struct timespec moment = {.tv_nsec = 200000000};
    int64_t begin_ms = clock_mono_ms();

    assert_true(supervisor_start(f->supervisor, "deaf", deaf, &err));
    assert_true(supervisor_start(f->supervisor, "spared", spared, &err));
    (void)nanosleep(&moment, NULL);
    supervisor_stop(f->supervisor, "spared", 300);
    int64_t took_ms = clock_mono_ms() - begin_ms;
    assert_true(took_ms >= 500);
    assert_true(took_ms < 5000);
    assert_int_equal(f->exits, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* one is alive */
    supervisor_stop(f->supervisor, NULL, 5000);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void children_see_no_interrupt_from_the_terminal(void **state)
{
    struct fixture *f = *state;

    f->again = false;
    start(f, "kill -INT $$; exit 7");
    run_until(f, 1);
    assert_true(WIFEXITED(f->last_status));
    assert_int_equal(WEXITSTATUS(f->last_status), 7);
}

static void after_a_stop_that_spares_one_more_can_be_started(void **state)
{
    struct fixture *f = *state;
    const char *spared[] = {"sh", "-c", "exec sleep 60", NULL};
    struct err err = {0};

    f->again = false;
    assert_true(supervisor_start(f->supervisor, "spared", spared, &err));
    start(f, "exec sleep 60");
    supervisor_stop(f->supervisor, "spared", 5000);
    assert_int_equal(f->exits, 0);
    start(f, "exit 7"); /* of the same name as the one that was ended */
    run_until(f, 1);
    assert_int_equal(WEXITSTATUS(f->last_status), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_dies_is_started_again_at_once_then_later, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_is_kept_with_its_last_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_done_its_work_is_no_failure_and_can_run_once_more,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_program_that_is_not_there_is_said_by_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            what_does_not_hear_sigterm_is_killed_and_the_spared_one_lives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(children_see_no_interrupt_from_the_terminal, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(after_a_stop_that_spares_one_more_can_be_started, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("supervisor", tests, NULL, NULL);
}
