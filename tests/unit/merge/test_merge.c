#include "tests/testlib/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/codec/ids.h"
#include "common/merge/merge.h"
#include "common/merge/report.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"
#include "tests/unit/merge/world.h"

#define OUT0  "out/0000000.jsonl"
#define DEAD0 "dead/0000000.jsonl"

static const struct segment_batch early = {.bid = "bbbbbbbbbbbbbbbb", .created_ms = 1000};
static const struct segment_batch late = {.bid = "aaaaaaaaaaaaaaaa", .created_ms = 2000};

static int set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));

    world_make(w, 4);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    free(*state);
    return 0;
}

static void input(struct world *w, const char *text)
{
    world_write_input(w, text, strlen(text));
}

/* One task with id "a". */
static void one_task(struct world *w)
{
    input(w, "{\"custom_id\":\"a\",\"body\":{}}\n");
}

static void put(struct world *w, const struct segment_batch *batch, const char *file,
                struct record record)
{
    world_segment(w, 0, batch, file, 0, &record, 1);
}

static void must_merge(struct world *w, uint32_t windows)
{
    struct err err = {0};
    enum merge_result result = world_merge(w, 0, windows, false, &err);

    if (result != MERGE_DONE)
        fail_msg("result %d: %s", (int)result, err.msg);
}

static struct report load_report(struct world *w)
{
    struct report report = {0};
    bool found = false;

    assert_true(report_load_part(w->sink, 0, 0, &report, &found, NULL));
    assert_true(found);
    return report;
}

/* A task with up to two lines: which row comes out. */
static const struct {
    const char *name;
    enum outcome first, second; /* of the early and of the late batch; MISSING: no line */
    const char *out, *dead;
} duels[] = {
    {"a lone success",            OUTCOME_OK,      OUTCOME_MISSING, "E",  NULL},
    {"a success beats a failure", OUTCOME_PERM,    OUTCOME_OK,      "L",  NULL},
    {"also when it is older",     OUTCOME_OK,      OUTCOME_PERM,    "E",  NULL},
    {"the older success wins",    OUTCOME_OK,      OUTCOME_OK,      "E",  NULL},
    {"the newer failure wins",    OUTCOME_PERM,    OUTCOME_PERM,    NULL, "L" },
    {"newer retryable failure",   OUTCOME_RETRY,   OUTCOME_RETRY,   NULL, "L" },
    {"perm beats a newer retry",  OUTCOME_PERM,    OUTCOME_RETRY,   NULL, "E" },
    {"retry beats a newer free",  OUTCOME_RETRY,   OUTCOME_FREE,    NULL, "E" },
    {"free is better than none",  OUTCOME_MISSING, OUTCOME_FREE,    NULL, "L" },
};

static void row(char *out, size_t cap, const char *id)
{
    (void)snprintf(out, cap,
                   "{\"id\":\"%s\",\"custom_id\":\"a\",\"response\":{\"status_code\":1},"
                   "\"error\":null}\n",
                   id);
}

static void the_best_line_wins(void **state)
{
    static const char *const lines[] = {
        "{\"id\":\"E\",\"custom_id\":\"x\",\"response\":{\"status_code\":1},\"error\":null}",
        "{\"id\":\"L\",\"custom_id\":\"x\",\"response\":{\"status_code\":1},\"error\":null}",
    };

    for (size_t i = 0; i < ARRAY_LEN(duels); i++) {
        char out[256] = "";
        char dead[256] = "";

        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
        struct world *w = *state;
        print_message("  %s\n", duels[i].name);
        one_task(w);
        if (duels[i].first != OUTCOME_MISSING)
            put(w, &early, "f1", world_record(0, 0, 5, duels[i].first, lines[0]));
        if (duels[i].second != OUTCOME_MISSING)
            put(w, &late, "f2", world_record(0, 0, 0, duels[i].second, lines[1]));
        if (duels[i].out != NULL)
            row(out, sizeof(out), duels[i].out);
        if (duels[i].dead != NULL)
            row(dead, sizeof(dead), duels[i].dead);
        must_merge(w, 1);
        world_assert(w, OUT0, out);
        world_assert(w, DEAD0, dead);
    }
}

