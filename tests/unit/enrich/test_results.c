#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/enrich/results.h"
#include "common/sink/generation.h"
#include "common/sink/layout.h"
#include "common/sink/rowset.h"
#include "common/sink/sink.h"
#include "tests/testlib/scratch.h"

#define LINE(id)                                                                        \
    "{\"id\":\"x\",\"custom_id\":\"" id                                                 \
    "\",\"response\":{\"status_code\":200,\"body\":{\"usage\":{\"prompt_tokens\":7}}}," \
    "\"error\":null}\n"
#define DEAD(id)                       \
    "{\"id\":null,\"custom_id\":\"" id \
    "\",\"response\":null,\"error\":{\"code\":\"content_filter\",\"message\":\"no\"}}\n"

/* A sink with merged parts. */
struct place {
    char path[SCRATCH_PATH_MAX];
    struct sink *sink;
};

static int set_up(void **state)
{
    struct place *p = xcalloc(1, sizeof(*p));
    char url[SCRATCH_PATH_MAX + 16];

    scratch_make_fast(p->path);
    (void)snprintf(url, sizeof(url), "dir:%s", p->path);
    p->sink = sink_open(url, "job", "abc123def456", true, NULL);
    assert_non_null(p->sink);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    sink_close(p->sink);
    scratch_remove(p->path);
    free(p);
    return 0;
}

static void publish(struct place *p, const char *name, const char *text)
{
    assert_true(sink_publish(p->sink, name, text, strlen(text), NULL, NULL));
}

static void publish_part(struct place *p, uint32_t part, uint32_t generation, const char *out,
                         const char *dead)
{
    char name[LAYOUT_NAME_MAX];

    publish(p, layout_out(name, part, generation), out);
    publish(p, layout_dead(name, part, generation), dead);
}

/* Resubmission 1 has a row of @part. */
static void resubmit(struct place *p, uint32_t part)
{
    char name[LAYOUT_NAME_MAX];
    struct rowset_writer *w = rowset_begin(p->sink, layout_generation(name, 1), false, 1024, NULL);
    struct rowset_window window = {.window = part * 512, .lines = 2, .left = 1};

    memset(window.mask, 0xff, sizeof(window.mask));
    window.mask[0] = 0xfe;
    assert_non_null(w);
    assert_true(rowset_add(w, &window, NULL));
    assert_true(rowset_commit(w, NULL, NULL, NULL));
}

static void assert_next(struct results *r, const char *id, bool ok, const char *line)
{
    struct result result;
    struct buf again = BUF_INIT(1 << 20);
    struct err err = {0};

    if (!results_next(r, id, &result, &err))
        fail_msg("%s", err.msg);
    assert_true(result.found);
    assert_int_equal(result.ok, ok);
    assert_int_equal(result.line.len, strlen(line) - 1);
    assert_memory_equal(result.line.p, line, strlen(line) - 1);
    assert_string_equal(result.fields.custom_id, id);
    assert_int_equal(result.place.dead, !ok);

    assert_true(results_reread(r, &result.place, &again, NULL));
    assert_int_equal(again.len, strlen(line) - 1);
    assert_memory_equal(again.data, line, again.len);
    buf_release(&again);
}

static void test_successes_and_failures_come_in_the_order_of_the_requests(void **state)
{
    struct place *p = *state;

    publish_part(p, 0, 0, LINE("a_0001") LINE("a_0003"), DEAD("a_0000") DEAD("a_0002"));
    publish_part(p, 1, 0, "", "");
    publish_part(p, 2, 0, LINE("b_0000"), "");
    publish_part(p, 3, 0, "", DEAD("b_0001"));
    struct results *r = results_open(p->sink, 4, NULL);
    assert_non_null(r);
    assert_next(r, "a_0000", false, DEAD("a_0000"));
    assert_next(r, "a_0001", true, LINE("a_0001"));
    assert_next(r, "a_0002", false, DEAD("a_0002"));
    assert_next(r, "a_0003", true, LINE("a_0003"));
    assert_next(r, "b_0000", true, LINE("b_0000"));
    assert_next(r, "b_0001", false, DEAD("b_0001"));
    assert_true(results_end(r, NULL));
    results_close(r);
}

