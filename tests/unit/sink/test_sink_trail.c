#include "tests/testlib/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/xmem.h"
#include "common/sink/sink.h"
#include "common/sink/sink_trail.h"
#include "tests/testlib/scratch.h"

#define JI "abc123def456"

struct fixture {
    char path[SCRATCH_PATH_MAX];
    char url[SCRATCH_PATH_MAX + 8];
    struct sink *sink;
};

/* What a reading saw, one line an entry. */
struct seen {
    size_t count;
    char text[1024];
    int64_t at_ms[8];
    char who[160];
    char at[40];
    int64_t pid;
};

static bool see(const struct sink_trail_entry *e, void *arg, struct err *err)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);

    (void)err;
    assert_true(seen->count < 8);
    (void)snprintf(seen->text + len, sizeof(seen->text) - len, "%s %s\n", e->verb, e->what);
    (void)snprintf(seen->who, sizeof(seen->who), "%s", e->who);
    (void)snprintf(seen->at, sizeof(seen->at), "%s", e->at);
    seen->pid = e->pid;
    seen->at_ms[seen->count++] = e->at_ms;
    return true;
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));

    scratch_make(f->path);
    (void)snprintf(f->url, sizeof(f->url), "dir:%s", f->path);
    f->sink = sink_open(f->url, "job", JI, true, NULL);
    assert_non_null(f->sink);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sink_close(f->sink);
    scratch_remove(f->path);
    free(f);
    return 0;
}

static void put(const struct fixture *f, const char *name, const char *text)
{
    assert_true(sink_publish(f->sink, name, text, strlen(text), NULL, NULL));
}

static void a_job_without_a_trail_has_an_empty_one(void **state)
{
    const struct fixture *f = *state;
    struct seen seen = {0};

    assert_true(sink_trail_read(f->sink, see, &seen, NULL));
    assert_int_equal(seen.count, 0);
}

static void what_was_noted_is_read_again_with_who_and_when(void **state)
{
    const struct fixture *f = *state;
    struct sink_trail_actor actor;
    struct seen seen = {0};
    char who[160];
    int64_t before_ms = clock_unix_ms();

    assert_true(sink_trail_add(f->sink, "pause", "{\"remote\":3}", NULL));
    assert_true(sink_trail_read(f->sink, see, &seen, NULL));
    assert_string_equal(seen.text, "pause {\"remote\":3}\n");
    sink_trail_actor(&actor);
    (void)snprintf(who, sizeof(who), "%s@%s", actor.user, actor.host);
    assert_string_equal(seen.who, who);
    assert_int_equal(seen.pid, getpid());
    assert_true(seen.at_ms[0] >= before_ms && seen.at_ms[0] <= clock_unix_ms());
    assert_int_equal(strlen(seen.at), strlen("2026-11-24T19:20:00.123Z"));
    assert_int_equal(seen.at[23], 'Z');
}

static void entries_of_one_moment_do_not_meet(void **state)
{
    const struct fixture *f = *state;
    struct seen seen = {0};

    for (int i = 0; i < 8; i++)
        assert_true(sink_trail_add(f->sink, "resume", NULL, NULL));
    assert_true(sink_trail_read(f->sink, see, &seen, NULL));
    assert_int_equal(seen.count, 8);
    for (size_t i = 1; i < seen.count; i++)
        assert_true(seen.at_ms[i - 1] <= seen.at_ms[i]);
}

static void the_oldest_is_read_first(void **state)
{
    const struct fixture *f = *state;
    struct seen seen = {0};

    put(f, "trail/1795548000200-bbbbbbbb.json",
        "{\"version\":1,\"at\":\"2026-11-24T19:20:00.200Z\",\"at_ms\":1795548000200,"
        "\"who\":\"a@b\",\"pid\":1,\"verb\":\"second\",\"what\":{}}\n");
    put(f, "trail/1795548000100-zzzzzzzz.json",
        "{\"version\":1,\"at\":\"2026-11-24T19:20:00.100Z\",\"at_ms\":1795548000100,"
        "\"who\":\"a@b\",\"pid\":1,\"verb\":\"first\",\"what\":{\"n\":[1,2]}}\n");
    assert_true(sink_trail_read(f->sink, see, &seen, NULL));
    assert_string_equal(seen.text, "first {\"n\":[1,2]}\nsecond {}\n");
}

static void what_cannot_be_read_is_shown_by_its_name(void **state)
{
    static const char *const texts[] = {
        "",
        "no JSON",
        "[]",
        "{\"version\":1}",
        "{\"version\":2,\"at\":\"x\",\"who\":\"y\",\"verb\":\"z\",\"what\":{}}",
        "{\"version\":1,\"at\":\"x\",\"who\":\"y\",\"verb\":\"z\",\"what\":[]}",
    };
    const struct fixture *f = *state;
    struct seen seen = {0};
    char name[64];

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        (void)snprintf(name, sizeof(name), "trail/179554800010%zu-aaaaaaaa.json", i);
        put(f, name, texts[i]);
    }
    assert_true(sink_trail_read(f->sink, see, &seen, NULL));
    assert_string_equal(seen.text, "? {}\n? {}\n? {}\n? {}\n? {}\n? {}\n");
    assert_string_equal(seen.at, "2026-11-24T19:20:00.105Z");
    assert_int_equal(seen.at_ms[0], 1795548000100);
}

