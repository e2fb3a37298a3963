#include "tests/testlib/unit.h"

#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/clock.h"
#include "common/loop/loop.h"

struct trace {
    struct event_base *base;
    struct loop_timer *timer;
    int runs;
    int signo;
    bool inside;
};

static int set_up(void **state)
{
    static struct trace trace;

    trace = (struct trace){.base = loop_new()};
    *state = &trace;
    return 0;
}

static int tear_down(void **state)
{
    struct trace *t = *state;

    loop_timer_free(t->timer);
    loop_free(t->base);
    return 0;
}

static void count(void *arg)
{
    struct trace *t = arg;

    assert_false(t->inside);
    t->runs++;
}

static void later_runs_once_and_never_inside_the_call(void **state)
{
    struct trace *t = *state;

    t->inside = true;
    loop_later(t->base, count, t);
    t->inside = false;
    assert_int_equal(t->runs, 0);
    event_base_dispatch(t->base);
    assert_int_equal(t->runs, 1);
}

static void what_is_left_runs_when_the_loop_is_freed(void **state)
{
    struct trace *t = *state;

    loop_later(t->base, count, t);
    loop_free(t->base);
    t->base = NULL;
    assert_int_equal(t->runs, 1);
}

static void a_timer_runs_once_after_its_time(void **state)
{
    struct trace *t = *state;
    int64_t start_ms = clock_mono_ms();

    t->timer = loop_timer_new(t->base, count, t);
    loop_timer_set(t->timer, 5000);
    loop_timer_set(t->timer, 30);
    event_base_dispatch(t->base);
    assert_int_equal(t->runs, 1);
    assert_in_range(clock_mono_ms() - start_ms, 25, 3000);
}

static void a_stopped_timer_does_not_run_and_can_be_set_again(void **state)
{
    struct trace *t = *state;

    t->timer = loop_timer_new(t->base, count, t);
    loop_timer_set(t->timer, -1);
    loop_timer_stop(t->timer);
    event_base_dispatch(t->base);
    assert_int_equal(t->runs, 0);
    loop_timer_set(t->timer, -1);
    event_base_dispatch(t->base);
    assert_int_equal(t->runs, 1);
}

static void free_itself(void *arg)
{
    struct trace *t = arg;

    loop_timer_free(t->timer);
    t->timer = NULL;
    t->runs++;
}

static void a_timer_may_free_itself(void **state)
{
    struct trace *t = *state;

    t->timer = loop_timer_new(t->base, free_itself, t);
    loop_timer_set(t->timer, 0);
    event_base_dispatch(t->base);
    assert_int_equal(t->runs, 1);
}

static void set_itself_twice(void *arg)
{
    struct trace *t = arg;

    if (++t->runs < 3)
        loop_timer_set(t->timer, 0);
}

static void a_timer_may_set_itself(void **state)
{
    struct trace *t = *state;

    t->timer = loop_timer_new(t->base, set_itself_twice, t);
    loop_timer_set(t->timer, 0);
    event_base_dispatch(t->base);
    assert_int_equal(t->runs, 3);
}

static void on_signal(int signo, void *arg)
{
    struct trace *t = arg;

    t->signo = signo;
    event_base_loopbreak(t->base);
}

static void both_signals_are_told(void **state)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    struct trace *t = *state;
    struct loop_signals *signals = loop_signals_new(t->base, on_signal, t);

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        kill(getpid(), numbers[i]);
        event_base_dispatch(t->base);
        assert_int_equal(t->signo, numbers[i]);
    }
    loop_signals_free(signals);
}

static void a_broken_pipe_does_not_kill_us(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1);
    close(ends[1]);
}

static void nothing_is_freed_without_complaint(void **state)
{
    (void)state;
    loop_timer_free(NULL);
    loop_signals_free(NULL);
    loop_free(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(later_runs_once_and_never_inside_the_call, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_left_runs_when_the_loop_is_freed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_timer_runs_once_after_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stopped_timer_does_not_run_and_can_be_set_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_timer_may_free_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timer_may_set_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(both_signals_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_pipe_does_not_kill_us, set_up, tear_down),
        cmocka_unit_test(nothing_is_freed_without_complaint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
