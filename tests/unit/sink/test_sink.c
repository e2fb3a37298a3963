#include "tests/testlib/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"
#include "tests/testlib/scratch.h"

#define JI "abc123def456"

struct fixture {
    char path[SCRATCH_PATH_MAX];
    char url[SCRATCH_PATH_MAX + 8];
    struct sink *sink;
};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));

    scratch_make(f->path);
    (void)snprintf(f->url, sizeof(f->url), "dir:%s", f->path);
    f->sink = sink_open(f->url, "job", JI, true, NULL);
    *state = f;
    return f->sink == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sink_close(f->sink);
    scratch_remove(f->path);
    free(f);
    return 0;
}

static void assert_content(struct sink *sink, const char *name, const char *text)
{
    struct buf out = BUF_INIT(1 << 20);

    assert_true(sink_read(sink, name, &out, NULL));
    assert_int_equal(out.len, strlen(text));
    assert_memory_equal(out.len == 0 ? "" : out.data, text, out.len);
    buf_release(&out);
}

/* Files below @path, dot-names included. */
static int count_files(const char *path)
{
    char command[128];
    int count = -1;

    (void)snprintf(command, sizeof(command), "find %s -type f | wc -l", path);
    FILE *pipe = popen(command, "r"); /* NOLINT(cert-env33-c) */
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%d", &count), 1); /* NOLINT(cert-err34-c) */
    (void)pclose(pipe);
    return count;
}

static void the_first_writer_wins(void **state)
{
    struct fixture *f = *state;
    bool existed = true;

    assert_true(sink_publish(f->sink, "part-0000001/a.seg", "one", 3, &existed, NULL));
    assert_false(existed);
    assert_true(sink_publish(f->sink, "part-0000001/a.seg", "two", 3, &existed, NULL));
    assert_true(existed);
    assert_content(f->sink, "part-0000001/a.seg", "one");
}

static void nothing_is_seen_before_the_commit(void **state)
{
    struct fixture *f = *state;
    struct sink_writer *w = sink_begin(f->sink, "x", NULL);
    bool exists = true;

    assert_non_null(w);
    assert_true(sink_write(w, "abc", 3, NULL));
    assert_true(sink_exists(f->sink, "x", &exists, NULL));
    assert_false(exists);
    sink_abort(w);
    assert_true(sink_exists(f->sink, "x", &exists, NULL));
    assert_false(exists);
    assert_int_equal(count_files(f->path), 0);
}

static void large_files_are_written_in_order(void **state)
{
    struct fixture *f = *state;
    struct sink_writer *w = sink_begin(f->sink, "big", NULL);
    size_t size = 300000;
    char *piece = xcalloc(size, 1);
    struct buf out = BUF_INIT(64u << 20);
    size_t total = 0;

    assert_non_null(w);
    for (size_t i = 0; i < size; i++)
        piece[i] = (char)(i % 251);
    for (size_t n = 1; total < (24u << 20); n = n * 3 % size + 1) {
        assert_true(sink_write(w, piece, n, NULL));
        total += n;
    }
    assert_true(sink_commit(w, NULL, NULL));
    assert_true(sink_read(f->sink, "big", &out, NULL));
    assert_int_equal(out.len, total);
    size_t at = 0;
    for (size_t n = 1; at < total; n = n * 3 % size + 1) {
        assert_int_equal(memcmp(out.data + at, piece, n), 0);
        at += n;
    }
    free(piece);
    buf_release(&out);
}

static void reading_what_is_not_there_says_so(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};

    assert_int_equal(sink_open_read(f->sink, "rep/0000001.json", &err), -1);
    assert_int_equal(err.kind, ERR_PERMANENT);
    assert_non_null(strstr(err.msg, "rep/0000001.json"));
}

static void reading_stops_at_the_limit(void **state)
{
    struct fixture *f = *state;
    struct buf out = BUF_INIT(2);
    struct err err = {0};

    assert_true(sink_publish(f->sink, "x", "abc", 3, NULL, NULL));
    assert_false(sink_read(f->sink, "x", &out, &err));
    assert_int_equal(err.kind, ERR_PERMANENT);
    buf_release(&out);
}

static bool join_names(const char *name, void *arg, struct err *err)
{
    (void)err;
    return buf_printf(arg, "%s ", name);
}

