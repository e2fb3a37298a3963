#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/trail.h"
#include "common/base/xmem.h"
#include "common/sink/sink.h"
#include "common/sink/sink_trail.h"
#include "tests/testlib/scratch.h"

struct fixture {
    char path[SCRATCH_PATH_MAX];
    struct job_spec spec;
};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));

    scratch_make(f->path);
    (void)snprintf(f->spec.sink, sizeof(f->spec.sink), "dir:%s", f->path);
    (void)snprintf(f->spec.job, sizeof(f->spec.job), "job");
    (void)snprintf(f->spec.ji, sizeof(f->spec.ji), "abc123def456");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    scratch_remove(f->path);
    free(f);
    return 0;
}

static bool take(const struct sink_trail_entry *e, void *arg, struct err *err)
{
    (void)err;
    (void)snprintf(arg, 256, "%s %s", e->verb, e->what);
    return true;
}

static void what_is_put_is_what_is_noted(void **state)
{
    struct fixture *f = *state;
    struct buf what = BUF_INIT(TRAIL_WHAT_MAX);
    struct sink *sink = sink_open(f->spec.sink, f->spec.job, f->spec.ji, true, NULL);
    char seen[256] = "";

    assert_non_null(sink);
    trail_put_text(&what, "code", "a \"b\"\n");
    trail_put_text(&what, "shard", NULL);
    trail_put_text(&what, "hold", "");
    trail_put_count(&what, "rows", UINT64_MAX);
    assert_true(trail_note(&f->spec, "resubmit", &what, NULL));
    assert_true(sink_trail_read(sink, take, seen, NULL));
    assert_string_equal(seen, "resubmit {\"code\":\"a \\\"b\\\"\\n\",\"shard\":null,\"hold\":null,"
                              "\"rows\":18446744073709551615}");
    sink_close(sink);
    buf_release(&what);
}

static void nothing_to_say_is_fine(void **state)
{
    struct fixture *f = *state;
    struct buf empty = BUF_INIT(TRAIL_WHAT_MAX);
    char seen[256] = "";

    assert_true(trail_note_beside(&f->spec, "purge", &empty, NULL));
    assert_true(trail_note_beside(&f->spec, "purge", NULL, NULL));
    assert_true(sink_trail_read_beside(f->spec.sink, take, seen, NULL));
    assert_string_equal(seen, "purge {}");
}

static void a_member_that_does_not_fit_is_left_out_whole(void **state)
{
    struct buf what = BUF_INIT(24);

    (void)state;
    trail_put_count(&what, "n", 1);
    trail_put_text(&what, "long", "a text that is longer than the room");
    trail_put_text(&what, "s", "x");
    assert_string_equal(what.data, "\"n\":1,\"s\":\"x\"");
    buf_release(&what);
}

static void without_the_folder_nothing_may_be_done(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};

    assert_false(trail_note(&f->spec, "pause", NULL, &err));
    assert_int_equal(err.kind, ERR_UNAVAILABLE); /* the job is there: its folder is not */
    assert_non_null(strstr(err.msg, "nothing was changed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_put_is_what_is_noted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_to_say_is_fine, set_up, tear_down),
        cmocka_unit_test(a_member_that_does_not_fit_is_left_out_whole),
        cmocka_unit_test_setup_teardown(without_the_folder_nothing_may_be_done, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("trail", tests, NULL, NULL);
}