static void test_the_fields_of_a_line_come_with_it(void **state)
{
    struct place *p = *state;
    struct result result;

    publish_part(p, 0, 0, LINE("a_0000"), DEAD("a_0001"));
    struct results *r = results_open(p->sink, 1, NULL);
    assert_true(results_next(r, "a_0000", &result, NULL));
    assert_int_equal(result.fields.status_code, 200);
    assert_int_equal(result.fields.prompt_tokens, 7);
    assert_true(results_next(r, "a_0001", &result, NULL));
    assert_string_equal(result.fields.code, "content_filter");
    results_close(r);
}

static void test_a_part_is_read_in_its_newest_generation(void **state)
{
    struct place *p = *state;

    publish_part(p, 0, 0, LINE("a_0000"), "");
    publish_part(p, 1, 0, "", DEAD("a_0001"));
    publish_part(p, 1, 1, LINE("a_0001"), "");
    resubmit(p, 1);
    struct results *r = results_open(p->sink, 2, NULL);
    assert_non_null(r);
    assert_next(r, "a_0000", true, LINE("a_0000"));
    assert_next(r, "a_0001", true, LINE("a_0001"));
    assert_true(results_end(r, NULL));
    results_close(r);
}

static void test_another_request_than_expected_is_an_error(void **state)
{
    struct place *p = *state;
    struct result result;
    struct err err = {0};

    publish_part(p, 0, 0, LINE("a_0000") LINE("a_0002"), DEAD("a_0003"));
    struct results *r = results_open(p->sink, 1, NULL);
    assert_true(results_next(r, "a_0000", &result, NULL));
    assert_false(results_next(r, "a_0001", &result, &err));
    assert_int_equal(err.kind, ERR_PERMANENT);
    assert_non_null(strstr(err.msg, "a_0001"));
    assert_non_null(strstr(err.msg, "a_0002"));
    assert_non_null(strstr(err.msg, "a_0003"));
    results_close(r);
}

static void test_results_that_nobody_asked_for_are_an_error(void **state)
{
    struct place *p = *state;
    struct result result;
    struct err err = {0};

    publish_part(p, 0, 0, LINE("a_0000"), "");
    publish_part(p, 1, 0, "", DEAD("a_0001"));
    struct results *r = results_open(p->sink, 2, NULL);
    assert_true(results_next(r, "a_0000", &result, NULL));
    assert_false(results_end(r, &err));
    assert_int_equal(err.kind, ERR_PERMANENT);
    assert_non_null(strstr(err.msg, "a_0001"));
    results_close(r);
}

static void test_requests_behind_the_end_of_a_cancelled_job_have_no_result(void **state)
{
    struct place *p = *state;
    struct result result;

    publish_part(p, 0, 0, LINE("a_0000"), "");
    struct results *r = results_open(p->sink, 1, NULL);
    assert_true(results_next(r, "a_0000", &result, NULL));
    for (int i = 0; i < 3; i++) {
        assert_true(results_next(r, "a_0001", &result, NULL));
        assert_false(result.found);
        assert_false(result.ok);
        assert_int_equal(result.line.len, 0);
        assert_int_equal(result.place.len, 0);
    }
    assert_true(results_end(r, NULL));
    results_close(r);
}

static void test_a_job_without_parts_has_no_results(void **state)
{
    struct place *p = *state;
    struct result result;
    struct results *r = results_open(p->sink, 0, NULL);

    assert_non_null(r);
    assert_true(results_next(r, "a_0000", &result, NULL));
    assert_false(result.found);
    results_close(r);
}

static void test_a_part_that_is_not_merged_is_an_error(void **state)
{
    struct place *p = *state;
    struct result result;
    struct err err = {0};

    publish_part(p, 0, 0, LINE("a_0000"), "");
    struct results *r = results_open(p->sink, 2, NULL);
    assert_true(results_next(r, "a_0000", &result, NULL));
    assert_false(results_next(r, "a_0001", &result, &err));
    assert_true(err.kind != ERR_NONE);
    results_close(r);
}

static void test_lines_that_are_no_results_are_errors(void **state)
{
    static const char *const files[] = {"{\"custom_id\":\"a_0000\"}", "[]\n", "\n", "{\n"};
    struct place *p = *state;

    for (uint32_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct result result;
        struct err err = {0};

        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
        p = *state;
        publish_part(p, 0, 0, files[i], "");
        struct results *r = results_open(p->sink, 1, NULL);
        assert_false(results_next(r, "a_0000", &result, &err));
        assert_int_equal(err.kind, ERR_PERMANENT);
        assert_non_null(strstr(err.msg, "out/0000000.jsonl"));
        results_close(r);
    }
}

