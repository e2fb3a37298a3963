/*
 * Random jobs against a reference that keeps everything in memory and writes
 * each rule down in the plainest way.
 */
#include "tests/testlib/unit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/merge/audit.h"
#include "common/merge/coverage.h"
#include "common/merge/report.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/generation.h"
#include "common/sink/layout.h"
#include "tests/unit/merge/world.h"

#define SEEDS       120
#define MAX_TASKS   120
#define MAX_BATCHES 14 /* in all generations */
#define GENERATIONS 3
#define MAX_LINES   4096

/* A line of some provider file. */
struct told {
    uint32_t task, batch;
    uint64_t offset;
    enum outcome outcome;
    char id[16];
    char text[256];
};

struct job {
    struct world world;
    uint64_t seed;
    uint32_t tasks, windows, batches;
    char ids[MAX_TASKS][80]; /* raw JSON, or "null" */
    uint64_t line_of[MAX_TASKS];
    bool invalid[MAX_TASKS];
    uint32_t window_of[MAX_TASKS], index_of[MAX_TASKS]; /* by the reference's own cut */
    uint32_t lines_in[MAX_TASKS];                       /* by window */
    struct segment_batch batch[MAX_BATCHES];
    int64_t ended_ms[MAX_BATCHES];
    bool refused[MAX_BATCHES]; /* never reached the provider */
    bool asked[MAX_BATCHES][MAX_TASKS];
    uint32_t generation_of[MAX_BATCHES]; /* that a batch was run in */
    uint32_t generation;                 /* now */
    uint32_t task_of[MAX_TASKS];         /* newest generation that lists the task */
    bool cancelled[GENERATIONS];         /* in that generation */
    bool is_failed[MAX_TASKS];           /* as the last merge has it */
    struct told told[MAX_LINES];
    uint32_t told_count;
    uint64_t ok, failed, duplicates, superseded, attempts, paid_twice;
    struct buf out, dead;
};

static uint32_t below(struct job *j, uint32_t bound)
{
    return world_random(&j->seed, bound);
}

static void make_id(struct job *j, uint32_t task)
{
    static const char *const ids[] = {"null", "\"same\"", "\"订单\\u0001\"", "\"\"", "\"\\ud800\""};

    if (below(j, 2) == 0)
        (void)snprintf(j->ids[task], sizeof(j->ids[task]), "%s", ids[below(j, ARRAY_LEN(ids))]);
    else
        (void)snprintf(j->ids[task], sizeof(j->ids[task]), "\"id-%u\"", task);
}

static void make_input(struct job *j)
{
    struct buf text = BUF_INIT(1 << 20);
    uint64_t line = 0;

    for (uint32_t i = 0; i < j->tasks; i++) {
        for (uint32_t blank = below(j, 8) == 0; blank > 0; blank--, line++)
            assert_true(buf_printf(&text, " \n"));
        make_id(j, i);
        j->invalid[i] = below(j, 6) == 0;
        assert_true(buf_printf(&text, "{\"custom_id\": %s%s}\n", j->ids[i],
                               j->invalid[i] ? "" : ",\"body\":{\"x\":1}"));
        j->line_of[i] = ++line;
        j->window_of[i] = i / j->world.spec.window_lines;
        j->index_of[i] = i % j->world.spec.window_lines;
        j->lines_in[j->window_of[i]]++;
    }
    world_write_input(&j->world, text.data, text.len);
    buf_release(&text);
    j->windows = world_cut(&j->world);
    assert_int_equal(j->windows,
                     (j->tasks + j->world.spec.window_lines - 1) / j->world.spec.window_lines);
}