static void of_duplicates_in_one_batch_the_first_success_and_the_last_failure_win(void **state)
{
    struct world *w = *state;
    struct record records[4] = {
        world_record(0, 0, 10, OUTCOME_OK, "{\"id\":\"first\"}"),
        world_record(0, 0, 20, OUTCOME_OK, "{\"id\":\"second\"}"),
        world_record(0, 1, 30, OUTCOME_PERM, "{\"id\":\"third\"}"),
        world_record(0, 1, 40, OUTCOME_PERM, "{\"id\":\"fourth\"}"),
    };

    input(w, "{\"body\":{}}\n{\"body\":{}}\n");
    world_segment(w, 0, &early, "f", 0, records, 4);
    must_merge(w, 1);
    world_assert(w, OUT0,
                 "{\"id\":\"first\",\"custom_id\":null,\"response\":null,\"error\":null}\n");
    world_assert(w, DEAD0,
                 "{\"id\":\"fourth\",\"custom_id\":null,\"response\":null,\"error\":null}\n");
    struct report r = load_report(w);
    assert_int_equal(r.duplicates, 1);
    assert_int_equal(r.superseded, 1);
    report_release(&r);
}

static void the_providers_bytes_are_passed_on_as_they_came(void **state)
{
    struct world *w = *state;
    static const char line[] =
        " { \"response\" :  {\"status_code\":200 ,\"body\":{ \"t\" : \"\\u0000\\ud800 \\/ 1\" ,"
        "\"n\":1e400,\"big\":123456789012345678901234567890,\"n\":-0.0}} ,\"id\" : \"b\\u0041\","
        "\"custom_id\":\"w\" , \"error\" : null }";

    input(w, "{\"custom_id\":\"\\u8ba2\\ud83d\\ude00\\/单\",\"body\":{}}\r\n");
    put(w, &early, "f", world_record(0, 0, 0, OUTCOME_OK, line));
    must_merge(w, 1);
    world_assert(w, OUT0,
                 "{\"id\":\"b\\u0041\",\"custom_id\":\"\\u8ba2\\ud83d\\ude00\\/单\","
                 "\"response\":{\"status_code\":200 ,\"body\":{ \"t\" : \"\\u0000\\ud800 \\/ 1\" ,"
                 "\"n\":1e400,\"big\":123456789012345678901234567890,\"n\":-0.0}},"
                 "\"error\":null}\n");
}

static void ids_may_be_repeated_missing_and_long(void **state)
{
    struct world *w = *state;
    struct buf text = BUF_INIT(1 << 20);
    struct record records[4];
    char id[501];

    memset(id, 'x', 500);
    id[500] = '\0';
    assert_true(buf_printf(&text,
                           "{\"custom_id\":\"%s\",\"body\":{}}\n{\"custom_id\":\"a\",\"body\":{}}\n"
                           "\n{\"custom_id\":\"a\",\"body\":{}}\n{\"body\":{}}",
                           id));
    world_write_input(w, text.data, text.len);
    for (uint32_t i = 0; i < 4; i++)
        records[i] = world_record(0, i, i, OUTCOME_OK, "{\"id\":1}");
    world_segment(w, 0, &early, "f", 0, records, 4);
    must_merge(w, 1);
    buf_clear(&text);
    assert_true(buf_printf(&text,
                           "{\"id\":1,\"custom_id\":\"%s\",\"response\":null,\"error\":null}\n"
                           "{\"id\":1,\"custom_id\":\"a\",\"response\":null,\"error\":null}\n"
                           "{\"id\":1,\"custom_id\":\"a\",\"response\":null,\"error\":null}\n"
                           "{\"id\":1,\"custom_id\":null,\"response\":null,\"error\":null}\n",
                           id));
    world_assert(w, OUT0, text.data);
    buf_release(&text);
}