static bool refuse(const char *name, void *arg, struct err *err)
{
    ++*(int *)arg;
    return err_set(err, ERR_INTERNAL, "no %s", name);
}

static void lists_are_sorted_and_leave_dot_names_out(void **state)
{
    struct fixture *f = *state;
    struct buf out = BUF_INIT(1000);
    char name[LAYOUT_NAME_MAX];
    struct err err = {0};
    int calls = 0;

    assert_true(sink_list(f->sink, "ids", join_names, &out, NULL));
    assert_int_equal(out.len, 0); /* a folder that is not there is empty */
    for (uint32_t i = 12; i > 8; i--)
        assert_true(sink_publish(f->sink, layout_ids(name, i), "", 0, NULL, NULL));
    assert_true(sink_publish(f->sink, "ids/.tmp-1", "", 0, NULL, NULL));
    assert_true(sink_list(f->sink, "ids", join_names, &out, NULL));
    assert_string_equal(out.data, "0000009 0000010 0000011 0000012 ");
    assert_false(sink_list(f->sink, "ids", refuse, &calls, &err));
    assert_int_equal(calls, 1);
    assert_string_equal(err.msg, "no 0000009");
    buf_release(&out);
}

static void a_job_is_found_by_its_document(void **state)
{
    struct fixture *f = *state;
    char ji[JOB_JI_LEN + 1];
    struct err err = {0};

    assert_false(sink_find(f->url, "job", ji, &err)); /* a folder, but no job.json */
    assert_int_equal(err.kind, ERR_NO_JOB);
    assert_true(sink_publish(f->sink, LAYOUT_JOB, "{}", 2, NULL, NULL));
    assert_true(sink_find(f->url, "job", ji, NULL));
    assert_string_equal(ji, JI);

    /* "job.x" is another job's name, its folder starts alike */
    struct sink *other = sink_open(f->url, "job.x", "zzzzzzzzzzzz", true, NULL);
    assert_true(sink_publish(other, LAYOUT_JOB, "{}", 2, NULL, NULL));
    sink_close(other);
    assert_true(sink_find(f->url, "job", ji, NULL));
    assert_true(sink_find(f->url, "job.x", ji, NULL));
    assert_string_equal(ji, "zzzzzzzzzzzz");

    other = sink_open(f->url, "job", "000000000000", true, NULL);
    assert_true(sink_publish(other, LAYOUT_JOB, "{}", 2, NULL, NULL));
    sink_close(other);
    assert_false(sink_find(f->url, "job", ji, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_false(sink_find("dir:/nowhere/at/all", "job", ji, &err));
    assert_int_equal(err.kind, ERR_NO_JOB);
}

static void opening_makes_folders_only_when_asked(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct err err = {0};

    (void)snprintf(url, sizeof(url), "%s/deep/er/", f->url);
    assert_null(sink_open(url, "j", JI, false, &err));
    assert_int_equal(err.kind, ERR_NO_JOB);
    struct sink *sink = sink_open(url, "j", JI, true, NULL);
    assert_non_null(sink);
    sink_close(sink);
    sink = sink_open(url, "j", JI, false, NULL);
    assert_non_null(sink);
    sink_close(sink);
}

static void bad_addresses_are_refused(void **state)
{
    static const char *const urls[] = {"", "dir:", "dir:relative", "s3://x", "/abs"};
    struct fixture *f = *state;
    struct err err = {0};

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        assert_false(sink_check_url(urls[i], &err));
        assert_int_equal(err.kind, ERR_USAGE);
    }
    assert_true(sink_check_url(f->url, NULL));
    assert_null(sink_open(f->url, "a/b", JI, true, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_null(sink_open(f->url, "j", "../../../../", true, &err));
    assert_int_equal(err.kind, ERR_USAGE);
}

static void a_temporary_file_has_no_name(void **state)
{
    struct fixture *f = *state;
    int fd = sink_temporary(f->sink, NULL);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(count_files(f->path), 0);
    (void)close(fd);
}

static void layout_names_are_stable(void **state)
{
    char a[LAYOUT_NAME_MAX];

    (void)state;
    assert_string_equal(layout_index(a, 3), "idx/0000003");
    assert_string_equal(layout_ids(a, 123), "ids/0000123");
    assert_string_equal(layout_part(a, 4000000000u), "part-4000000000");
    assert_string_equal(layout_end(a, 1, "0123456789abcdef"), "part-0000001/0123456789abcdef.end");
    assert_string_equal(layout_out(a, 1, 0), "out/0000001.jsonl");
    assert_string_equal(layout_dead(a, 1, 0), "dead/0000001.jsonl");
    assert_string_equal(layout_report(a, 1, 0), "rep/0000001.json");
    assert_string_equal(layout_inputs(a, 1, 0), "in/0000001.json");
    assert_string_equal(layout_segment(a, 2, "../file-A", 4194304),
                        "part-0000002/67464ba3352ab051d41f6df90bb33ac4.0000004194304.seg");
}

#ifdef SHEAF_FAILPOINTS
/* Another process writes @name into the sink with failpoints set; returns its wait status. */
static int write_with(const struct fixture *f, const char *failpoints)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)setenv("SHEAF_FP", failpoints, 1);
        (void)execl("/proc/self/exe", "test_sink", "write", f->url, (char *)NULL);
        _exit(99);
    }
    int status = 0;
    assert_true(waitpid(pid, &status, 0) == pid);
    return status;
}

