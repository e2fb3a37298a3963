#include "tests/testlib/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/enrich/round_write.h"
#include "common/recipe/template.h"
#include "tests/unit/enrich/asking.h"

/* A round of a small recipe in a folder of its own. */
struct world {
    struct asking asking;
    char requests[SCRATCH_PATH_MAX + 32], map[SCRATCH_PATH_MAX + 32];
    struct round_plan plan;
};

static int set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));
    struct analysis *pack;

    asking_make(&w->asking);
    asking_add(&w->asking, "x", "{{c}}");
    pack = asking_add(&w->asking, "k", "{{#rows}}{{_id}}={{c}} {{/rows}}");
    pack->pack_rows = 2;
    w->asking.recipe.id_field = xstrdup("id");
    asking_rows(&w->asking, "{\"id\":\"a\",\"c\":1}\n{\"id\":\"b\"}\n{\"id\":\"c\",\"c\":3}\n");
    (void)snprintf(w->requests, sizeof(w->requests), "%s/r1.requests.jsonl", w->asking.path);
    (void)snprintf(w->map, sizeof(w->map), "%s/r1.map", w->asking.path);
    w->plan = (struct round_plan){.recipe = &w->asking.recipe,
                                  .rows_path = w->asking.rows_path,
                                  .rows_fingerprint = "rows",
                                  .round = 1,
                                  .requests_path = w->requests,
                                  .map_path = w->map};
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    asking_free(&w->asking);
    free(w);
    return 0;
}

static struct buf read_path(const char *path)
{
    struct buf out = BUF_INIT(1 << 20);
    FILE *file = fopen(path, "r");
    char chunk[4096];
    size_t n;

    assert_non_null(file);
    assert_true(buf_append(&out, "", 0));
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        assert_true(buf_append(&out, chunk, n));
    (void)fclose(file);
    return out;
}