static void tell(struct job *j, uint32_t task, uint32_t batch, uint64_t offset)
{
    static const enum outcome outcomes[] = {OUTCOME_OK, OUTCOME_OK, OUTCOME_PERM, OUTCOME_RETRY,
                                            OUTCOME_FREE};
    struct told *t = &j->told[j->told_count];
    char id[16];

    assert_true(j->told_count < MAX_LINES);
    t->task = task;
    t->batch = batch;
    t->offset = offset;
    t->outcome = outcomes[below(j, ARRAY_LEN(outcomes))];
    (void)snprintf(id, sizeof(id), "\"r%u\"", j->told_count++);
    memcpy(t->id, id, sizeof(id));
    if (t->outcome == OUTCOME_OK)
        (void)snprintf(t->text, sizeof(t->text),
                       "{\"custom_id\":\"w\",\"id\": %s ,\"response\":{\"status_code\":200, "
                       "\"body\":{\"usage\":{\"prompt_tokens\":1}}}}",
                       id);
    else
        (void)snprintf(t->text, sizeof(t->text),
                       "{\"id\":%s,\"response\":null ,\"error\":{\"code\":\"c%d\"}}", id,
                       (int)t->outcome);
}

/*
 * @count more batches, of this generation. Each asks for some tasks and tells some lines, in any
 * order, some twice. Most ask for what is to be done, but Redis may have gone back.
 */
static void make_batches(struct job *j, uint32_t count)
{
    uint32_t first = j->batches;

    j->batches += count;
    for (uint32_t b = first; b < j->batches; b++) {
        uint64_t offset = 0;

        j->generation_of[b] = j->generation;

        (void)snprintf(j->batch[b].bid, sizeof(j->batch[b].bid), "bid%u", below(j, 1000) * 10 + b);
        j->batch[b].created_ms = below(j, 3);
        j->ended_ms[b] = 10 + (int64_t)b; /* all different: the newest reason is clear */
        j->refused[b] = below(j, 5) == 0;
        for (uint32_t i = 0; i < j->tasks; i++)
            j->asked[b][i] = !j->invalid[i] && below(j, 3) != 0 &&
                             (j->task_of[i] == j->generation || below(j, 8) == 0);
        for (uint32_t n = 0; !j->refused[b] && n < j->tasks; n++) {
            uint32_t task = below(j, j->tasks);

            if (j->asked[b][task])
                tell(j, task, b, offset += 1 + below(j, 9));
        }
    }
}

/* The lines of batch @b, as pass @pass read them, cut into segments anywhere. */
static void publish_pass(struct job *j, uint32_t b, uint32_t pass)
{
    struct record records[MAX_TASKS];
    size_t count = 0;
    uint64_t chunk = 0;
    char file[sizeof(j->batch[b].bid) + 16];

    (void)snprintf(file, sizeof(file), "%s pass %u", j->batch[b].bid, pass);
    for (uint32_t i = 0; i < j->told_count; i++) {
        const struct told *t = &j->told[i];

        if (t->batch != b)
            continue;
        records[count++] =
            world_record(j->window_of[t->task], j->index_of[t->task],
                         ((uint64_t)pass << SEGMENT_PASS_SHIFT) + t->offset, t->outcome, t->text);
        if (count == MAX_TASKS || below(j, 20) == 0) {
            world_segment(&j->world, 0, &j->batch[b], file, chunk++, records, count);
            count = 0;
        }
    }
    if (count != 0)
        world_segment(&j->world, 0, &j->batch[b], file, chunk, records, count);
}

/* The files of some batches are read more than once: that changes nothing. */
static void publish_lines(struct job *j, uint32_t b)
{
    uint32_t passes = below(j, 4) == 0 ? 2 + below(j, 2) : 1;

    for (uint32_t pass = 0; pass < passes; pass++)
        publish_pass(j, b, pass);
}

static void publish_evidence(struct job *j, uint32_t b)
{
    struct member *members = xcalloc(j->windows, sizeof(*members));
    struct evidence e = {.remote_created_ms = j->batch[b].created_ms, .ended_ms = j->ended_ms[b]};

    memcpy(e.bid, j->batch[b].bid, sizeof(e.bid));
    if (j->refused[b])
        (void)snprintf(e.failure, sizeof(e.failure), "refused%u", b % 2);
    else
        (void)snprintf(e.remote, sizeof(e.remote), "remote%u", b);
    for (uint32_t w = 0; w < j->windows; w++)
        members[w] = (struct member){.window = w, .lines = j->lines_in[w]};
    for (uint32_t i = 0; i < j->tasks; i++) {
        if (!j->asked[b][i])
            mask_set(members[j->window_of[i]].mask, j->index_of[i]);
    }
    e.members = members;
    e.count = j->windows;
    world_evidence(&j->world, 0, &e);
    free(members);
}