static void what_has_no_line_says_why(void **state)
{
    struct world *w = *state;
    struct evidence e = {.bid = "b1",
                         .remote = "r1",
                         .ended_ms = 10,
                         .failure = "token_limit_exceeded",
                         .message = "too many \"tokens\""};
    struct member m = {.window = 0, .lines = 4};

    e.members = &m;
    e.count = 1;
    input(w, "{\"custom_id\":\"a\",\"body\":{}}\n{\"custom_id\":\"b\",\"body\":{}}\n"
             "{\"custom_id\":\"c\" 1\n{\"custom_id\":\"d\"}\n");
    m.mask[0] = 12; /* 0 and 1 were asked for */
    world_evidence(w, 0, &e);
    m.mask[0] = 13; /* later, 1 again */
    e = (struct evidence){.bid = "b2", .remote = "r2", .ended_ms = 20, .members = &m, .count = 1};
    world_evidence(w, 0, &e);
    must_merge(w, 1);
    world_assert(w, OUT0, "");
    world_assert(
        w, DEAD0,
        "{\"id\":null,\"custom_id\":\"a\",\"response\":null,\"error\":{\"code\":"
        "\"token_limit_exceeded\",\"message\":\"too many \\\"tokens\\\"\"}}\n"
        "{\"id\":null,\"custom_id\":\"b\",\"response\":null,\"error\":{\"code\":"
        "\"missing_result\",\"message\":\"the provider returned no result in 2 attempts\"}}\n"
        "{\"id\":null,\"custom_id\":\"c\",\"response\":null,\"error\":{\"code\":"
        "\"invalid_request_line\",\"message\":\"line 3: not valid JSON at byte 18: expected a "
        "comma "
        "or a closing brace\"}}\n"
        "{\"id\":null,\"custom_id\":\"d\",\"response\":null,\"error\":{\"code\":"
        "\"invalid_request_line\",\"message\":\"line 4: no body\"}}\n");
    struct report r = load_report(w);
    assert_int_equal(r.requests, 4);
    assert_int_equal(r.failed, 4);
    assert_int_equal(r.invalid, 2);
    assert_int_equal(r.attempts, 3);
    assert_int_equal(r.batch_count, 2);
    assert_int_equal(r.code_count, 3);
    assert_string_equal(r.codes[0].code, "invalid_request_line");
    assert_int_equal(r.codes[0].count, 2);
    report_release(&r);
}

static void an_error_row_keeps_response_and_error(void **state)
{
    struct world *w = *state;
    static const char line[] =
        "{\"id\":\"r\",\"custom_id\":\"w\",\"response\":{\"status_code\":400,\"body\":{\"error\":"
        "{\"code\":\"bad\",\"message\":\"m\"}}},\"error\":null}";

    one_task(w);
    put(w, &early, "f", world_record(0, 0, 0, OUTCOME_PERM, line));
    must_merge(w, 1);
    world_assert(w, DEAD0,
                 "{\"id\":\"r\",\"custom_id\":\"a\",\"response\":{\"status_code\":400,\"body\":"
                 "{\"error\":{\"code\":\"bad\",\"message\":\"m\"}}},\"error\":null}\n");
    struct report r = load_report(w);
    assert_string_equal(r.codes[0].code, "bad");
    report_release(&r);
}

