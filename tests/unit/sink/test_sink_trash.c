#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/xmem.h"
#include "common/sink/sink.h"
#include "tests/testlib/scratch.h"

#define JI    "abc123def456"
#define OTHER "def456abc123"

struct fixture {
    char path[SCRATCH_PATH_MAX];
    char url[SCRATCH_PATH_MAX + 8];
};

static void make_job(const struct fixture *f, const char *job, const char *ji)
{
    struct sink *sink = sink_open(f->url, job, ji, true, NULL);

    assert_non_null(sink);
    assert_true(sink_publish(sink, "job.json", "{}", 2, NULL, NULL));
    assert_true(sink_publish(sink, "out/0000001.jsonl", "x\n", 2, NULL, NULL));
    sink_close(sink);
}

static bool has_job(const struct fixture *f, const char *job)
{
    char ji[JOB_JI_LEN + 1];

    return sink_find(f->url, job, ji, NULL);
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));

    scratch_make(f->path);
    (void)snprintf(f->url, sizeof(f->url), "dir:%s", f->path);
    make_job(f, "job", JI);
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

static void what_is_trashed_is_gone_at_once_and_deleted_later(void **state)
{
    const struct fixture *f = *state;
    char path[128];

    assert_true(sink_trash(f->url, "job", JI, NULL));
    assert_false(has_job(f, "job"));
    (void)snprintf(path, sizeof(path), "%s/.trash-job." JI "~/out/0000001.jsonl", f->path);
    assert_int_equal(access(path, F_OK), 0);
    assert_true(sink_empty_trash(f->url, NULL));
    (void)snprintf(path, sizeof(path), "%s/.trash-job." JI "~", f->path);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_true(sink_trash(f->url, "job", JI, NULL)); /* as often as you like */
    assert_true(sink_empty_trash(f->url, NULL));
}

static void the_first_step_can_be_taken_back(void **state)
{
    const struct fixture *f = *state;
    struct err err = {0};

    assert_true(sink_trash(f->url, "job", JI, NULL));
    assert_true(sink_untrash(f->url, "job", JI, NULL));
    assert_true(has_job(f, "job"));
    assert_false(sink_untrash(f->url, "job", JI, &err));
    assert_int_equal(err.kind, ERR_NO_JOB);
}

static void other_jobs_stay_even_one_with_the_name_of_trash(void **state)
{
    const struct fixture *f = *state;

    make_job(f, "job", OTHER);
    make_job(f, ".trash-job", JI);
    make_job(f, ".trash-job~", JI);
    assert_true(sink_trash(f->url, "job", JI, NULL));
    assert_true(sink_empty_trash(f->url, NULL));
    assert_true(has_job(f, "job"));
    assert_true(has_job(f, ".trash-job"));
    assert_true(has_job(f, ".trash-job~"));
}

static void links_are_deleted_and_not_followed(void **state)
{
    const struct fixture *f = *state;
    char precious[128];
    char link[128];

    make_job(f, "precious", OTHER);
    (void)snprintf(precious, sizeof(precious), "%s/precious." OTHER, f->path);
    (void)snprintf(link, sizeof(link), "%s/job." JI "/out/link", f->path);
    assert_int_equal(symlink(precious, link), 0);
    assert_true(sink_trash(f->url, "job", JI, NULL));
    assert_true(sink_empty_trash(f->url, NULL));
    assert_true(has_job(f, "precious"));
}

static void a_sink_that_is_not_there_is_no_success(void **state)
{
    struct err err = {0};

    (void)state;
    assert_false(sink_trash("dir:/nowhere/at/all", "job", JI, &err));
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_false(sink_trash("s3:bucket", "job", JI, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_true(sink_empty_trash("dir:/nowhere/at/all", NULL));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_trashed_is_gone_at_once_and_deleted_later),
        TEST(the_first_step_can_be_taken_back),
        TEST(other_jobs_stay_even_one_with_the_name_of_trash),
        TEST(links_are_deleted_and_not_followed),
        TEST(a_sink_that_is_not_there_is_no_success),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