/* Whether line @a is to be preferred to line @b of the same task. */
static bool preferred(const struct job *j, const struct told *a, const struct told *b)
{
    const struct segment_batch *x = &j->batch[a->batch];
    const struct segment_batch *y = &j->batch[b->batch];
    bool older;

    if (a->outcome != OUTCOME_OK && b->outcome != OUTCOME_OK &&
        j->generation_of[a->batch] != j->generation_of[b->batch])
        return j->generation_of[a->batch] > j->generation_of[b->batch];
    if (a->outcome != b->outcome)
        return a->outcome > b->outcome;
    if (x->created_ms != y->created_ms)
        older = x->created_ms < y->created_ms;
    else if (strcmp(x->bid, y->bid) != 0)
        older = strcmp(x->bid, y->bid) < 0;
    else
        older = a->offset < b->offset;
    return a->outcome == OUTCOME_OK ? older : !older;
}

static void expect_error(struct job *j, uint32_t task, const char *code, const char *message)
{
    j->failed++;
    j->is_failed[task] = !j->invalid[task];
    assert_true(buf_printf(&j->dead,
                           "{\"id\":null,\"custom_id\":%s,\"response\":null,\"error\":"
                           "{\"code\":\"%s\",\"message\":\"%s\"}}\n",
                           j->ids[task], code, message));
}

static void expect_line(struct job *j, const struct told *best)
{
    if (best->outcome == OUTCOME_OK) {
        j->ok++;
        assert_true(buf_printf(&j->out,
                               "{\"id\":%s,\"custom_id\":%s,\"response\":{\"status_code\":200, "
                               "\"body\":{\"usage\":{\"prompt_tokens\":1}}},\"error\":null}\n",
                               best->id, j->ids[best->task]));
        return;
    }
    j->failed++;
    j->is_failed[best->task] = true;
    assert_true(buf_printf(&j->dead,
                           "{\"id\":%s,\"custom_id\":%s,\"response\":null,\"error\":{\"code\":"
                           "\"c%d\"}}\n",
                           best->id, j->ids[best->task], (int)best->outcome));
}

static const struct told *find_best(struct job *j, uint32_t task)
{
    const struct told *best = NULL;
    bool paid[MAX_BATCHES] = {false};
    uint64_t payments = 0;
    uint64_t oks = 0;
    uint64_t others = 0;

    for (uint32_t i = 0; i < j->told_count; i++) {
        const struct told *t = &j->told[i];

        if (t->task != task)
            continue;
        if (t->outcome != OUTCOME_OK && j->generation_of[t->batch] < j->task_of[task]) {
            j->superseded++;
            continue;
        }
        oks += t->outcome == OUTCOME_OK;
        others += t->outcome != OUTCOME_OK;
        payments += t->outcome == OUTCOME_OK && !paid[t->batch];
        paid[t->batch] = paid[t->batch] || t->outcome == OUTCOME_OK;
        if (best == NULL || preferred(j, t, best))
            best = t;
    }
    j->paid_twice += payments > 1 ? payments - 1 : 0;
    j->duplicates += oks > 1 ? oks - 1 : 0;
    j->superseded += oks == 0 && others > 0 ? others - 1 : others;
    return best;
}

