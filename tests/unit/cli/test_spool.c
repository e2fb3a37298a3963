#include "tests/testlib/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/spool.h"

static char folder[64];

static char *at(const char *name)
{
    char *path = NULL;

    assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
    return path;
}

static void put(const char *name, const char *text)
{
    char *path = at(name);
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    (void)fputs(text, f);
    assert_int_equal(fclose(f), 0);
    free(path);
}

/* gzip of @text in @name, by the real program. */
static void put_gzip(const char *name, const char *text)
{
    char command[512];

    (void)snprintf(command, sizeof(command), "printf '%s' | gzip -c >%s/%s", text, folder, name);
    assert_int_equal(system(command), 0); /* NOLINT(concurrency-mt-unsafe) */
}

static void assert_holds(const char *path, const char *want)
{
    char text[256] = "";
    FILE *f = fopen(path, "re");

    assert_non_null(f);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    (void)fclose(f);
    assert_string_equal(text, want);
}

static bool spool(const char *name, bool opened, char path[4096], struct err *err)
{
    char *input = at(name);
    bool ok = spool_make(input, folder, "job", opened, path, err);

    free(input);
    return ok;
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/sheaf-test-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command); /* NOLINT(concurrency-mt-unsafe) */
}

static void only_what_cannot_be_read_at_an_offset_is_spooled(void **state)
{
    bool needed = true;
    struct err err = {0};
    char *plain = at("a.jsonl");
    char *gz = at("a.jsonl.gz");
    char *fifo = at("pipe");
    char *none = at("none");

    (void)state;
    put("a.jsonl", "{}\n");
    put_gzip("a.jsonl.gz", "{}\\n");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_true(spool_is_needed(plain, &needed, &err));
    assert_false(needed);
    assert_true(spool_is_needed(gz, &needed, &err));
    assert_true(needed);
    needed = false;
    assert_true(spool_is_needed(fifo, &needed, &err)); /* does not open it: that would block */
    assert_true(needed);
    assert_true(spool_is_needed("-", &needed, &err));
    assert_true(needed);
    assert_false(spool_is_needed(none, &needed, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    free(plain);
    free(gz);
    free(fifo);
    free(none);
}

static void the_spool_of_an_opened_job_is_never_replaced(void **state)
{
    char path[4096];
    struct err err = {0};

    (void)state;
    put_gzip("b.gz", "one\\n");
    assert_true(spool("b.gz", false, path, &err));
    assert_holds(path, "one\n");
    put_gzip("b.gz", "one\\n"); /* another time, the same content */
    assert_true(spool("b.gz", true, path, &err));
    assert_holds(path, "one\n");
    put_gzip("b.gz", "two, longer\\n");
    assert_false(spool("b.gz", true, path, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_holds(path, "one\n");
    assert_true(spool("b.gz", false, path, &err)); /* killed before the job was opened */
    assert_holds(path, "two, longer\n");
}

static void an_unfinished_spool_is_made_anew(void **state)
{
    char path[4096];
    struct err err = {0};

    (void)state;
    put_gzip("c.gz", "whole\\n");
    put("job.jsonl.part", "wh");
    assert_true(spool("c.gz", false, path, &err));
    assert_holds(path, "whole\n");
}

static void a_broken_archive_leaves_no_spool(void **state)
{
    char path[4096];
    struct err err = {0};
    char *data = at("job.jsonl");

    (void)state;
    put("d.gz", "no gzip at all");
    assert_false(spool("d.gz", false, path, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_int_equal(access(data, F_OK), -1);
    free(data);
}

static void nothing_on_standard_input_means_the_spool_of_the_first_time(void **state)
{
    char path[4096];
    struct err err = {0};
    int old = dup(STDIN_FILENO);
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    put("job.jsonl", "from the pipe\n");
    assert_true(dup2(null_fd, STDIN_FILENO) >= 0);
    assert_true(spool_make("-", folder, "job", true, path, &err));
    assert_holds(path, "from the pipe\n");
    assert_true(dup2(old, STDIN_FILENO) >= 0);
    (void)close(old);
    (void)close(null_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_cannot_be_read_at_an_offset_is_spooled, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_spool_of_an_opened_job_is_never_replaced, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_unfinished_spool_is_made_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_archive_leaves_no_spool, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_on_standard_input_means_the_spool_of_the_first_time,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