static void tokens_of_winners_and_of_duplicates_are_apart(void **state)
{
    struct world *w = *state;
    static const char line[] =
        "{\"id\":\"r\",\"response\":{\"status_code\":200,\"body\":{\"usage\":{\"prompt_tokens\":10,"
        "\"completion_tokens\":3,\"prompt_tokens_details\":{\"cached_tokens\":4},"
        "\"completion_tokens_details\":{\"reasoning_tokens\":2}}}}}";

    one_task(w);
    put(w, &early, "f1", world_record(0, 0, 0, OUTCOME_OK, line));
    put(w, &late, "f2", world_record(0, 0, 0, OUTCOME_OK, line));
    must_merge(w, 1);
    struct report r = load_report(w);
    assert_int_equal(r.tokens.prompt, 10);
    assert_int_equal(r.tokens.completion, 3);
    assert_int_equal(r.tokens.cached, 4);
    assert_int_equal(r.tokens.reasoning, 2);
    assert_int_equal(r.wasted.prompt, 10);
    assert_int_equal(r.wasted.completion, 3);
    report_release(&r);
}

/* Bytes of what is in a file, as a worker notes them in its pass @pass over it. */
static uint64_t in_pass(uint32_t pass, uint64_t offset)
{
    return ((uint64_t)pass << SEGMENT_PASS_SHIFT) + offset;
}

#define USED(id)                                                                \
    "{\"id\":\"" id "\",\"response\":{\"status_code\":200,\"body\":{\"usage\":" \
    "{\"prompt_tokens\":10,\"completion_tokens\":3}}}}"

/* A batch's file that is read again holds what it held before: nothing was sent twice. */
static void a_file_that_was_read_again_has_no_duplicates(void **state)
{
    struct world *w = *state;

    for (uint32_t pass = 0; pass < 3; pass++) {
        char file[32];
        struct record records[3] = {
            world_record(0, 0, in_pass(pass, 10 * pass), OUTCOME_OK, USED("a")),
            world_record(0, 1, in_pass(pass, 40), OUTCOME_OK, USED("b")),
            world_record(0, 2, in_pass(pass, 50), OUTCOME_PERM, USED("c")),
        };

        (void)snprintf(file, sizeof(file), "file pass %u", 3 - pass);
        world_segment(w, 0, &early, file, 0, records, pass == 0 ? 2 : 3);
    }
    input(w, "{\"body\":{}}\n{\"body\":{}}\n{\"body\":{}}\n");
    must_merge(w, 1);
    struct report r = load_report(w);
    assert_int_equal(r.ok, 2);
    assert_int_equal(r.failed, 1);
    assert_int_equal(r.duplicates, 0);
    assert_int_equal(r.paid_twice, 0);
    assert_int_equal(r.superseded, 0);
    assert_int_equal(r.wasted.prompt, 0);
    assert_int_equal(r.wasted.completion, 0);
    assert_int_equal(r.wastes[WASTE_DUPLICATES].lines, 0);
    assert_int_equal(r.wastes[WASTE_SUPERSEDED].lines, 0);
    report_release(&r);
}

/* Twice in each of two passes, and once in another batch: two more than there should be. */
static void what_was_sent_twice_is_counted_once_however_often_it_is_read(void **state)
{
    struct world *w = *state;

    one_task(w);
    for (uint32_t pass = 0; pass < 2; pass++) {
        struct record records[2] = {
            world_record(0, 0, in_pass(pass, 10), OUTCOME_OK, USED("a")),
            world_record(0, 0, in_pass(pass, 90), OUTCOME_OK, USED("a")),
        };

        world_segment(w, 0, &early, pass == 0 ? "f" : "f pass 1", 0, records, 2);
    }
    put(w, &late, "g", world_record(0, 0, 0, OUTCOME_OK, USED("b")));
    must_merge(w, 1);
    struct report r = load_report(w);
    assert_int_equal(r.duplicates, 2);
    assert_int_equal(r.paid_twice, 1);
    assert_int_equal(r.wasted.prompt, 20);
    assert_int_equal(r.wasted.completion, 6);
    assert_int_equal(r.wastes[WASTE_DUPLICATES].lines, 1);
    report_release(&r);
}

