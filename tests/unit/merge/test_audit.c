#include "tests/testlib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/codec/ids.h"
#include "common/merge/audit.h"
#include "common/merge/publish.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"
#include "tests/unit/merge/world.h"

/* 700 tasks in as many windows, two parts; task 3 of 4 succeeded. */
#define TASKS 700u

static int set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));
    struct segment_batch batch = {.bid = "b0", .created_ms = 1};
    struct buf text = BUF_INIT(1 << 20);
    static struct record records[2][TASKS];
    static char lines[TASKS][64];
    size_t count[2] = {0, 0};
    struct err err = {0};

    world_make(w, 1);
    for (uint32_t i = 0; i < TASKS; i++) {
        uint32_t part = i / PART_WINDOWS;

        assert_true(buf_printf(&text, "{\"custom_id\":\"%u\",\"body\":{}}\n", i));
        (void)snprintf(lines[i], sizeof(lines[i]), "{\"id\":\"r%u\"}", i);
        records[part][count[part]++] =
            world_record(i, 0, i, i % 4 == 3 ? OUTCOME_PERM : OUTCOME_OK, lines[i]);
    }
    world_write_input(w, text.data, text.len);
    buf_release(&text);
    assert_int_equal(world_cut(w), TASKS);
    for (uint32_t part = 0; part < 2; part++) {
        world_segment(w, part, &batch, "f", 0, records[part], count[part]);
        assert_int_equal(world_merge(w, part, TASKS, false, &err), MERGE_DONE);
    }
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    free(*state);
    return 0;
}

static struct audit must_audit(struct world *w, const char *output)
{
    struct audit audit;
    struct err err = {0};

    if (!audit_run(w->sink, &w->spec, output, NULL, NULL, &audit, &err))
        fail_msg("%s", err.msg);
    return audit;
}

static void a_sound_job_passes(void **state)
{
    struct world *w = *state;
    struct audit audit = must_audit(w, NULL);

    assert_true(audit_passed(&audit));
    assert_int_equal(audit.requests, TASKS);
    assert_int_equal(audit.windows, TASKS);
    assert_int_equal(audit.parts, 2);
    assert_int_equal(audit.ok, 525);
    assert_int_equal(audit.failed, 175);
}

/* Rewrite lines [@from, @to) (from 0) of the sink's file @name: @how is what becomes of each. */
enum how { DROP, CHANGE, TWICE, CUT };

static void damage_line(struct buf *out, const char *line, size_t len, enum how how)
{
    switch (how) {
    case DROP: break;
    case CHANGE:
        assert_true(buf_append(out, "{\"ID\"", 5) && buf_append(out, line + 5, len - 5));
        break;
    case TWICE: assert_true(buf_append(out, line, len) && buf_append(out, line, len)); break;
    case CUT: assert_true(buf_append(out, line, len - 3)); break;
    }
}

static void damage(const char *path, size_t from, size_t to, enum how how)
{
    struct buf text = world_read_path(path);
    struct buf out = BUF_INIT(64u << 20);
    size_t line = 0;

    for (const char *p = text.data; *p != '\0'; line++) {
        const char *end = strchr(p, '\n') + 1;

        if (line >= from && line < to)
            damage_line(&out, p, (size_t)(end - p), how);
        else
            assert_true(buf_append(&out, p, (size_t)(end - p)));
        p = end;
    }
    world_write_path(path, out.len == 0 ? "" : out.data, out.len);
    buf_release(&text);
    buf_release(&out);
}

static const struct {
    const char *name, *file;
    size_t from, to;
    enum how how;
    uint64_t missing, differs, extra;
    uint64_t first_line; /* input line of the first finding */
} cases[] = {
    {"one row is gone",      "out/0000000.jsonl",  10,  11,  DROP,   1,   0,  0, 14 },
    {"five rows are gone",   "out/0000001.jsonl",  0,   5,   DROP,   5,   0,  0, 513},
    {"all rows are gone",    "dead/0000000.jsonl", 0,   999, DROP,   128, 0,  0, 4  },
    {"a row is changed",     "out/0000000.jsonl",  0,   1,   CHANGE, 0,   1,  0, 1  },
    {"the last row too",     "dead/0000001.jsonl", 46,  47,  CHANGE, 0,   1,  0, 700},
    {"thirty rows in a row", "out/0000000.jsonl",  50,  80,  CHANGE, 0,   30, 0, 67 },
    {"a row comes twice",    "out/0000000.jsonl",  7,   8,   TWICE,  0,   0,  1, 0  },
    {"the last row is cut",  "out/0000001.jsonl",  140, 141, CUT,    0,   1,  0, 699},
};

static void every_kind_of_damage_is_counted(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
        struct world *w = *state;
        char path[256];

        print_message("  %s\n", cases[i].name);
        (void)snprintf(path, sizeof(path), "%s/%s", sink_path(w->sink), cases[i].file);
        damage(path, cases[i].from, cases[i].to, cases[i].how);
        struct audit audit = must_audit(w, NULL);
        assert_false(audit_passed(&audit));
        assert_int_equal(audit.missing.count, cases[i].missing);
        assert_int_equal(audit.differs.count, cases[i].differs);
        assert_int_equal(audit.extra, cases[i].extra);
        assert_non_null(strstr(audit.first, cases[i].file));
        if (cases[i].first_line != 0) {
            const struct audit_finding *f = cases[i].missing != 0 ? &audit.missing : &audit.differs;

            assert_int_equal(f->lines[0], cases[i].first_line);
            assert_int_equal(f->line_count, f->count < AUDIT_EXAMPLES ? f->count : AUDIT_EXAMPLES);
        }
    }
}

