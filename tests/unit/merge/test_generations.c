#include "tests/testlib/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/merge/audit.h"
#include "common/merge/coverage.h"
#include "common/merge/dead_rows.h"
#include "common/merge/merge.h"
#include "common/merge/publish.h"
#include "common/merge/report.h"
#include "common/merge/resubmit.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/generation.h"
#include "common/sink/layout.h"
#include "tests/unit/merge/world.h"

/* The world's job: windows of four lines. */
#define LINE(id) "{\"custom_id\":\"" id "\",\"body\":{}}\n"

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

static void again(void **state)
{
    assert_int_equal(tear_down(state), 0);
    assert_int_equal(set_up(state), 0);
}

static bool everything(void *arg, uint32_t window, int64_t status, const char *code)
{
    (void)arg;
    (void)window;
    (void)status;
    (void)code;
    return true;
}

static bool one_window(void *arg, uint32_t window, int64_t status, const char *code)
{
    (void)status;
    (void)code;
    return window == *(uint32_t *)arg;
}

static bool one_code(void *arg, uint32_t window, int64_t status, const char *code)
{
    (void)window;
    (void)status;
    return strcmp(code, arg) == 0;
}

static uint32_t parts_of(uint32_t windows)
{
    return (windows + PART_WINDOWS - 1) / PART_WINDOWS;
}

static struct resubmit *choose(struct world *w, uint32_t windows, resubmit_wants_fn wants,
                               void *arg)
{
    struct resubmit_state now;
    struct err err = {0};

    assert_true(resubmit_look(w->sink, &now, NULL));
    struct resubmit *r =
        resubmit_choose(w->sink, &w->spec, parts_of(windows), windows, &now, wants, arg, &err);
    if (r == NULL)
        fail_msg("%s", err.msg);
    return r;
}

/* Publish a resubmission; returns how it went. */
static enum resubmit_published resubmit(struct world *w, uint32_t windows, resubmit_wants_fn wants,
                                        void *arg, uint32_t *number)
{
    enum resubmit_published how;
    struct resubmit *r = choose(w, windows, wants, arg);

    assert_true(resubmit_publish(r, &how, number, NULL));
    resubmit_free(r);
    return how;
}

static void must_resubmit(struct world *w, uint32_t windows, uint32_t number)
{
    uint32_t got = 0;

    assert_int_equal(resubmit(w, windows, everything, NULL, &got), RESUBMIT_NEW);
    assert_int_equal(got, number);
}

static enum merge_result merge(struct world *w, bool cancelled)
{
    struct err err = {0};
    enum merge_result result = world_merge(w, 0, 1, cancelled, &err);

    if (result == MERGE_FAILED)
        fail_msg("%s", err.msg);
    return result;
}

/*
 * What a batch does: asked for the tasks of @mask of window 0, which has @lines; it ended after
 * all before it. Then, where @outcome is not MISSING, a line for task @line with @id.
 */
static void run_batch(struct world *w, const char *bid, int64_t ended_ms, uint32_t lines,
                      uint32_t line, enum outcome outcome, const char *id)
{
    static char texts[64][128];
    static size_t used;
    struct member member = {.lines = lines};
    struct evidence e = {.remote = "r", .ended_ms = ended_ms, .members = &member, .count = 1};
    struct segment_batch batch = {.created_ms = ended_ms - 5};
    char *text = texts[used++ % ARRAY_LEN(texts)];

    (void)snprintf(text, sizeof(texts[0]),
                   "{\"id\":\"%s\",\"response\":{\"status_code\":%d},\"error\":null}", id,
                   outcome == OUTCOME_OK ? 200 : 400);
    memset(member.mask, 0xff, sizeof(member.mask));
    member.mask[0] = (uint8_t)(member.mask[0] & ~(1u << line));
    (void)snprintf(e.bid, sizeof(e.bid), "%s", bid);
    (void)snprintf(batch.bid, sizeof(batch.bid), "%s", bid);
    if (outcome != OUTCOME_MISSING) {
        struct record record = world_record(0, line, 0, outcome, text);

        world_segment(w, 0, &batch, bid, 0, &record, 1);
    }
    world_evidence(w, 0, &e);
}

static bool contains(struct world *w, const char *name, const char *text)
{
    struct buf got = world_read(w, name);
    bool found = strstr(got.data, text) != NULL;

    buf_release(&got);
    return found;
}