/* Lines around the size of the reader's buffer and far over it. */
static void test_lines_of_any_length_are_read_and_read_again(void **state)
{
    static const size_t sizes[] = {10, 262000, 262144, 262145, 1000000, 3, 5000000, 4};
    enum { COUNT = sizeof(sizes) / sizeof(sizes[0]) };
    struct place *p = *state;
    struct buf file = BUF_INIT(32u << 20);
    struct buf again = BUF_INIT(32u << 20);
    struct result_place places[COUNT];
    char id[32];

    for (size_t i = 0; i < COUNT; i++) {
        assert_true(buf_printf(&file, "{\"custom_id\":\"a_%04zu\",\"response\":\"", i));
        assert_true(buf_reserve(&file, sizes[i]));
        memset(file.data + file.len, 'a' + (int)i, sizes[i]);
        file.len += sizes[i];
        assert_true(buf_append(&file, "\"}\n", 3));
    }
    assert_true(sink_publish(p->sink, "out/0000000.jsonl", file.data, file.len, NULL, NULL));
    assert_true(sink_publish(p->sink, "dead/0000000.jsonl", "", 0, NULL, NULL));
    struct results *r = results_open(p->sink, 1, NULL);
    for (size_t i = 0; i < COUNT; i++) {
        struct result result;

        (void)snprintf(id, sizeof(id), "a_%04zu", i);
        assert_true(results_next(r, id, &result, NULL));
        assert_memory_equal(result.line.p, file.data + result.place.offset, result.line.len);
        assert_int_equal(file.data[result.place.offset + result.line.len], '\n');
        places[i] = result.place;
    }
    for (size_t i = COUNT; i > 0; i--) {
        assert_true(results_reread(r, &places[i - 1], &again, NULL));
        assert_int_equal(again.len, places[i - 1].len - 1);
        assert_memory_equal(again.data, file.data + places[i - 1].offset, again.len);
    }
    assert_true(results_end(r, NULL));
    results_close(r);
    buf_release(&file);
    buf_release(&again);
}

/* More parts than files are kept open. */
static void test_lines_of_many_parts_can_be_read_again(void **state)
{
    enum { PARTS = 30 };
    struct place *p = *state;
    struct result_place places[PARTS];
    struct buf again = BUF_INIT(1 << 20);
    char text[256], id[32];

    for (uint32_t part = 0; part < PARTS; part++) {
        (void)snprintf(text, sizeof(text), "{\"custom_id\":\"a_%04u\",\"part\":%u}\n", part, part);
        publish_part(p, part, 0, part % 3 == 0 ? "" : text, part % 3 == 0 ? text : "");
    }
    struct results *r = results_open(p->sink, PARTS, NULL);
    for (uint32_t part = 0; part < PARTS; part++) {
        struct result result;

        (void)snprintf(id, sizeof(id), "a_%04u", part);
        assert_true(results_next(r, id, &result, NULL));
        places[part] = result.place;
    }
    for (uint32_t i = 0; i < 3 * PARTS; i++) {
        uint32_t part = (i * 7) % PARTS;

        (void)snprintf(text, sizeof(text), "{\"custom_id\":\"a_%04u\",\"part\":%u}", part, part);
        assert_true(results_reread(r, &places[part], &again, NULL));
        assert_string_equal(again.data, text);
    }
    results_close(r);
    buf_release(&again);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_successes_and_failures_come_in_the_order_of_the_requests),
        CASE(test_the_fields_of_a_line_come_with_it),
        CASE(test_a_part_is_read_in_its_newest_generation),
        CASE(test_another_request_than_expected_is_an_error),
        CASE(test_results_that_nobody_asked_for_are_an_error),
        CASE(test_requests_behind_the_end_of_a_cancelled_job_have_no_result),
        CASE(test_a_job_without_parts_has_no_results),
        CASE(test_a_part_that_is_not_merged_is_an_error),
        CASE(test_lines_that_are_no_results_are_errors),
        CASE(test_lines_of_any_length_are_read_and_read_again),
        CASE(test_lines_of_many_parts_can_be_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