static void a_task_without_evidence_is_a_hole_and_nothing_is_published(void **state)
{
    struct world *w = *state;
    struct buf text = BUF_INIT(1 << 20);
    struct err err = {0};
    bool exists;
    size_t count;

    for (int i = 0; i < 9; i++)
        assert_true(buf_printf(&text, "{\"custom_id\":\"%d\",\"body\":{}}\n", i));
    world_write_input(w, text.data, text.len);
    world_asked(w, "b0", 0, 4, "");
    put(w, &early, "f", world_record(1, 2, 0, OUTCOME_OK, "{}"));
    struct merge *m = merge_new(w->sink, &w->spec, &(struct merge_plan){.windows = 3});
    assert_int_equal(merge_run(m, &err), MERGE_HOLES);
    const struct merge_hole *holes = merge_holes(m, &count);
    assert_int_equal(count, 2);
    assert_int_equal(holes[0].window, 1);
    assert_int_equal(holes[0].lines, 4);
    assert_int_equal(holes[0].left, 3);
    assert_int_equal(holes[0].mask[0], 4); /* line 2 is known */
    assert_int_equal(holes[1].window, 2);
    assert_int_equal(holes[1].lines, 1);
    assert_int_equal(holes[1].left, 1);
    merge_free(m);
    assert_true(sink_exists(w->sink, "in/0000000.json", &exists, NULL));
    assert_false(exists);
    assert_true(sink_exists(w->sink, OUT0, &exists, NULL));
    assert_false(exists);

    /* the holes are filled: the same part merges */
    world_asked(w, "b1", 1, 4, "");
    world_asked(w, "b2", 2, 1, "");
    must_merge(w, 3);
    buf_release(&text);
}

static void a_cancelled_job_has_no_holes(void **state)
{
    struct world *w = *state;
    struct err err = {0};

    one_task(w);
    assert_int_equal(world_merge(w, 0, 1, true, &err), MERGE_DONE);
    world_assert(w, DEAD0,
                 "{\"id\":null,\"custom_id\":\"a\",\"response\":null,\"error\":{\"code\":"
                 "\"job_cancelled\",\"message\":\"the job was cancelled\"}}\n");
}

static void what_comes_after_the_list_is_fixed_changes_nothing(void **state)
{
    struct world *w = *state;
    char name[LAYOUT_NAME_MAX];

    one_task(w);
    world_asked(w, "b0", 0, 1, "");
    must_merge(w, 1);
    struct buf before = world_read(w, DEAD0);

    /* a merge that died after its list, and a success that arrives late */
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", sink_path(w->sink), layout_report(name, 0, 0));
    assert_int_equal(remove(path), 0);
    (void)snprintf(path, sizeof(path), "%s/%s", sink_path(w->sink), layout_dead(name, 0, 0));
    assert_int_equal(remove(path), 0);
    put(w, &early, "f", world_record(0, 0, 0, OUTCOME_OK, "{}"));
    must_merge(w, 1);
    world_assert(w, DEAD0, before.data);
    world_assert(w, OUT0, "");
    buf_release(&before);
}

/* A merge that ends as soon as the list of its files is in the sink. */
static void fix_list_and_die(struct world *w)
{
    struct merge *m = merge_new(w->sink, &w->spec, &(struct merge_plan){.windows = 1});
    struct err err = {0};
    bool exists = false;

    while (!exists) {
        (void)!merge_step(m, 1, &err);
        assert_true(sink_exists(w->sink, "in/0000000.json", &exists, NULL));
    }
    merge_free(m);
}