/* False: a hole. */
static bool expect_task(struct job *j, uint32_t task)
{
    const struct told *best = find_best(j, task);
    char text[160];
    uint32_t times = 0;
    int last = -1;
    bool cancelled = false;

    for (uint32_t g = j->task_of[task]; g <= j->generation; g++)
        cancelled = cancelled || j->cancelled[g];
    for (uint32_t b = 0; b < j->batches; b++) {
        times += j->asked[b][task] && !j->refused[b];
        if (j->asked[b][task] && j->generation_of[b] >= j->task_of[task])
            last = (int)b;
    }
    j->attempts += times;
    if (best != NULL) {
        expect_line(j, best);
    } else if (j->invalid[task]) {
        (void)snprintf(text, sizeof(text), "line %" PRIu64 ": no body", j->line_of[task]);
        expect_error(j, task, "invalid_request_line", text);
    } else if (last >= 0 && j->refused[last]) {
        (void)snprintf(text, sizeof(text), "refused%d", last % 2);
        expect_error(j, task, text, text);
    } else if (last >= 0) {
        (void)snprintf(text, sizeof(text), "the provider returned no result in %u %s", times,
                       times == 1 ? "attempt" : "attempts");
        expect_error(j, task, "missing_result", text);
    } else if (cancelled) {
        expect_error(j, task, "job_cancelled", "the job was cancelled");
    } else {
        return false;
    }
    return true;
}

/* Returns how many holes there are. */
static uint32_t expect(struct job *j)
{
    uint32_t holes = 0;

    j->ok = j->failed = j->duplicates = j->superseded = j->attempts = j->paid_twice = 0;
    memset(j->is_failed, 0, sizeof(j->is_failed));
    buf_clear(&j->out);
    buf_clear(&j->dead);
    assert_true(buf_append(&j->out, "", 0) && buf_append(&j->dead, "", 0));
    for (uint32_t i = 0; i < j->tasks; i++)
        holes += !expect_task(j, i);
    return holes;
}

/* What is known of a task that the newest generation lists, or of any in the first run. */
static bool is_settled(const struct job *j, uint32_t task, bool *failed)
{
    bool ok = false;
    bool perm = false;

    for (uint32_t t = 0; t < j->told_count; t++) {
        const struct told *told = &j->told[t];

        if (told->task != task)
            continue;
        ok = ok || told->outcome == OUTCOME_OK;
        perm = perm ||
               (told->outcome == OUTCOME_PERM && j->generation_of[told->batch] >= j->task_of[task]);
    }
    *failed = perm && !ok;
    return ok || perm;
}

/* @was_failed: as the merge of the generation before had them. */
static void check_coverage(struct job *j, const bool *was_failed)
{
    struct coverage *c = coverage_new(j->world.sink, 0, NULL);
    uint64_t failures = 0;
    uint64_t expected = 0;

    assert_non_null(c);
    assert_true(coverage_run(c, NULL));
    assert_false(coverage_is_final(c));
    for (uint32_t i = 0; i < j->tasks; i++) {
        bool failed = false;
        bool listed = j->generation == 0 || j->task_of[i] == j->generation;
        bool settled = is_settled(j, i, &failed) || !listed;

        assert_int_equal(mask_get(coverage_mask(c, j->window_of[i]), j->index_of[i]), settled);
        expected += listed ? failed : was_failed[i];
    }
    for (uint32_t w = 0; w < j->windows; w++) {
        uint32_t settled = 0;

        for (uint32_t i = 0; i < j->tasks; i++)
            settled += j->window_of[i] == w && !j->invalid[i] &&
                       mask_get(coverage_mask(c, w), j->index_of[i]);
        failures += coverage_failed(c, w, settled);
    }
    assert_int_equal(failures, expected);
    coverage_free(c);
}

static void check_final(struct job *j)
{
    struct coverage *c = coverage_new(j->world.sink, 0, NULL);

    assert_non_null(c);
    assert_true(coverage_is_final(c));
    for (uint32_t i = 0; i < j->tasks; i++)
        assert_true(mask_get(coverage_mask(c, j->window_of[i]), j->index_of[i]));
    coverage_free(c);
}

static void check_report(struct job *j)
{
    struct report r = {0};
    uint64_t codes = 0;

    assert_true(report_collect(j->world.sink, 1, &r, NULL));
    assert_int_equal(r.requests, j->tasks);
    assert_int_equal(r.ok, j->ok);
    assert_int_equal(r.failed, j->failed);
    assert_int_equal(r.duplicates, j->duplicates);
    assert_int_equal(r.superseded, j->superseded);
    assert_int_equal(r.paid_twice, j->paid_twice);
    assert_int_equal(r.generation, j->generation);
    assert_int_equal(r.attempts, j->attempts);
    assert_int_equal(r.tokens.prompt, j->ok);
    assert_int_equal(r.wasted.prompt, j->duplicates);
    for (size_t i = 0; i < r.code_count; i++)
        codes += r.codes[i].count;
    assert_int_equal(codes, r.failed);
    report_release(&r);
}