/* One task that failed, was resubmitted, and what came then. */
static const struct {
    const char *name;
    enum outcome first; /* in the first run; MISSING: asked for, no line */
    bool asked;         /* a batch of the resubmission ended */
    enum outcome then;
    bool cancelled; /* the resubmission was */
    const char *ok, *dead;
    bool hole;
} duels[] = {
    {"nothing came: it is still to be sent",                  OUTCOME_PERM,    false, 0,               false, NULL,     NULL,            true },
    {"a success",                                             OUTCOME_PERM,    true,  OUTCOME_OK,      false, "second", NULL,            false},
    {"the newer failure",                                     OUTCOME_PERM,    true,  OUTCOME_PERM,    false, NULL,     "second",        false},
    {"a failure that may be tried again, after one for good", OUTCOME_PERM,    true,  OUTCOME_RETRY,
     false,                                                                                                   NULL,     "second",        false},
    {"no line at all, after a failure for good",              OUTCOME_PERM,    true,  OUTCOME_MISSING, false, NULL,
     "missing_result",                                                                                                                   false},
    {"a success after no line",                               OUTCOME_MISSING, true,  OUTCOME_OK,      false, "second", NULL,            false},
    {"nothing after no line",                                 OUTCOME_MISSING, false, 0,               false, NULL,     NULL,            true },
    {"cancelled before anything came",                        OUTCOME_PERM,    false, 0,               true,  NULL,     "job_cancelled", false},
    {"cancelled, and a success had come",                     OUTCOME_PERM,    true,  OUTCOME_OK,      true,  "second", NULL,
     false                                                                                                                                    },
};

static void a_resubmitted_task_has_the_row_of_its_generation(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(duels); i++) {
        again(state);
        struct world *w = *state;

        print_message("  %s\n", duels[i].name);
        world_write_input(w, LINE("a"), strlen(LINE("a")));
        run_batch(w, "bbbbbbbbbbbbbbb1", 100, 1, 0, duels[i].first, "first");
        assert_int_equal(merge(w, false), MERGE_DONE);
        must_resubmit(w, 1, 1);
        if (duels[i].asked)
            run_batch(w, "aaaaaaaaaaaaaaa2", 200, 1, 0, duels[i].then, "second");
        assert_int_equal(merge(w, duels[i].cancelled), duels[i].hole ? MERGE_HOLES : MERGE_DONE);
        if (duels[i].ok != NULL)
            assert_true(contains(w, "out.g1/0000000.jsonl", duels[i].ok));
        if (duels[i].dead != NULL)
            assert_true(contains(w, "dead.g1/0000000.jsonl", duels[i].dead));
        assert_true(duels[i].first == OUTCOME_MISSING ||
                    contains(w, "dead/0000000.jsonl", "first")); /* the first run stays */
    }
}

static void what_is_not_resubmitted_stays_as_it_is(void **state)
{
    char missing[] = "missing_result";
    struct world *w = *state;
    uint32_t number = 0;

    world_write_input(w, LINE("a") LINE("b") LINE("c") LINE("d"), strlen(LINE("a")) * 4);
    run_batch(w, "bbbbbbbbbbbbbbb1", 100, 4, 0, OUTCOME_OK, "good");
    run_batch(w, "bbbbbbbbbbbbbbb2", 101, 4, 1, OUTCOME_PERM, "bad");
    run_batch(w, "bbbbbbbbbbbbbbb3", 102, 4, 2, OUTCOME_MISSING, "");
    assert_int_equal(merge(w, true), MERGE_DONE); /* d was cancelled */
    assert_int_equal(resubmit(w, 1, one_code, missing, &number), RESUBMIT_NEW);

    assert_int_equal(merge(w, false),
                     MERGE_HOLES); /* c only: a mark of the first run holds for d */
    run_batch(w, "bbbbbbbbbbbbbbb4", 200, 4, 2, OUTCOME_OK, "late");
    assert_int_equal(merge(w, false), MERGE_DONE);
    assert_true(contains(w, "out.g1/0000000.jsonl", "\"good\""));
    assert_true(contains(w, "out.g1/0000000.jsonl", "\"late\""));
    assert_true(contains(w, "dead.g1/0000000.jsonl", "\"bad\""));
    assert_true(contains(w, "dead.g1/0000000.jsonl", "job_cancelled"));
    struct report r;
    bool found;
    assert_true(report_load_part(w->sink, 0, 1, &r, &found, NULL));
    assert_int_equal(r.generation, 1);
    assert_int_equal(r.ok, 2);
    assert_int_equal(r.failed, 2);
    assert_int_equal(r.attempts, 4);
    assert_int_equal(r.paid_twice, 0);
    report_release(&r);
}