static void two_merges_that_saw_different_files_agree(void **state)
{
    bool adopted = false;

    for (int steps = 0; steps < 14; steps++) {
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
        struct world *w = *state;
        struct merge *slow = merge_new(w->sink, &w->spec, &(struct merge_plan){.windows = 1});
        struct err err = {0};

        input(w, "{\"custom_id\":\"a\",\"body\":{}}\n{\"custom_id\":\"b\",\"body\":{}}\n");
        put(w, &early, "f", world_record(0, 0, 0, OUTCOME_OK, "{}"));
        world_asked(w, "b0", 0, 2, "");
        for (int i = 0; i < steps; i++)
            (void)!merge_step(slow, 1, &err);
        put(w, &late, "g", world_record(0, 1, 0, OUTCOME_OK, "{}"));
        fix_list_and_die(w);
        assert_int_equal(merge_run(slow, &err), MERGE_DONE);
        merge_free(slow);

        struct report r = load_report(w);
        struct buf out = world_read(w, OUT0);
        struct buf dead = world_read(w, DEAD0);
        assert_int_equal(r.ok + r.failed, 2);
        assert_int_equal(out.len, r.out.bytes);
        assert_int_equal(dead.len, r.dead.bytes);
        assert_int_equal(strstr(out.data, "\"b\"") != NULL, r.ok == 2);
        adopted = adopted || (steps > 2 && r.ok == 2);
        report_release(&r);
        buf_release(&out);
        buf_release(&dead);
    }
    assert_true(adopted); /* some slow merge was past its own list of files */
}

static void more_segments_than_may_be_open_are_merged_in_passes(void **state)
{
    enum { TASKS = 40, SEGMENTS = 300 };
    struct world *w = *state;
    struct buf text = BUF_INIT(1 << 20);
    struct buf expected = BUF_INIT(1 << 20);
    char lines[SEGMENTS][32];

    for (int i = 0; i < TASKS; i++)
        assert_true(buf_printf(&text, "{\"custom_id\":\"%d\",\"body\":{}}\n", i));
    world_write_input(w, text.data, text.len);
    /* each covers the whole part; the oldest success of task i is in segment i * 7 % 300 */
    for (uint32_t s = 0; s < SEGMENTS; s++) {
        struct record records[TASKS];
        struct segment_batch batch = {.created_ms = s};
        char file[32];

        (void)snprintf(batch.bid, sizeof(batch.bid), "bid-%u", s);
        (void)snprintf(file, sizeof(file), "file-%u", s);
        (void)snprintf(lines[s], sizeof(lines[s]), "{\"id\":%u}", s);
        for (uint32_t i = 0; i < TASKS; i++)
            records[i] =
                world_record(i / 4, i % 4, i, s >= i * 7 ? OUTCOME_OK : OUTCOME_RETRY, lines[s]);
        world_segment(w, 0, &batch, file, 0, records, TASKS);
    }
    for (int i = 0; i < TASKS; i++)
        assert_true(buf_printf(
            &expected, "{\"id\":%d,\"custom_id\":\"%d\",\"response\":null,\"error\":null}\n", i * 7,
            i));
    must_merge(w, TASKS / 4);
    world_assert(w, OUT0, expected.data);
    struct report r = load_report(w);
    assert_int_equal(r.duplicates + r.superseded + r.ok, TASKS * SEGMENTS);
    report_release(&r);
    buf_release(&text);
    buf_release(&expected);
}

static void parts_are_merged_each_on_its_own(void **state)
{
    struct world *w = *state;
    struct buf text = BUF_INIT(1 << 20);
    struct buf expected = BUF_INIT(1 << 20);
    struct err err = {0};

    w->spec.window_lines = 1;
    for (uint32_t i = 0; i < 1100; i++)
        assert_true(buf_printf(&text, "{\"custom_id\":\"%u\",\"body\":{}}\n", i));
    world_write_input(w, text.data, text.len);
    uint32_t windows = world_cut(w);
    assert_int_equal(windows, 1100);
    for (uint32_t i = 0; i < windows; i++) {
        struct record record = world_record(i, 0, 0, OUTCOME_OK, "{}");
        char file[32];

        (void)snprintf(file, sizeof(file), "f%u", i);
        world_segment(w, i / PART_WINDOWS, &early, file, 0, &record, 1);
    }
    for (uint32_t part = 3; part-- > 0;)
        assert_int_equal(world_merge(w, part, windows, false, &err), MERGE_DONE);
    for (uint32_t i = 1024; i < 1100; i++)
        assert_true(buf_printf(
            &expected, "{\"id\":null,\"custom_id\":\"%u\",\"response\":null,\"error\":null}\n", i));
    world_assert(w, "out/0000002.jsonl", expected.data);
    buf_release(&text);
    buf_release(&expected);
}