static void write_path(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void write_it(struct world *w, bool adopted)
{
    struct round_counts counts = {0};
    struct err err = {0};
    bool was = !adopted;

    if (!round_write(&w->plan, &counts, &was, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(was, adopted);
    assert_int_equal(counts.rows, 3);
    assert_int_equal(counts.requests, 3);
    assert_int_equal(counts.count, 2);
    assert_int_equal(counts.analyses[0].pairs[RENDER_ASKED], 2);
    assert_int_equal(counts.analyses[0].pairs[RENDER_TEMPLATE_ERROR], 1);
    assert_int_equal(counts.analyses[1].requests, 1);
    assert_int_equal(counts.analyses[1].pairs[RENDER_ASKED], 2);
    round_counts_release(&counts);
}

static void test_both_files_are_written_and_belong_together(void **state)
{
    struct world *w = *state;
    const struct map_block *block;
    bool end = false;

    write_it(w, false);
    struct buf requests = read_path(w->requests);
    const char *line = strstr(requests.data, "\"custom_id\":\"x_0000\"");
    assert_ptr_equal(line, requests.data + 1);
    line = strstr(line, "\"custom_id\":\"x_0002\"");
    assert_non_null(line);
    line = strstr(line, "\"custom_id\":\"k_0000\"");
    assert_non_null(line);
    assert_non_null(strstr(line, "\"content\":\"a=1 c=3 \""));
    buf_release(&requests);

    struct round_map *map = round_map_new(open(w->map, O_RDONLY), "map", NULL);
    assert_non_null(map);
    assert_true(round_map_next(map, &block, &end, NULL));
    assert_int_equal(block->rows, 3);
    assert_int_equal(block->request_count, 3);
    assert_null(block->requests[0].ids);
    assert_int_equal(block->requests[2].row_count, 2);
    assert_string_equal(block->requests[2].ids[1], "c");
    assert_int_equal(block->pair_count, 2);
    assert_int_equal(block->pairs[0].row, 1);
    assert_int_equal(block->pairs[0].code, RENDER_TEMPLATE_ERROR);
    assert_true(round_map_next(map, &block, &end, NULL));
    assert_true(end);
    round_map_close(map);
}

static void test_a_round_that_is_there_is_adopted(void **state)
{
    struct world *w = *state;
    struct stat before, after;

    write_it(w, false);
    assert_int_equal(stat(w->requests, &before), 0);
    write_it(w, true);
    assert_int_equal(stat(w->requests, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

static void test_a_map_alone_is_not_a_round(void **state)
{
    struct world *w = *state;

    write_path(w->map, "rubbish", 7);
    write_it(w, false);
    write_it(w, true);
}

static void assert_refused(struct world *w, enum err_kind kind, const char *words)
{
    struct round_counts counts = {0};
    struct err err = {0};

    assert_false(round_write(&w->plan, &counts, NULL, &err));
    if (err.kind != kind || strstr(err.msg, words) == NULL)
        fail_msg("%s: %s", err_kind_name(err.kind), err.msg);
    assert_null(counts.analyses);
}

static void test_what_is_there_of_something_else_is_refused(void **state)
{
    struct world *w = *state;

    write_it(w, false);
    w->plan.rows_fingerprint = "others";
    assert_refused(w, ERR_CONFLICT, "other rows");
    w->plan.rows_fingerprint = "rows";
    w->plan.round = 2;
    assert_refused(w, ERR_CONFLICT, "round 1");
    w->plan.round = 1;
    w->asking.recipe.digest[0] = 'f';
    assert_refused(w, ERR_CONFLICT, "another recipe");
    w->asking.recipe.digest[0] = '0';
    write_it(w, true);
}

static void test_files_that_were_changed_are_refused(void **state)
{
    struct world *w = *state;

    write_it(w, false);
    struct buf map = read_path(w->map);
    write_path(w->map, map.data, map.len - 1);
    assert_refused(w, ERR_PERMANENT, "r1.map");
    assert_int_equal(unlink(w->map), 0);
    assert_refused(w, ERR_UNAVAILABLE, "r1.map");
    write_path(w->map, map.data, map.len);
    buf_release(&map);
    struct buf requests = read_path(w->requests);
    assert_true(buf_append(&requests, "\n", 1));
    write_path(w->requests, requests.data, requests.len);
    assert_refused(w, ERR_CONFLICT, "has changed");
    buf_release(&requests);
}

static void test_rows_that_are_not_there_leave_nothing(void **state)
{
    struct world *w = *state;
    struct stat st;

    w->plan.rows_path = "/nowhere/rows.jsonl";
    assert_refused(w, ERR_INPUT, "/nowhere/rows.jsonl");
    assert_int_not_equal(stat(w->map, &st), 0);
    assert_int_not_equal(stat(w->requests, &st), 0);
}

static void test_a_folder_that_is_not_there_is_said(void **state)
{
    struct world *w = *state;

    w->plan.map_path = "/nowhere/r1.map";
    assert_refused(w, ERR_UNAVAILABLE, "/nowhere/r1.map");
}

/* The other process: write the round of the world in @folder, and die on the way. */
static int write_for(const char *folder)
{
    struct round_counts counts = {0};
    char rows[SCRATCH_PATH_MAX + 32];
    struct world *w;
    void *state;

    (void)set_up(&state);
    w = state;
    scratch_remove(w->asking.path);
    (void)snprintf(rows, sizeof(rows), "%s/rows.jsonl", folder);
    (void)snprintf(w->requests, sizeof(w->requests), "%s/r1.requests.jsonl", folder);
    (void)snprintf(w->map, sizeof(w->map), "%s/r1.map", folder);
    w->plan.rows_path = rows;
    return round_write(&w->plan, &counts, NULL, NULL) ? 0 : 1;
}

static void die_at(struct world *w, const char *point)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        (void)setenv("SHEAF_FP", point, 1);
        (void)execl("/proc/self/exe", "test_round_write", w->asking.path, (char *)NULL);
        _exit(99);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_after_a_kill_the_same_bytes_are_written(void **state)
{
    static const char *const points[] = {"round.map:kill", "round.requests:kill"};
    struct world *w = *state;

    write_it(w, false);
    struct buf requests = read_path(w->requests);
    struct buf map = read_path(w->map);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(unlink(w->requests), 0);
        assert_int_equal(unlink(w->map), 0);
        die_at(w, points[i]);
        write_it(w, i == 1);
        struct buf now = read_path(w->requests);
        assert_string_equal(now.data, requests.data);
        buf_release(&now);
        now = read_path(w->map);
        assert_int_equal(now.len, map.len);
        assert_memory_equal(now.data, map.data, map.len);
        buf_release(&now);
    }
    buf_release(&requests);
    buf_release(&map);
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return write_for(argv[1]);
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_both_files_are_written_and_belong_together),
        CASE(test_a_round_that_is_there_is_adopted),
        CASE(test_a_map_alone_is_not_a_round),
        CASE(test_what_is_there_of_something_else_is_refused),
        CASE(test_files_that_were_changed_are_refused),
        CASE(test_rows_that_are_not_there_leave_nothing),
        CASE(test_a_folder_that_is_not_there_is_said),
        CASE(test_after_a_kill_the_same_bytes_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