static void check_audit(struct job *j)
{
    struct audit audit;
    struct err err = {0};

    if (!audit_run(j->world.sink, &j->world.spec, NULL, NULL, NULL, &audit, &err))
        fail_msg("audit: %s", err.msg);
    if (!audit_passed(&audit))
        fail_msg("audit: %s", audit.first);
    assert_int_equal(audit.requests, j->tasks);
    assert_int_equal(audit.windows, j->windows);
    assert_int_equal(audit.ok, j->ok);
    assert_int_equal(audit.failed, j->failed);
}

/* Some failed tasks are to be done again; false: there are none. */
static bool resubmit(struct job *j)
{
    char name[LAYOUT_NAME_MAX];
    uint64_t rows = 0;
    struct rowset_writer *writer = rowset_begin(
        j->world.sink, layout_generation(name, j->generation + 1), false, j->windows, NULL);

    assert_non_null(writer);
    for (uint32_t w = 0; w < j->windows; w++) {
        struct rowset_window window = {.window = w, .lines = j->lines_in[w]};

        memset(window.mask, 0xff, sizeof(window.mask));
        for (uint32_t i = 0; i < j->tasks; i++) {
            uint32_t at = j->index_of[i];

            if (j->window_of[i] != w || !j->is_failed[i] || below(j, 3) == 0)
                continue;
            window.mask[at / 8] = (uint8_t)(window.mask[at / 8] & ~(1u << at % 8));
            window.left++;
            j->task_of[i] = j->generation + 1;
        }
        if (window.left > 0)
            assert_true(rowset_add(writer, &window, NULL));
        rows += window.left;
    }
    if (rows > 0)
        assert_true(rowset_commit(writer, NULL, NULL, NULL));
    else
        rowset_abort(writer);
    j->generation += rows > 0;
    return rows > 0;
}

static void run_generation(struct job *j, uint32_t batches)
{
    uint32_t first = j->batches;
    bool was_failed[MAX_TASKS];
    char name[LAYOUT_NAME_MAX];
    struct err err = {0};

    memcpy(was_failed, j->is_failed, sizeof(was_failed));
    make_batches(j, batches);
    for (uint32_t b = j->batches; b-- > first;) {
        publish_lines(j, b);
        publish_evidence(j, b);
    }
    check_coverage(j, was_failed);
    bool holes = expect(j) != 0;
    enum merge_result result = world_merge(&j->world, 0, j->windows, false, &err);
    if (result == MERGE_FAILED)
        fail_msg("%s", err.msg);
    assert_int_equal(result, holes ? MERGE_HOLES : MERGE_DONE);
    if (holes) {
        j->cancelled[j->generation] = true;
        assert_int_equal(expect(j), 0);
        assert_int_equal(world_merge(&j->world, 0, j->windows, true, &err), MERGE_DONE);
    }
    world_assert(&j->world, layout_out(name, 0, j->generation), j->out.data);
    world_assert(&j->world, layout_dead(name, 0, j->generation), j->dead.data);
    check_report(j);
    check_audit(j);
    check_final(j);
}

static void run_seed(uint64_t seed)
{
    struct job *j = xcalloc(1, sizeof(*j));

    j->seed = seed;
    j->out = BUF_INIT(1 << 20);
    j->dead = BUF_INIT(1 << 20);
    world_make(&j->world, 1 + below(j, 9));
    j->tasks = 1 + below(j, MAX_TASKS);
    make_input(j);
    run_generation(j, below(j, 8));
    while (j->generation + 1 < GENERATIONS && resubmit(j))
        run_generation(j, below(j, 4));
    world_free(&j->world);
    buf_release(&j->out);
    buf_release(&j->dead);
    free(j);
}

static void a_merge_is_what_the_reference_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        print_message("seed %" PRIu64 "\n", seed);
        run_seed(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_merge_is_what_the_reference_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