static void a_cancel_is_over_for_what_is_resubmitted(void **state)
{
    struct world *w = *state;

    world_write_input(w, LINE("a") LINE("b"), strlen(LINE("a")) * 2);
    assert_int_equal(merge(w, true), MERGE_DONE);
    must_resubmit(w, 1, 1);
    run_batch(w, "bbbbbbbbbbbbbbb1", 200, 2, 0, OUTCOME_OK, "a1");
    assert_int_equal(merge(w, false), MERGE_HOLES); /* b */
    assert_int_equal(merge(w, true), MERGE_DONE);   /* cancelled again, before b came */
    assert_true(contains(w, "out.g1/0000000.jsonl", "\"a1\""));
    assert_true(contains(w, "dead.g1/0000000.jsonl", "job_cancelled"));
}

static void each_resubmission_counts_from_its_own_beginning(void **state)
{
    struct world *w = *state;

    world_write_input(w, LINE("a") LINE("b"), strlen(LINE("a")) * 2);
    run_batch(w, "bbbbbbbbbbbbbbb1", 100, 2, 0, OUTCOME_PERM, "a0");
    run_batch(w, "bbbbbbbbbbbbbbb2", 101, 2, 1, OUTCOME_PERM, "b0");
    assert_int_equal(merge(w, false), MERGE_DONE);
    must_resubmit(w, 1, 1);
    run_batch(w, "bbbbbbbbbbbbbbb3", 200, 2, 0, OUTCOME_PERM, "a1");
    run_batch(w, "bbbbbbbbbbbbbbb4", 201, 2, 1, OUTCOME_OK, "b1");
    assert_int_equal(merge(w, false), MERGE_DONE);
    must_resubmit(w, 1, 2);
    assert_int_equal(merge(w, false), MERGE_HOLES);
    run_batch(w, "bbbbbbbbbbbbbbb5", 300, 2, 0, OUTCOME_FREE, "a2");
    assert_int_equal(merge(w, false), MERGE_DONE);
    assert_true(contains(w, "dead.g2/0000000.jsonl", "\"a2\""));
    assert_true(contains(w, "out.g2/0000000.jsonl", "\"b1\""));
    assert_true(contains(w, "dead.g1/0000000.jsonl", "\"a1\""));
}

/* Of a batch that Redis forgot while its results came: segments, and never an end. */
static void a_line_without_evidence_is_of_the_generation_that_took_it(void **state)
{
    struct world *w = *state;
    struct segment_batch lost = {.bid = "cccccccccccccccc", .created_ms = 90};
    struct record record =
        world_record(0, 0, 0, OUTCOME_PERM, "{\"id\":\"lost\",\"response\":{\"status_code\":400}}");

    world_write_input(w, LINE("a"), strlen(LINE("a")));
    world_segment(w, 0, &lost, "f", 0, &record, 1);
    assert_int_equal(merge(w, false), MERGE_DONE);
    assert_true(contains(w, "dead/0000000.jsonl", "\"lost\""));
    must_resubmit(w, 1, 1);
    run_batch(w, "bbbbbbbbbbbbbbb1", 200, 1, 0, OUTCOME_MISSING, "");
    assert_int_equal(merge(w, false), MERGE_DONE);
    assert_true(contains(w, "dead.g1/0000000.jsonl", "missing_result"));
}

static void a_batch_is_of_the_generation_that_took_its_first_file(void **state)
{
    struct world *w = *state;
    struct segment_batch late = {.bid = "cccccccccccccccc", .created_ms = 90};
    struct record record =
        world_record(0, 0, 0, OUTCOME_PERM, "{\"id\":\"old\",\"response\":{\"status_code\":400}}");

    world_write_input(w, LINE("a"), strlen(LINE("a")));
    world_segment(w, 0, &late, "f", 0, &record, 1);
    assert_int_equal(merge(w, false), MERGE_DONE);
    must_resubmit(w, 1, 1);
    run_batch(w, "cccccccccccccccc", 200, 1, 0, OUTCOME_MISSING, ""); /* its end, too late */
    assert_int_equal(merge(w, false), MERGE_HOLES);
}

/* Redis went back, and a task was sent again that nobody had asked for again. */
static void of_failures_the_newest_generation_wins(void **state)
{
    struct world *w = *state;
    uint32_t number = 0;
    char missing[] = "missing_result";

    world_write_input(w, LINE("a") LINE("b"), strlen(LINE("a")) * 2);
    run_batch(w, "bbbbbbbbbbbbbbb1", 100, 2, 0, OUTCOME_PERM, "a0");
    run_batch(w, "bbbbbbbbbbbbbbb2", 101, 2, 1, OUTCOME_MISSING, "");
    assert_int_equal(merge(w, false), MERGE_DONE);
    assert_int_equal(resubmit(w, 1, one_code, missing, &number), RESUBMIT_NEW); /* b */
    run_batch(w, "bbbbbbbbbbbbbbb3", 200, 2, 1, OUTCOME_PERM, "b1");
    run_batch(w, "bbbbbbbbbbbbbbb4", 90, 2, 0, OUTCOME_RETRY, "a1");
    assert_int_equal(merge(w, false), MERGE_DONE);
    assert_true(contains(w, "dead.g1/0000000.jsonl", "\"a1\""));
    assert_false(contains(w, "dead.g1/0000000.jsonl", "\"a0\""));
}