/* The other process: 0 written, 1 existed, else the kind of the error. */
static int write_one(const char *url)
{
    struct err err = {0};
    bool existed = false;
    struct sink *sink = sink_open(url, "job", JI, true, &err);

    if (sink != NULL && sink_publish(sink, "part-0000001/a.seg", "right", 5, &existed, &err)) {
        sink_close(sink);
        return existed ? 1 : 0;
    }
    sink_close(sink);
    return strstr(err.msg, "part-0000001/a.seg") != NULL ? 10 + (int)err.kind : 98;
}

static const struct {
    const char *failpoints;
    bool killed, visible;
    int code;
    int litter; /* nameless files leave none */
} deaths[] = {
    {"sink.link:kill",                          true,  false, 0,                    0},
    {"sink.linked:kill",                        true,  true,  0,                    0},
    {"sink.tmpfile:err=EIO,sink.link:kill",     true,  false, 0,                    1},
    {"sink.tmpfile:err=EIO",                    false, true,  0,                    0},
    {"sink.write:err=ENOSPC",                   false, false, 10 + ERR_UNAVAILABLE, 0},
    {"sink.write:err=EDQUOT",                   false, false, 10 + ERR_UNAVAILABLE, 0},
    {"sink.fsync:err=EIO",                      false, false, 10 + ERR_UNAVAILABLE, 0},
    {"sink.tmpfile:err=EIO,sink.fsync:err=EIO", false, false, 10 + ERR_UNAVAILABLE, 0},
};

static void a_file_is_whole_or_not_there_whatever_happens(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(deaths); i++) {
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
        struct fixture *f = *state;
        bool exists;

        print_message("  %s\n", deaths[i].failpoints);
        int status = write_with(f, deaths[i].failpoints);
        if (deaths[i].killed)
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        else
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == deaths[i].code);
        assert_true(sink_exists(f->sink, "part-0000001/a.seg", &exists, NULL));
        assert_int_equal(exists, deaths[i].visible);
        assert_int_equal(count_files(f->path), deaths[i].visible + deaths[i].litter);

        /* and the next one succeeds, or adopts */
        status = write_with(f, "");
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == deaths[i].visible);
        assert_content(f->sink, "part-0000001/a.seg", "right");
    }
}
#endif

int main(int argc, char **argv)
{
#ifdef SHEAF_FAILPOINTS
    if (argc == 3 && strcmp(argv[1], "write") == 0)
        return write_one(argv[2]);
#endif
    (void)argc;
    (void)argv;

    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_writer_wins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_seen_before_the_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_files_are_written_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reading_what_is_not_there_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reading_stops_at_the_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_are_sorted_and_leave_dot_names_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_job_is_found_by_its_document, set_up, tear_down),
        cmocka_unit_test_setup_teardown(opening_makes_folders_only_when_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_addresses_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_temporary_file_has_no_name, set_up, tear_down),
        cmocka_unit_test(layout_names_are_stable),
#ifdef SHEAF_FAILPOINTS
        cmocka_unit_test_setup_teardown(a_file_is_whole_or_not_there_whatever_happens, set_up,
                                        tear_down),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