static void an_inline_job_takes_ids_from_the_sink(void **state)
{
    struct world *w = *state;
    static const struct ids_entry entries[] = {
        {.line = 1, .id = "\"a\"",       .id_len = 3    },
        {.line = 2, .reason = "no body", .reason_len = 7},
    };
    struct buf doc = BUF_INIT(1 << 20);

    w->spec.inline_payload = true;
    assert_true(ids_encode(5, entries, 2, &doc, NULL));
    assert_true(sink_publish(w->sink, "ids/0000000", doc.data, doc.len, NULL, NULL));
    put(w, &early, "f", world_record(0, 0, 0, OUTCOME_OK, "{\"id\":\"r\"}"));
    must_merge(w, 1);
    world_assert(w, OUT0, "{\"id\":\"r\",\"custom_id\":\"a\",\"response\":null,\"error\":null}\n");
    world_assert(w, DEAD0,
                 "{\"id\":null,\"custom_id\":null,\"response\":null,\"error\":{\"code\":"
                 "\"invalid_request_line\",\"message\":\"line 2: no body\"}}\n");
    buf_release(&doc);
}

static void a_changed_input_is_noticed(void **state)
{
    struct world *w = *state;
    struct member m = {.window = 0, .lines = 1, .crc = 12345};
    struct evidence e = {.bid = "b", .remote = "r", .members = &m, .count = 1};
    struct err err = {0};

    one_task(w);
    world_evidence(w, 0, &e);
    assert_int_equal(world_merge(w, 0, 1, false, &err), MERGE_FAILED);
    assert_int_equal(err.kind, ERR_INPUT);
}

/* Which number of windows the caller believes in, against two in the input. */
static void an_input_of_another_length_is_noticed(void **state)
{
    struct world *w = *state;
    struct err err = {0};

    input(w, "{\"body\":{}}\n{\"body\":{}}\n{\"body\":{}}\n{\"body\":{}}\n{\"body\":{}}\n");
    world_asked(w, "b0", 0, 4, "");
    world_asked(w, "b1", 1, 1, "");
    assert_int_equal(world_merge(w, 0, 3, false, &err), MERGE_FAILED);
    assert_int_equal(err.kind, ERR_INPUT);
    put(w, &early, "f", world_record(1, 0, 0, OUTCOME_OK, "{}"));
    assert_int_equal(world_merge(w, 0, 1, false, &err), MERGE_FAILED);
    assert_int_equal(err.kind, ERR_INPUT);
    must_merge(w, 2);
}

static void a_damaged_segment_is_named(void **state)
{
    struct world *w = *state;
    struct err err = {0};
    char name[LAYOUT_NAME_MAX];

    one_task(w);
    assert_true(sink_publish(w->sink, layout_segment(name, 0, "f", 0), "rubbish", 7, NULL, NULL));
    assert_int_equal(world_merge(w, 0, 1, false, &err), MERGE_FAILED);
    assert_int_equal(err.kind, ERR_PERMANENT);
    assert_non_null(strstr(err.msg, name));
}

#ifdef SHEAF_FAILPOINTS
static const char *const deaths[] = {
    "sink.link:kill@1",   "sink.linked:kill@1", "merge.frozen:kill",  "sink.link:kill@2",
    "sink.linked:kill@2", "merge.out:kill",     "sink.link:kill@3",   "sink.linked:kill@3",
    "merge.dead:kill",    "sink.link:kill@4",   "sink.linked:kill@4", "merge.bad:kill",
    "sink.link:kill@5",   "sink.linked:kill@5",
};