static void a_success_that_turns_up_again_was_paid_twice(void **state)
{
    struct world *w = *state;
    struct report r;
    bool found;

    world_write_input(w, LINE("a"), strlen(LINE("a")));
    run_batch(w, "bbbbbbbbbbbbbbb1", 100, 1, 0, OUTCOME_PERM, "no");
    assert_int_equal(merge(w, false), MERGE_DONE);
    must_resubmit(w, 1, 1);
    run_batch(w, "bbbbbbbbbbbbbbb3", 300, 1, 0, OUTCOME_OK, "newer");
    run_batch(w, "bbbbbbbbbbbbbbb2", 200, 1, 0, OUTCOME_OK, "older");
    assert_int_equal(merge(w, false), MERGE_DONE);
    assert_true(contains(w, "out.g1/0000000.jsonl", "\"older\""));
    assert_true(report_load_part(w->sink, 0, 1, &r, &found, NULL));
    assert_int_equal(r.duplicates, 1);
    assert_int_equal(r.paid_twice, 1);
    assert_int_equal(r.superseded, 1);
    report_release(&r);
}

static void a_merge_waits_for_the_generation_that_redis_knows(void **state)
{
    struct world *w = *state;
    struct merge_plan plan = {.windows = 1, .generation = 1};
    struct err err = {0};

    world_write_input(w, LINE("a"), strlen(LINE("a")));
    run_batch(w, "bbbbbbbbbbbbbbb1", 100, 1, 0, OUTCOME_PERM, "no");
    assert_int_equal(merge(w, false), MERGE_DONE);
    struct merge *m = merge_new(w->sink, &w->spec, &plan);
    assert_int_equal(merge_run(m, &err), MERGE_FAILED);
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    merge_free(m);
    must_resubmit(w, 1, 1);
    m = merge_new(w->sink, &w->spec, &plan);
    assert_int_equal(merge_run(m, &err), MERGE_HOLES);
    assert_int_equal(merge_resubmits(m), 1);
    merge_free(m);
}

/* ---- choosing */

static void two_windows(struct world *w)
{
    static const char text[] = LINE("a") LINE("b") LINE("c") LINE("d") LINE("e") "{}\n";
    struct member members[2] = {
        {.window = 0, .lines = 4},
        {.window = 1, .lines = 2}
    };
    struct evidence e = {.bid = "bbbbbbbbbbbbbbb1", .remote = "r", .ended_ms = 77, .count = 2};

    e.members = members;
    world_write_input(w, text, sizeof(text) - 1);
    members[1].mask[0] = 2; /* {} has no model: never sent */
    (void)snprintf(w->spec.model, sizeof(w->spec.model), "m");
    world_evidence(w, 0, &e);
    struct err err = {0};
    assert_int_equal(world_merge(w, 0, 2, false, &err), MERGE_DONE);
}

static void what_is_chosen_is_counted(void **state)
{
    char unknown[] = "no_such_code";
    struct world *w = *state;
    uint32_t second = 1;

    two_windows(w);
    struct resubmit *r = choose(w, 2, everything, NULL);
    const struct resubmit_counts *c = resubmit_counts(r);
    assert_int_equal(c->failed, 6);
    assert_int_equal(c->invalid, 1);
    assert_int_equal(c->rows, 5);
    assert_int_equal(c->windows, 2);
    assert_int_equal(c->parts, 1);
    assert_true(c->lanes_known);
    assert_int_equal(c->lane_count, 1);
    assert_int_equal(c->lanes[0].requests, 5);
    assert_string_equal(c->lanes[0].model, "m");
    assert_true(c->lanes[0].bytes > 5 * 30 && c->lanes[0].tokens >= 5);
    resubmit_free(r);
    r = choose(w, 2, one_window, &second);
    assert_int_equal(resubmit_counts(r)->rows, 1);
    resubmit_free(r);
    r = choose(w, 2, one_code, unknown);
    assert_int_equal(resubmit_counts(r)->rows, 0);
    resubmit_free(r);
    bool exists = true;
    assert_true(sink_exists(w->sink, "gen-1", &exists, NULL));
    assert_false(exists); /* nothing was published */
}