static bool stop(const struct sink_trail_entry *e, void *arg, struct err *err)
{
    struct seen *seen = arg;

    (void)e;
    seen->count++;
    return err_set(err, ERR_USAGE, "enough");
}

static void a_reader_can_stop(void **state)
{
    const struct fixture *f = *state;
    struct seen seen = {0};
    struct err err = {0};

    assert_true(sink_trail_add(f->sink, "pause", NULL, NULL));
    assert_true(sink_trail_add(f->sink, "resume", NULL, NULL));
    assert_false(sink_trail_read(f->sink, stop, &seen, &err));
    assert_int_equal(seen.count, 1);
    assert_int_equal(err.kind, ERR_USAGE);
}

static void what_takes_the_folder_away_is_noted_beside_it(void **state)
{
    const struct fixture *f = *state;
    struct seen seen = {0};
    char ji[JOB_JI_LEN + 1];

    assert_true(sink_publish(f->sink, "job.json", "{}", 2, NULL, NULL));
    assert_true(sink_trail_add_beside(f->url, "purge", "{\"job\":\"job\"}", NULL));
    assert_true(sink_find(f->url, "job", ji, NULL));
    assert_true(sink_trash(f->url, "job", JI, NULL));
    assert_true(sink_empty_trash(f->url, NULL));
    assert_true(sink_trail_read_beside(f->url, see, &seen, NULL));
    assert_string_equal(seen.text, "purge {\"job\":\"job\"}\n");
}

static void a_sink_that_is_not_there_takes_no_note(void **state)
{
    const struct fixture *f = *state;
    char url[SCRATCH_PATH_MAX + 16];
    struct err err = {0};

    (void)snprintf(url, sizeof(url), "%s/none", f->url);
    assert_false(sink_trail_add_beside(url, "purge", NULL, &err));
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_false(sink_trail_add_beside("none", "purge", NULL, &err));
    assert_int_equal(err.kind, ERR_USAGE);
}

static void too_much_is_refused_and_nothing_is_written(void **state)
{
    const struct fixture *f = *state;
    char *what = xcalloc(SINK_TRAIL_MAX, 1);
    struct seen seen = {0};
    struct err err = {0};

    memset(what, ' ', SINK_TRAIL_MAX - 1);
    assert_false(sink_trail_add(f->sink, "pause", what, &err));
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_true(sink_trail_read(f->sink, see, &seen, NULL));
    assert_int_equal(seen.count, 0);
    free(what);
}

static void the_newest_entries_are_put_as_json(void **state)
{
    static const struct {
        size_t max;
        const char *json;
    } cases[] = {
        {0, "[{\"at\":\"1970-01-01T00:00:00.001Z\",\"at_ms\":1,\"who\":\"?\",\"pid\":0,"
            "\"verb\":\"?\",\"what\":{}},"
            "{\"at\":\"then\",\"at_ms\":2,\"who\":\"a\\\"@b\",\"pid\":7,\"verb\":\"pause\","
            "\"what\":{\"n\":[1,2]}}]"},
        {1, "[{\"at\":\"then\",\"at_ms\":2,\"who\":\"a\\\"@b\",\"pid\":7,\"verb\":\"pause\","
            "\"what\":{\"n\":[1,2]}}]"},
    };
    const struct fixture *f = *state;

    put(f, "trail/0000000000001-aaaaaaaa.json", "no JSON");
    put(f, "trail/0000000000002-aaaaaaaa.json",
        "{\"version\":1,\"at\":\"then\",\"at_ms\":2,\"who\":\"a\\\"@b\",\"pid\":7,"
        "\"verb\":\"pause\",\"what\":{\"n\":[1,2]}}");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = BUF_INIT(1024);

        assert_true(sink_trail_put_json(f->sink, cases[i].max, &out, NULL));
        assert_string_equal(out.data, cases[i].json);
        buf_release(&out);
    }
}

static void a_trail_that_does_not_fit_is_an_error(void **state)
{
    const struct fixture *f = *state;
    struct buf out = BUF_INIT(16);
    struct err err = {0};

    assert_true(sink_trail_add(f->sink, "pause", NULL, NULL));
    assert_false(sink_trail_put_json(f->sink, 0, &out, &err));
    assert_int_equal(err.kind, ERR_PERMANENT);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_job_without_a_trail_has_an_empty_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_noted_is_read_again_with_who_and_when, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(entries_of_one_moment_do_not_meet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_oldest_is_read_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_shown_by_its_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_reader_can_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_takes_the_folder_away_is_noted_beside_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_sink_that_is_not_there_takes_no_note, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_much_is_refused_and_nothing_is_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_newest_entries_are_put_as_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_trail_that_does_not_fit_is_an_error, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
