#include "tests/testlib/unit.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/private_redis.h"
#include "cli/session.h"
#include "cli/state_dir.h"

static char folder[64];

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

static void load(struct options *o, const char *state_dir)
{
    char flag[4200];
    char program[] = "sheaf";
    char *argv[] = {program, flag, NULL};
    struct settings_args args;
    struct err err = {0};

    (void)snprintf(flag, sizeof(flag), "--state-dir=%s", state_dir);
    assert_true(options_load(o, OPT_COMMON | OPT_READ, "sheaf", state_dir != NULL ? 2 : 1, argv,
                             &args, &err));
    settings_args_release(&args);
}

static void count_jobs(const struct job_row *rows, size_t count, int64_t now_ms, void *arg)
{
    size_t *jobs = arg;

    (void)rows;
    assert_true(now_ms > 0);
    *jobs = count;
}

/* Opens, asks, closes; the kind of the failure. */
static enum err_kind ask(const char *state_dir)
{
    struct options o;
    struct err err = {0};
    size_t jobs = 99;

    load(&o, state_dir);
    struct session *s = session_open(&o, &err);
    if (s != NULL && session_list(s, count_jobs, &jobs, &err))
        assert_int_equal(jobs, 0);
    session_close(s);
    options_release(&o);
    return err.kind;
}

static void a_state_directory_answers_whether_its_redis_is_alive_or_not(void **state)
{
    struct options none = {0};
    struct err err = {0};
    size_t jobs = 99;

    (void)state;
    assert_int_equal(ask(folder), ERR_NO_JOB); /* nothing in it yet */
    struct session *run = session_open_for_run(&none, folder, &err);
    assert_non_null(run);
    assert_true(session_list(run, count_jobs, &jobs, &err));
    assert_int_equal(ask(folder), ERR_NONE); /* a guest */
    session_close(run);
    assert_int_equal(ask(folder), ERR_NONE); /* starts it for itself */
}

static void a_second_run_is_refused_and_told_the_pid(void **state)
{
    struct options none = {0};
    struct err err = {0};
    char pid[32];

    (void)state;
    struct session *run = session_open_for_run(&none, folder, &err);
    assert_non_null(run);
    assert_null(session_open_for_run(&none, folder, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    (void)snprintf(pid, sizeof(pid), " %ld", (long)getpid());
    assert_non_null(strstr(err.msg, pid));
    session_close(run);
}

static void a_path_too_long_for_a_socket_works_and_leaves_nothing_behind(void **state)
{
    struct options none = {0};
    struct err err = {0};
    char deep[300];
    struct stat st;
    size_t jobs = 99;

    (void)state;
    (void)snprintf(deep, sizeof(deep), "%s/%0120d", folder, 0);
    struct session *run = session_open_for_run(&none, deep, &err);
    assert_non_null(run);
    assert_true(session_list(run, count_jobs, &jobs, &err));
    const char *url = session_redis_url(run);
    assert_true(strlen(url) - strlen("unix:") <= 107);
    char *socket_folder = strdup(url + strlen("unix:"));
    *strrchr(socket_folder, '/') = '\0';
    assert_int_equal(stat(socket_folder, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    session_close(run);
    assert_int_equal(stat(socket_folder, &st), -1);
    free(socket_folder);
}

/* The redis-server of a process that is gone, on the data of @dir. */
static pid_t leave_one_over(const struct state_dir *dir)
{
    static struct private_redis place;
    const char *argv[PRIVATE_REDIS_WORDS];
    char *const *words = NULL;
    const char *const *items = argv;
    struct err err = {0};
    pid_t pid = 0;

    assert_true(private_redis_place(&place, dir, &err));
    private_redis_argv(&place, argv);
    memcpy(&words, &items, sizeof(items));
    assert_int_equal(posix_spawnp(&pid, argv[0], NULL, NULL, words, environ), 0);
    for (int i = 0; i < 100 && !private_redis_find(&place, dir->path); i++)
        usleep(50000);
    return pid;
}

static void a_redis_left_over_is_stopped_first(void **state)
{
    struct options none = {0};
    struct err err = {0};
    struct state_dir dir = {.lock_fd = -1};
    size_t jobs = 99;
    int status = 0;

    (void)state;
    (void)snprintf(dir.path, sizeof(dir.path), "%s", folder);
    pid_t pid = leave_one_over(&dir);
    struct session *run = session_open_for_run(&none, folder, &err);
    assert_non_null(run);
    assert_true(session_list(run, count_jobs, &jobs, &err));
    assert_int_not_equal(waitpid(pid, &status, WNOHANG), 0); /* ended; reaped here or by the loop */
    session_close(run);
}

static void without_a_redis_it_says_what_to_give(void **state)
{
    struct options none = {0};
    struct err err = {0};

    (void)state;
    assert_null(session_open(&none, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.msg, "--state-dir"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_state_directory_answers_whether_its_redis_is_alive_or_not,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_run_is_refused_and_told_the_pid, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_path_too_long_for_a_socket_works_and_leaves_nothing_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_redis_left_over_is_stopped_first, set_up, tear_down),
        cmocka_unit_test(without_a_redis_it_says_what_to_give),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