static void an_input_that_is_elsewhere_is_no_obstacle(void **state)
{
    struct world *w = *state;

    two_windows(w);
    assert_int_equal(unlink(w->input), 0);
    struct resubmit *r = choose(w, 2, everything, NULL);
    assert_int_equal(resubmit_counts(r)->rows, 5);
    assert_false(resubmit_counts(r)->lanes_known);
    assert_non_null(strstr(resubmit_counts(r)->lanes_why, w->input));
    resubmit_free(r);
}

static void an_input_that_has_changed_is_refused(void **state)
{
    struct world *w = *state;
    struct resubmit_state now;
    struct err err = {0};

    two_windows(w);
    struct buf text = world_read_path(w->input);
    *strstr(text.data, "\"e\"") = ' '; /* in the second window */
    world_write_path(w->input, text.data, text.len);
    buf_release(&text);
    assert_true(resubmit_look(w->sink, &now, NULL));
    assert_null(resubmit_choose(w->sink, &w->spec, 1, 2, &now, everything, NULL, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_non_null(strstr(err.msg, "at line 5"));
}

static void one_resubmission_at_a_time(void **state)
{
    struct world *w = *state;
    struct resubmit_state now;
    uint32_t first = 0;
    uint32_t number = 0;
    struct err err = {0};

    two_windows(w);
    assert_int_equal(resubmit(w, 2, one_window, &first, &number), RESUBMIT_NEW);
    assert_true(resubmit_look(w->sink, &now, NULL));
    assert_int_equal(now.newest, 1);
    assert_int_equal(now.rows, 4);
    assert_true(now.under_way);
    /* the same again joins, another one has to wait */
    assert_int_equal(resubmit(w, 2, one_window, &first, &number), RESUBMIT_SAME);
    assert_int_equal(number, 1);
    assert_int_equal(resubmit(w, 2, everything, NULL, &number), RESUBMIT_OTHER);
    assert_int_equal(number, 1);

    struct member member = {.window = 0, .lines = 4};
    struct evidence e = {.bid = "bbbbbbbbbbbbbbb2", .remote = "r", .count = 1};
    e.members = &member;
    world_evidence(w, 0, &e);
    assert_int_equal(world_merge(w, 0, 2, false, &err), MERGE_DONE);
    assert_true(resubmit_look(w->sink, &now, NULL));
    assert_false(now.under_way);
    assert_int_equal(resubmit(w, 2, everything, NULL, &number), RESUBMIT_NEW);
    assert_int_equal(number, 2);
}

static void parts_must_be_merged_first(void **state)
{
    struct world *w = *state;
    struct resubmit_state now;
    struct err err = {0};

    two_windows(w);
    assert_true(resubmit_look(w->sink, &now, NULL));
    assert_null(resubmit_choose(w->sink, &w->spec, 2, 600, &now, everything, NULL, &err));
    assert_int_equal(err.kind, ERR_TEMPORARY);
}

static void dead_rows_say_where_and_when(void **state)
{
    struct world *w = *state;
    static const uint32_t places[][2] = {
        {0, 0},
        {0, 1},
        {0, 2},
        {0, 3},
        {1, 0},
        {1, 1}
    };
    struct dead_row row;

    two_windows(w);
    struct dead_rows *d = dead_rows_new(w->sink, GENERATION_ANY, NULL);
    assert_non_null(d);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        assert_int_equal(dead_rows_next(d, &row, NULL), DEAD_ROW);
        assert_int_equal(row.window, places[i][0]);
        assert_int_equal(row.line, places[i][1]);
        assert_int_equal(row.time_ms, i == 5 ? 0 : 77); /* the last was never sent */
        assert_non_null(memmem(row.text, row.len, i == 5 ? "invalid" : "missing", 7));
    }
    assert_int_equal(dead_rows_next(d, &row, NULL), DEAD_END);
    assert_int_equal(dead_rows_scope(d)->parts, 1);
    assert_int_equal(dead_rows_scope(d)->rows, 6);
    assert_int_equal(dead_rows_scope(d)->failed, 6);
    dead_rows_free(d);
    must_resubmit(w, 2, 1); /* under way: what failed before is no longer said */
    d = dead_rows_new(w->sink, GENERATION_ANY, NULL);
    assert_int_equal(dead_rows_next(d, &row, NULL), DEAD_END);
    dead_rows_free(d);
    d = dead_rows_new(w->sink, 1, NULL);
    assert_int_equal(dead_rows_next(d, &row, NULL), DEAD_ROW);
    dead_rows_free(d);
}

static void dead_rows_that_do_not_fit_their_list_are_noticed(void **state)
{
    struct world *w = *state;
    char path[512];
    struct dead_row row;
    struct err err = {0};

    two_windows(w);
    (void)snprintf(path, sizeof(path), "%s/dead/0000000.jsonl", sink_path(w->sink));
    struct buf text = world_read_path(path);
    world_write_path(path, text.data, (size_t)(strchr(text.data, '\n') - text.data) + 1);
    buf_release(&text);
    struct dead_rows *d = dead_rows_new(w->sink, GENERATION_ANY, NULL);
    assert_int_equal(dead_rows_next(d, &row, &err), DEAD_ROW);
    assert_int_equal(dead_rows_next(d, &row, &err), DEAD_FAILED);
    assert_int_equal(err.kind, ERR_PERMANENT);
    dead_rows_free(d);
}

/* ---- Redis was lost */

static void what_a_resubmission_has_brought_home_is_settled(void **state)
{
    char none[] = "";
    struct world *w = *state;
    uint32_t number = 0;
    struct err err = {0};

    world_write_input(w, LINE("a") LINE("b") LINE("c") LINE("d"), strlen(LINE("a")) * 4);
    run_batch(w, "bbbbbbbbbbbbbbb1", 100, 4, 0, OUTCOME_PERM, "a0");
    run_batch(w, "bbbbbbbbbbbbbbb2", 101, 4, 1, OUTCOME_PERM, "b0");
    run_batch(w, "bbbbbbbbbbbbbbb3", 102, 4, 2, OUTCOME_PERM, "c0");
    run_batch(w, "bbbbbbbbbbbbbbb4", 103, 4, 3, OUTCOME_MISSING, "");
    assert_int_equal(merge(w, false), MERGE_DONE);
    assert_int_equal(resubmit(w, 1, one_code, none, &number), RESUBMIT_NEW); /* a, b, c */
    run_batch(w, "bbbbbbbbbbbbbbb5", 200, 4, 0, OUTCOME_OK, "a1");
    run_batch(w, "bbbbbbbbbbbbbbb6", 201, 4, 1, OUTCOME_PERM, "b1");

    struct coverage *c = coverage_new(w->sink, 0, &err);
    assert_non_null(c);
    assert_true(coverage_run(c, NULL));
    assert_false(coverage_is_final(c));
    const uint8_t *mask = coverage_mask(c, 0);
    assert_true(mask_get(mask, 0));
    assert_true(mask_get(mask, 1));
    assert_false(mask_get(mask, 2));               /* an old failure that no longer counts */
    assert_true(mask_get(mask, 3));                /* not resubmitted */
    assert_int_equal(coverage_failed(c, 0, 3), 2); /* b by its new failure, d by its old one */
    assert_int_equal(coverage_failed(c, 1, 3), 0);
    coverage_free(c);

    run_batch(w, "bbbbbbbbbbbbbbb7", 202, 4, 2, OUTCOME_PERM, "c1");
    assert_int_equal(merge(w, false), MERGE_DONE);
    c = coverage_new(w->sink, 0, NULL);
    assert_true(coverage_run(c, NULL));
    assert_true(coverage_is_final(c));
    assert_int_equal(coverage_failed(c, 0, 4), 3);
    coverage_free(c);
}

/* ---- results */

static const struct report_times times = {1000, 1700000000000, NULL};

struct results {
    char folder[128], out[160], errors[160], report[160];
};

static void name_results(struct results *p, const char *path)
{
    (void)snprintf(p->folder, sizeof(p->folder), "%s/results", path);
    (void)snprintf(p->out, sizeof(p->out), "%s/out.jsonl", p->folder);
    (void)snprintf(p->errors, sizeof(p->errors), "%s/out.errors.jsonl", p->folder);
    (void)snprintf(p->report, sizeof(p->report), "%s/out.report.json", p->folder);
}

static bool publish(struct sink *sink, const struct job_spec *spec, const char *out, bool *adopted,
                    struct err *err)
{
    struct report report = {0};
    bool ok = publish_output(sink, spec, 1, out, false, &times, &report, adopted, err);

    report_release(&report);
    return ok;
}

static void must_publish(struct world *w, const struct results *p, bool adopted)
{
    struct err err = {0};
    bool was = false;

    if (!publish(w->sink, &w->spec, p->out, &was, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(was, adopted);
}

static void file_has(const char *path, const char *text)
{
    struct buf got = world_read_path(path);

    if (strstr(got.data, text) == NULL)
        fail_msg("%s has no %s", path, text);
    buf_release(&got);
}

/* Two tasks, one failed; published; the failed one resubmitted, with a success. */
static void resubmitted(struct world *w, struct results *p)
{
    name_results(p, w->path);
    assert_int_equal(mkdir(p->folder, 0777), 0);
    world_write_input(w, LINE("a") LINE("b"), strlen(LINE("a")) * 2);
    run_batch(w, "bbbbbbbbbbbbbbb1", 100, 2, 0, OUTCOME_OK, "a0");
    run_batch(w, "bbbbbbbbbbbbbbb2", 101, 2, 1, OUTCOME_PERM, "b0");
    assert_int_equal(merge(w, false), MERGE_DONE);
    must_publish(w, p, false);
    must_resubmit(w, 1, 1);
}

static void finish_resubmission(struct world *w)
{
    run_batch(w, "bbbbbbbbbbbbbbb3", 200, 2, 1, OUTCOME_OK, "b1");
    assert_int_equal(merge(w, false), MERGE_DONE);
}

static void output_is_replaced_whole(void **state)
{
    struct world *w = *state;
    struct results p;
    struct err err = {0};

    resubmitted(w, &p);
    assert_false(publish(w->sink, &w->spec, p.out, NULL, &err)); /* under way */
    assert_int_equal(err.kind, ERR_TEMPORARY);
    file_has(p.report, "\"generation\": 0");
    file_has(p.errors, "\"b0\"");
    finish_resubmission(w);
    must_publish(w, &p, false);
    file_has(p.out, "\"a0\"");
    file_has(p.out, "\"b1\"");
    file_has(p.report, "\"generation\": 1");
    file_has(p.report, "\"failed\": 0");
    struct buf errors = world_read_path(p.errors);
    assert_int_equal(errors.len, 0);
    buf_release(&errors);
    must_publish(w, &p, true);
    world_assert(w, "dead/0000000.jsonl",
                 "{\"id\":\"b0\",\"custom_id\":\"b\",\"response\":{\"status_code\":400},"
                 "\"error\":null}\n"); /* earlier generations stay */
}

static void an_output_that_fails_alike_is_written_again(void **state)
{
    struct world *w = *state;
    struct results p;

    resubmitted(w, &p);
    run_batch(w, "bbbbbbbbbbbbbbb3", 200, 2, 1, OUTCOME_PERM, "b1"); /* as many bytes as before */
    assert_int_equal(merge(w, false), MERGE_DONE);
    must_publish(w, &p, false);
    file_has(p.errors, "\"b1\"");
    must_publish(w, &p, true);
}

static void the_audit_knows_generations(void **state)
{
    struct world *w = *state;
    struct results p;
    struct audit audit;

    resubmitted(w, &p);
    assert_true(audit_run(w->sink, &w->spec, NULL, NULL, NULL, &audit, NULL));
    assert_false(audit_passed(&audit));       /* b is not known again yet */
    assert_int_equal(audit.missing.count, 2); /* nothing is merged in this generation */
    finish_resubmission(w);
    must_publish(w, &p, false);
    assert_true(audit_run(w->sink, &w->spec, p.out, NULL, NULL, &audit, NULL));
    if (!audit_passed(&audit))
        fail_msg("%s", audit.first);
    assert_int_equal(audit.ok, 2);
    struct buf text = world_read_path(p.out);
    world_write_path(p.out, text.data, text.len / 2);
    buf_release(&text);
    assert_true(audit_run(w->sink, &w->spec, p.out, NULL, NULL, &audit, NULL));
    assert_false(audit_passed(&audit));
}

#ifdef SHEAF_FAILPOINTS
/* The other process: one step of a resubmission. */
static int child(const char *what, const char *path)
{
    struct world w = {0};
    struct results p;
    struct err err = {0};
    int code = 1;

    w.spec = (struct job_spec){.job = "job",
                               .ji = "abc123def456",
                               .model = "m",
                               .window_lines = 4,
                               .window_bytes = 2000000};
    (void)snprintf(w.spec.source, sizeof(w.spec.source), "%s/in.jsonl", path);
    (void)snprintf(w.spec.sink, sizeof(w.spec.sink), "dir:%s/sink", path);
    w.sink = sink_open(w.spec.sink, "job", w.spec.ji, false, NULL);
    name_results(&p, path);
    if (strcmp(what, "resubmit") == 0)
        must_resubmit(&w, 1, 1);
    else if (strcmp(what, "merge") == 0)
        code = world_merge(&w, 0, 1, false, &err) != MERGE_DONE;
    else
        code = !publish(w.sink, &w.spec, p.out, NULL, &err);
    sink_close(w.sink);
    return code;
}

static void kill_in(const char *what, const char *failpoints, const char *path)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        (void)setenv("SHEAF_FP", failpoints, 1);
        (void)execl("/proc/self/exe", "test_generations", what, path, (char *)NULL);
        _exit(99);
    }
    assert_true(waitpid(pid, &status, 0) == pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static const char *const decisions[] = {"sink.link:kill", "sink.linked:kill",
                                        "resubmit.published:kill"};

static void a_resubmission_is_published_once_or_not_at_all(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(decisions); i++) {
        again(state);
        struct world *w = *state;
        uint32_t number = 0;

        print_message("  %s\n", decisions[i]);
        world_write_input(w, LINE("a"), strlen(LINE("a")));
        run_batch(w, "bbbbbbbbbbbbbbb1", 100, 1, 0, OUTCOME_PERM, "no");
        assert_int_equal(merge(w, false), MERGE_DONE);
        kill_in("resubmit", decisions[i], w->path);
        assert_int_equal(resubmit(w, 1, everything, NULL, &number),
                         i == 0 ? RESUBMIT_NEW : RESUBMIT_SAME);
        assert_int_equal(number, 1);
    }
}

static const char *const mergers[] = {"merge.frozen:kill", "merge.out:kill", "merge.dead:kill",
                                      "merge.bad:kill", "sink.link:kill@5"};

static void a_killed_merge_of_a_resubmission_is_finished_by_the_next(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(mergers); i++) {
        again(state);
        struct world *w = *state;
        struct results p;

        print_message("  %s\n", mergers[i]);
        resubmitted(w, &p);
        run_batch(w, "bbbbbbbbbbbbbbb3", 200, 2, 1, OUTCOME_OK, "b1");
        kill_in("merge", mergers[i], w->path);
        /* what comes now is too late for this generation */
        run_batch(w, "bbbbbbbbbbbbbbb0", 150, 2, 1, OUTCOME_OK, "late");
        assert_int_equal(merge(w, false), MERGE_DONE);
        must_publish(w, &p, false);
        file_has(p.out, "\"b1\"");
    }
}

static const char *const namings[] = {"publish.errors:kill", "publish.report:kill",
                                      "publish.output:kill"};

static void a_publication_cut_short_is_repaired_by_the_same_command(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(namings); i++) {
        again(state);
        struct world *w = *state;
        struct results p;

        print_message("  %s\n", namings[i]);
        resubmitted(w, &p);
        finish_resubmission(w);
        kill_in("publish", namings[i], w->path);
        must_publish(w, &p, i == 2);
        file_has(p.out, "\"b1\"");
        file_has(p.report, "\"generation\": 1");
        must_publish(w, &p, true);
    }
}

