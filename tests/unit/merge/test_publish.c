#include "tests/testlib/unit.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/digest/sha256.h"
#include "common/json/scan.h"
#include "common/merge/publish.h"
#include "tests/unit/merge/world.h"

#define OUT_TEXT \
    "{\"id\":\"r\",\"custom_id\":\"a\",\"response\":{\"status_code\":200},\"error\":null}\n"

struct place {
    struct world world;
    char folder[96], out[128], errors[128], report[128];
};

static const struct report_times times = {1000, 1700000000000, NULL};

static int set_up(void **state)
{
    struct place *p = xcalloc(1, sizeof(*p));
    struct segment_batch batch = {.bid = "b0", .created_ms = 1};
    struct record record =
        world_record(0, 0, 0, OUTCOME_OK, "{\"id\":\"r\",\"response\":{\"status_code\":200}}");
    static const char input[] = "{\"custom_id\":\"a\",\"body\":{}}\n{}\n";
    struct err err = {0};

    world_make(&p->world, 4);
    world_write_input(&p->world, input, sizeof(input) - 1);
    world_segment(&p->world, 0, &batch, "f", 0, &record, 1);
    assert_int_equal(world_merge(&p->world, 0, 1, false, &err), MERGE_DONE);
    (void)snprintf(p->folder, sizeof(p->folder), "%s/results", p->world.path);
    (void)snprintf(p->out, sizeof(p->out), "%s/out.jsonl", p->folder);
    (void)snprintf(p->errors, sizeof(p->errors), "%s/out.errors.jsonl", p->folder);
    (void)snprintf(p->report, sizeof(p->report), "%s/out.report.json", p->folder);
    assert_int_equal(mkdir(p->folder, 0777), 0);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    world_free(&p->world);
    free(p);
    return 0;
}

static bool publish(struct place *p, bool overwrite, bool *adopted, struct err *err)
{
    struct report report = {0};
    bool ok = publish_output(p->world.sink, &p->world.spec, 1, p->out, overwrite, &times, &report,
                             adopted, err);

    report_release(&report);
    return ok;
}