static void the_output_is_compared_as_well(void **state)
{
    struct world *w = *state;
    struct report_times times = {0};
    struct report report = {0};
    char output[128];

    (void)snprintf(output, sizeof(output), "%s/out.jsonl", w->path);
    assert_true(publish_output(w->sink, &w->spec, 2, output, false, &times, &report, NULL, NULL));
    report_release(&report);
    struct audit audit = must_audit(w, output);
    assert_true(audit_passed(&audit));
    damage(output, 400, 402, DROP);
    audit = must_audit(w, output);
    assert_false(audit_passed(&audit));
    assert_int_equal(audit.missing.count, 2);
    assert_int_equal(audit.ok, 525); /* the sink is sound */
    assert_int_equal(remove(output), 0);
    audit = must_audit(w, output);
    assert_int_equal(audit.missing.count, 525);
}

static void a_part_that_is_not_merged_is_missing(void **state)
{
    struct world *w = *state;
    static const char *const files[] = {"out/0000001.jsonl", "dead/0000001.jsonl",
                                        "rep/0000001.json", "in/0000001.json"};
    char path[256];

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", sink_path(w->sink), files[i]);
        assert_int_equal(remove(path), 0);
    }
    struct audit audit = must_audit(w, NULL);
    assert_false(audit_passed(&audit));
    assert_int_equal(audit.missing.count, TASKS - PART_WINDOWS);
}

static void an_input_that_grew_is_noticed(void **state)
{
    struct world *w = *state;
    struct buf text = world_read_path(w->input);

    assert_true(buf_printf(&text, "{\"custom_id\":\"new\",\"body\":{}}\n"));
    world_write_input(w, text.data, text.len);
    buf_release(&text);
    struct audit audit = must_audit(w, NULL);
    assert_false(audit_passed(&audit));
    assert_int_equal(audit.missing.count, 1);
    assert_int_equal(audit.missing.lines[0], TASKS + 1);
    assert_string_equal(audit.first, "nothing is known of the request in input line 701");
}

static void an_input_that_shrank_is_noticed(void **state)
{
    struct world *w = *state;
    struct audit audit;
    struct err err = {0};

    world_write_input(w, "{\"custom_id\":\"0\",\"body\":{}}\n", 29);
    assert_false(audit_run(w->sink, &w->spec, NULL, NULL, NULL, &audit, &err));
    assert_int_equal(err.kind, ERR_INPUT);
}

static void an_empty_job_passes(void **state)
{
    struct world *w = *state;

    memcpy(w->spec.job, "empty", 6);
    sink_close(w->sink);
    w->sink = sink_open(w->spec.sink, "empty", w->spec.ji, true, NULL);
    world_write_input(w, "\n \n", 3);
    struct audit audit = must_audit(w, NULL);
    assert_true(audit_passed(&audit));
    assert_int_equal(audit.requests, 0);
}

static void a_cancelled_job_may_end_before_its_input(void **state)
{
    struct world *w = *state;
    struct err err = {0};

    memcpy(w->spec.job, "stopped", 8);
    sink_close(w->sink);
    w->sink = sink_open(w->spec.sink, "stopped", w->spec.ji, true, NULL);
    assert_int_equal(world_merge(w, 0, 100, true, &err), MERGE_DONE);
    struct audit audit = must_audit(w, NULL);
    assert_true(audit_passed(&audit));
    assert_int_equal(audit.requests, 100);
    assert_int_equal(audit.failed, 100);
}

static void an_inline_job_with_a_gap_is_noticed(void **state)
{
    struct world *w = *state;
    struct ids_entry entry = {.line = 1, .reason = "no body", .reason_len = 7};
    struct buf doc = BUF_INIT(1 << 20);
    struct audit audit;
    struct err err = {0};

    memcpy(w->spec.job, "inline", 7);
    w->spec.inline_payload = true;
    sink_close(w->sink);
    w->sink = sink_open(w->spec.sink, "inline", w->spec.ji, true, NULL);
    assert_true(ids_encode(0, &entry, 1, &doc, NULL));
    assert_true(sink_publish(w->sink, "ids/0000000", doc.data, doc.len, NULL, NULL));
    assert_int_equal(world_merge(w, 0, 1, false, &err), MERGE_DONE);
    audit = must_audit(w, NULL);
    assert_true(audit_passed(&audit));
    assert_true(sink_publish(w->sink, "ids/0000002", doc.data, doc.len, NULL, NULL));
    assert_false(audit_run(w->sink, &w->spec, NULL, NULL, NULL, &audit, &err));
    assert_non_null(strstr(err.msg, "ids/0000001"));
    buf_release(&doc);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_sound_job_passes),
        TEST(every_kind_of_damage_is_counted),
        TEST(the_output_is_compared_as_well),
        TEST(a_part_that_is_not_merged_is_missing),
        TEST(an_input_that_grew_is_noticed),
        TEST(an_input_that_shrank_is_noticed),
        TEST(an_empty_job_passes),
        TEST(a_cancelled_job_may_end_before_its_input),
        TEST(an_inline_job_with_a_gap_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