static void a_foreign_output_is_still_refused_after_a_kill(void **state)
{
    struct world *w = *state;
    struct results p;
    struct err err = {0};

    resubmitted(w, &p);
    finish_resubmission(w);
    kill_in("publish", "publish.report:kill", w->path);
    world_write_path(p.out, "mine\n", 5);
    assert_false(publish(w->sink, &w->spec, p.out, NULL, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
}
#endif

int main(int argc, char **argv)
{
#ifdef SHEAF_FAILPOINTS
    if (argc == 3)
        return child(argv[1], argv[2]);
#endif
    (void)argc;
    (void)argv;

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_resubmitted_task_has_the_row_of_its_generation),
        TEST(what_is_not_resubmitted_stays_as_it_is),
        TEST(a_cancel_is_over_for_what_is_resubmitted),
        TEST(each_resubmission_counts_from_its_own_beginning),
        TEST(a_line_without_evidence_is_of_the_generation_that_took_it),
        TEST(a_batch_is_of_the_generation_that_took_its_first_file),
        TEST(of_failures_the_newest_generation_wins),
        TEST(a_success_that_turns_up_again_was_paid_twice),
        TEST(a_merge_waits_for_the_generation_that_redis_knows),
        TEST(what_is_chosen_is_counted),
        TEST(an_input_that_is_elsewhere_is_no_obstacle),
        TEST(an_input_that_has_changed_is_refused),
        TEST(one_resubmission_at_a_time),
        TEST(parts_must_be_merged_first),
        TEST(dead_rows_say_where_and_when),
        TEST(dead_rows_that_do_not_fit_their_list_are_noticed),
        TEST(what_a_resubmission_has_brought_home_is_settled),
        TEST(output_is_replaced_whole),
        TEST(an_output_that_fails_alike_is_written_again),
        TEST(the_audit_knows_generations),
#ifdef SHEAF_FAILPOINTS
        TEST(a_resubmission_is_published_once_or_not_at_all),
        TEST(a_killed_merge_of_a_resubmission_is_finished_by_the_next),
        TEST(a_publication_cut_short_is_repaired_by_the_same_command),
        TEST(a_foreign_output_is_still_refused_after_a_kill),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