static void must_publish(struct place *p, bool overwrite, bool adopted)
{
    struct err err = {0};
    bool was = !adopted;

    if (!publish(p, overwrite, &was, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(was, adopted);
}

static void assert_file(const char *path, const char *text)
{
    struct buf got = world_read_path(path);

    assert_string_equal(got.data, text);
    buf_release(&got);
}

static int count_entries(const char *path)
{
    DIR *dir = opendir(path);
    int count = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count - 2;
}

static const struct {
    const char *output, *errors, *report; /* NULL: refused */
} names[] = {
    {"out.jsonl",    "out.errors.jsonl",        "out.report.json"       },
    {"/a.b/out",     "/a.b/out.errors.jsonl",   "/a.b/out.report.json"  },
    {"/a.b/x.y.txt", "/a.b/x.y.errors.jsonl",   "/a.b/x.y.report.json"  },
    {"/a/.hidden",   "/a/.hidden.errors.jsonl", "/a/.hidden.report.json"},
    {"结果.jsonl", "结果.errors.jsonl",     "结果.report.json"    },
    {"",             NULL,                      NULL                    },
    {"folder/",      NULL,                      NULL                    },
};

static void companions_are_named_after_the_output(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct publish_paths paths;
        struct err err = {0};

        print_message("  \"%s\"\n", names[i].output);
        assert_int_equal(publish_paths(names[i].output, &paths, &err), names[i].errors != NULL);
        if (names[i].errors == NULL) {
            assert_int_equal(err.kind, ERR_USAGE);
            continue;
        }
        assert_string_equal(paths.out, names[i].output);
        assert_string_equal(paths.errors, names[i].errors);
        assert_string_equal(paths.report, names[i].report);
    }
}

static void three_files_appear_and_nothing_else(void **state)
{
    struct place *p = *state;
    char sha[SHA256_HEX_LEN + 1];
    struct json_value doc;

    must_publish(p, false, false);
    assert_int_equal(count_entries(p->folder), 3);
    assert_file(p->out, OUT_TEXT);
    assert_file(p->errors, "{\"id\":null,\"custom_id\":null,\"response\":null,\"error\":{\"code\":"
                           "\"invalid_request_line\",\"message\":\"line 2: no body\"}}\n");
    struct buf report = world_read_path(p->report);
    assert_true(json_scan(report.data, report.len, &doc, NULL));
    sha256_hex(OUT_TEXT, strlen(OUT_TEXT), sha);
    assert_non_null(strstr(report.data, sha));
    assert_non_null(strstr(report.data, "\"schema\": 1,"));
    assert_non_null(strstr(report.data, "\"ok\": 1,"));
    assert_non_null(strstr(report.data, "\"invalid_request_line\": 1"));
    assert_non_null(strstr(report.data, "\"finished\": \"2023-11-14T22:13:20Z\""));
    assert_non_null(strstr(report.data, "\"total\": \"0.000000000\",")); /* nothing was asked */
    buf_release(&report);
}

static void the_second_time_it_is_adopted(void **state)
{
    struct place *p = *state;
    struct stat before;
    struct stat after;

    must_publish(p, false, false);
    assert_int_equal(stat(p->report, &before), 0);
    must_publish(p, false, true);
    must_publish(p, true, true);
    assert_int_equal(stat(p->report, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

static void a_lost_companion_is_written_again(void **state)
{
    struct place *p = *state;

    must_publish(p, false, false);
    assert_int_equal(remove(p->errors), 0);
    must_publish(p, false, false);
    struct buf errors = world_read_path(p->errors);
    assert_true(errors.len > 0);
    buf_release(&errors);
}

static void a_damaged_companion_is_written_again(void **state)
{
    struct place *p = *state;

    must_publish(p, false, false);
    struct buf errors = world_read_path(p->errors);
    errors.data[3] = 'X';
    world_write_path(p->errors, errors.data, errors.len);
    errors.data[3] = 'd';
    must_publish(p, false, false);
    assert_file(p->errors, errors.data);
    buf_release(&errors);
}

static void somebody_elses_file_is_refused_unless_told_otherwise(void **state)
{
    struct place *p = *state;
    struct err err = {0};

    world_write_path(p->out, "mine\n", 5);
    assert_false(publish_check(p->out, &p->world.spec, false, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_false(publish(p, false, NULL, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_file(p->out, "mine\n");
    assert_true(publish_check(p->out, &p->world.spec, true, NULL));
    must_publish(p, true, false);
    assert_file(p->out, OUT_TEXT);
    assert_int_equal(count_entries(p->folder), 3);
}

static void an_output_that_was_edited_is_not_ours(void **state)
{
    struct place *p = *state;
    struct err err = {0};

    must_publish(p, false, false);
    world_write_path(p->out, "edited\n", 7);
    assert_false(publish(p, false, NULL, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    must_publish(p, true, false);
    assert_file(p->out, OUT_TEXT);
}

static void another_jobs_output_is_not_ours(void **state)
{
    struct place *p = *state;
    struct err err = {0};

    must_publish(p, false, false);
    memcpy(p->world.spec.ji, "zzzzzzzzzzzz", JOB_JI_LEN);
    assert_false(publish_check(p->out, &p->world.spec, false, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
}

static void companions_of_others_are_refused_too(void **state)
{
    struct place *p = *state;
    struct err err = {0};

    world_write_path(p->errors, "notes\n", 6);
    assert_false(publish(p, false, NULL, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_file(p->errors, "notes\n");
    assert_int_equal(count_entries(p->folder), 1);
    assert_int_equal(remove(p->errors), 0);
    world_write_path(p->report, "{}\n", 3);
    assert_false(publish_check(p->out, &p->world.spec, false, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
}

static void bad_places_are_told_before_any_work(void **state)
{
    struct place *p = *state;
    struct err err = {0};
    char path[160];

    (void)snprintf(path, sizeof(path), "%s/not/there.jsonl", p->folder);
    assert_false(publish_check(path, &p->world.spec, true, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_false(publish_check(p->folder, &p->world.spec, true, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    (void)snprintf(path, sizeof(path), "%s/fifo", p->folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(publish_check(path, &p->world.spec, true, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    (void)snprintf(path, sizeof(path), "%s/out", p->world.input); /* below a file */
    assert_false(publish_check(path, &p->world.spec, true, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_true(publish_check(p->out, &p->world.spec, false, NULL));
}

static void an_empty_job_gives_three_files(void **state)
{
    struct place *p = *state;
    struct report report = {0};

    assert_true(publish_output(p->world.sink, &p->world.spec, 0, p->out, false, &times, &report,
                               NULL, NULL));
    report_release(&report);
    assert_file(p->out, "");
    assert_file(p->errors, "");
    assert_int_equal(count_entries(p->folder), 3);
}

static void parts_that_are_not_merged_are_waited_for(void **state)
{
    struct place *p = *state;
    struct report report = {0};
    struct err err = {0};

    assert_false(publish_output(p->world.sink, &p->world.spec, 2, p->out, false, &times, &report,
                                NULL, &err));
    assert_int_equal(err.kind, ERR_TEMPORARY);
    assert_int_equal(count_entries(p->folder), 0);
}

static void a_job_with_many_parts_is_one_file(void **state)
{
    struct place *p = *state;
    struct buf text = BUF_INIT(1 << 20);
    struct buf expected = BUF_INIT(1 << 20);
    struct report report = {0};
    struct err err = {0};

    memcpy(p->world.spec.job, "big", 4);
    p->world.spec.window_lines = 1;
    sink_close(p->world.sink);
    p->world.sink = sink_open(p->world.spec.sink, "big", p->world.spec.ji, true, NULL);
    for (int i = 0; i < 1030; i++) {
        assert_true(buf_printf(&text, "{\"custom_id\":\"%d\"}\n", i));
        assert_true(buf_printf(&expected,
                               "{\"id\":null,\"custom_id\":\"%d\",\"response\":null,\"error\":"
                               "{\"code\":\"invalid_request_line\",\"message\":\"line %d: no "
                               "body\"}}\n",
                               i, i + 1));
    }
    world_write_input(&p->world, text.data, text.len);
    assert_int_equal(world_cut(&p->world), 1030);
    for (uint32_t part = 0; part < 3; part++)
        assert_int_equal(world_merge(&p->world, part, 1030, false, &err), MERGE_DONE);
    assert_true(publish_output(p->world.sink, &p->world.spec, 3, p->out, false, &times, &report,
                               NULL, NULL));
    assert_int_equal(report.requests, 1030);
    assert_file(p->errors, expected.data);
    report_release(&report);
    buf_release(&text);
    buf_release(&expected);
}

#ifdef SHEAF_FAILPOINTS
static int publish_in_child(const char *path)
{
    struct place p = {0};
    struct err err = {0};

    (void)snprintf(p.out, sizeof(p.out), "%s/results/out.jsonl", path);
    memcpy(p.world.spec.job, "job", 4);
    memcpy(p.world.spec.ji, "abc123def456", JOB_JI_LEN + 1);
    (void)snprintf(p.world.spec.sink, sizeof(p.world.spec.sink), "dir:%s/sink", path);
    p.world.sink = sink_open(p.world.spec.sink, "job", p.world.spec.ji, false, NULL);
    bool ok = publish(&p, false, NULL, &err);
    sink_close(p.world.sink);
    if (ok)
        return 0;
    return strstr(err.msg, "out.") != NULL ? 10 + (int)err.kind : 98;
}

static const struct {
    const char *failpoints;
    bool killed;
    int files; /* afterwards */
    int code;
} deaths[] = {
    {"publish.errors:kill",                                true,  1, 0                   },
    {"publish.report:kill",                                true,  2, 0                   },
    {"publish.output:kill",                                true,  3, 0                   },
    {"publish.write:err=ENOSPC",                           false, 0, 10 + ERR_UNAVAILABLE},
    {"publish.fsync:err=EIO@2",                            false, 0, 10 + ERR_UNAVAILABLE},
    {"publish.tmpfile:err=EIO@*",                          false, 3, 0                   },
    {"publish.tmpfile:err=EIO@*,publish.write:err=EDQUOT", false, 0, 10 + ERR_UNAVAILABLE},
};

static void dying_anywhere_leaves_something_that_can_be_finished(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(deaths); i++) {
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
        struct place *p = *state;
        int status = 0;

        print_message("  %s\n", deaths[i].failpoints);
        pid_t pid = fork();
        if (pid == 0) {
            (void)setenv("SHEAF_FP", deaths[i].failpoints, 1);
            (void)execl("/proc/self/exe", "test_publish", "publish", p->world.path, (char *)NULL);
            _exit(99);
        }
        assert_true(waitpid(pid, &status, 0) == pid);
        if (deaths[i].killed)
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        else
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == deaths[i].code);
        assert_int_equal(count_entries(p->folder), deaths[i].files);
        must_publish(p, false, deaths[i].files == 3);
        assert_file(p->out, OUT_TEXT);
        assert_int_equal(count_entries(p->folder), 3);
    }
}
#endif

int main(int argc, char **argv)
{
#ifdef SHEAF_FAILPOINTS
    if (argc == 3 && strcmp(argv[1], "publish") == 0)
        return publish_in_child(argv[2]);
#endif
    (void)argc;
    (void)argv;

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(companions_are_named_after_the_output),
        TEST(three_files_appear_and_nothing_else),
        TEST(the_second_time_it_is_adopted),
        TEST(a_lost_companion_is_written_again),
        TEST(a_damaged_companion_is_written_again),
        TEST(somebody_elses_file_is_refused_unless_told_otherwise),
        TEST(an_output_that_was_edited_is_not_ours),
        TEST(another_jobs_output_is_not_ours),
        TEST(companions_of_others_are_refused_too),
        TEST(bad_places_are_told_before_any_work),
        TEST(an_empty_job_gives_three_files),
        TEST(parts_that_are_not_merged_are_waited_for),
        TEST(a_job_with_many_parts_is_one_file),
#ifdef SHEAF_FAILPOINTS
        TEST(dying_anywhere_leaves_something_that_can_be_finished),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