static int merge_in_child(const char *path)
{
    struct world w = {0};
    struct err err = {0};

    w.spec = (struct job_spec){
        .job = "job", .ji = "abc123def456", .window_lines = 4, .window_bytes = 2000000};
    (void)snprintf(w.spec.model, sizeof(w.spec.model), "m");
    (void)snprintf(w.spec.source, sizeof(w.spec.source), "%s/in.jsonl", path);
    (void)snprintf(w.spec.sink, sizeof(w.spec.sink), "dir:%s/sink", path);
    w.sink = sink_open(w.spec.sink, "job", w.spec.ji, false, NULL);
    return world_merge(&w, 0, 1, false, &err) == MERGE_DONE ? 0 : 1;
}

static void a_merge_that_is_killed_anywhere_is_finished_by_the_next(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(deaths); i++) {
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
        struct world *w = *state;
        int status = 0;

        print_message("  %s\n", deaths[i]);
        input(w, "{\"custom_id\":\"a\",\"body\":{}}\n{\"custom_id\":\"b\",\"body\":{}}\n");
        put(w, &early, "f", world_record(0, 0, 0, OUTCOME_OK, "{}"));
        world_asked(w, "b0", 0, 2, "");
        pid_t pid = fork();
        if (pid == 0) {
            (void)setenv("SHEAF_FP", deaths[i], 1);
            (void)execl("/proc/self/exe", "test_merge", "merge", w->path, (char *)NULL);
            _exit(99);
        }
        assert_true(waitpid(pid, &status, 0) == pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

        /* in the meantime, a late success for the other task: it counts only before the list */
        put(w, &late, "g", world_record(0, 1, 0, OUTCOME_OK, "{}"));
        must_merge(w, 1);
        struct report r = load_report(w);
        struct buf out = world_read(w, OUT0);
        struct buf dead = world_read(w, DEAD0);
        assert_int_equal(r.ok + r.failed, 2);
        assert_int_equal(r.ok, i == 0 ? 2 : 1);
        assert_int_equal(out.len, r.out.bytes);
        assert_int_equal(dead.len, r.dead.bytes);
        assert_non_null(strstr(i == 0 ? out.data : dead.data, "\"b\""));
        report_release(&r);
        buf_release(&out);
        buf_release(&dead);
    }
}
#endif

int main(int argc, char **argv)
{
#ifdef SHEAF_FAILPOINTS
    if (argc == 3 && strcmp(argv[1], "merge") == 0)
        return merge_in_child(argv[2]);
#endif
    (void)argc;
    (void)argv;

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_best_line_wins),
        TEST(of_duplicates_in_one_batch_the_first_success_and_the_last_failure_win),
        TEST(the_providers_bytes_are_passed_on_as_they_came),
        TEST(ids_may_be_repeated_missing_and_long),
        TEST(what_has_no_line_says_why),
        TEST(an_error_row_keeps_response_and_error),
        TEST(tokens_of_winners_and_of_duplicates_are_apart),
        TEST(a_file_that_was_read_again_has_no_duplicates),
        TEST(what_was_sent_twice_is_counted_once_however_often_it_is_read),
        TEST(a_task_without_evidence_is_a_hole_and_nothing_is_published),
        TEST(a_cancelled_job_has_no_holes),
        TEST(what_comes_after_the_list_is_fixed_changes_nothing),
        TEST(two_merges_that_saw_different_files_agree),
        TEST(more_segments_than_may_be_open_are_merged_in_passes),
        TEST(parts_are_merged_each_on_its_own),
        TEST(an_inline_job_takes_ids_from_the_sink),
        TEST(a_changed_input_is_noticed),
        TEST(an_input_of_another_length_is_noticed),
        TEST(a_damaged_segment_is_named),
#ifdef SHEAF_FAILPOINTS
        TEST(a_merge_that_is_killed_anywhere_is_finished_by_the_next),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
