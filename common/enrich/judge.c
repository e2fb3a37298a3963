#include "common/enrich/judge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/enrich/block.h"
#include "common/enrich/reading.h"
#include "common/enrich/results.h"
#include "common/enrich/round_map.h"
#include "common/recipe/recipe.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define KEEP_BYTES     (16u << 20)
#define ID_MAX         128        /* of a custom_id: a name, an underscore, a number */
#define LINE_MAX_BYTES (1u << 30) /* of one result line that is read again */

/* One round in step. */
struct course {
    const struct enrich_round *round;
    struct round_map *map;
    struct results *results;
    const struct map_block *block;
};

/* What is known of a pair, and where it is from. Pointers are into the round's map block. */
struct slot {
    struct pair pair;
    uint32_t course;
    bool asked;                        /* in some round */
    const struct map_request *request; /* NULL: it was not asked in that round */
    size_t item;                       /* its row's place in the request */
    const struct map_pair *unasked;    /* why it was not */
    struct result_place place;
    bool ok; /* the line there is a success */
    unsigned repairs;
    bool kept; /* the answer is in the judge's buffer */
    size_t at, len;
};

struct judge {
    const struct recipe *recipe;
    struct pair_rule *rules; /* of each analysis */
    struct enrich_round *rounds;
    struct course *courses;
    size_t count;
    uint64_t first;
    uint32_t rows;
    struct slot *slots; /* row by row */
    size_t slot_cap;
    struct buf kept, id, line;
    struct reading reading, again;
    judge_result_fn watch;
    void *arg;
};

static bool open_course(const struct judge *j, struct course *c, size_t i, struct err *err)
{
    const struct round_map_id *id;
    int fd;

    c->round = &j->rounds[i];
    fd = sink_open_read(c->round->sink, LAYOUT_MAP, err);
    if (fd < 0)
        return false;
    c->map = round_map_new(fd, sink_path(c->round->sink), err);
    if (c->map == NULL)
        return false;
    id = round_map_id(c->map);
    if (id->analyses != j->recipe->count || strcmp(id->recipe, j->recipe->digest) != 0)
        return err_set(err, ERR_CONFLICT, "%s: its requests were made from another recipe",
                       sink_path(c->round->sink));
    if (id->round != i + 1)
        return err_set(err, ERR_CONFLICT, "%s: is round %" PRIu32 " instead of %zu",
                       sink_path(c->round->sink), id->round, i + 1);
    c->results = results_open(c->round->sink, c->round->parts, err);
    return c->results != NULL;
}

static struct pair_rule *make_rules(const struct recipe *recipe)
{
    struct pair_rule *rules = xcalloc(recipe->count, sizeof(*rules));

    for (size_t i = 0; i < recipe->count; i++) {
        const struct analysis *a = &recipe->analyses[i];

        rules[i] = (struct pair_rule){a->on_invalid, a->tries, a->fallback != NULL};
    }
    return rules;
}

struct judge *judge_new(const struct recipe *recipe, const struct enrich_round *rounds,
                        size_t count, struct err *err)
{
    struct judge *j = xcalloc(1, sizeof(*j));

    j->recipe = recipe;
    j->rules = make_rules(recipe);
    j->rounds = xcalloc(count, sizeof(*j->rounds));
    j->courses = xcalloc(count, sizeof(*j->courses));
    j->count = count;
    j->kept = BUF_INIT(KEEP_BYTES);
    j->id = BUF_INIT(ID_MAX);
    j->line = BUF_INIT(LINE_MAX_BYTES);
    reading_init(&j->reading);
    reading_init(&j->again);
    for (size_t i = 0; i < count; i++)
        j->rounds[i] = rounds[i];
    for (size_t i = 0; i < count; i++) {
        if (!open_course(j, &j->courses[i], i, err)) {
            judge_free(j);
            return NULL;
        }
    }
    return j;
}

void judge_free(struct judge *j)
{
    if (j == NULL)
        return;
    for (size_t i = 0; i < j->count; i++) {
        results_close(j->courses[i].results);
        round_map_close(j->courses[i].map);
    }
    reading_release(&j->reading);
    reading_release(&j->again);
    buf_release(&j->kept);
    buf_release(&j->id);
    buf_release(&j->line);
    free(j->slots);
    free(j->courses);
    free(j->rounds);
    free(j->rules);
    free(j);
}

void judge_watch(struct judge *j, judge_result_fn fn, void *arg)
{
    j->watch = fn;
    j->arg = arg;
}

static struct slot *slot_of(const struct judge *j, uint32_t row, size_t analysis)
{
    return &j->slots[(size_t)row * j->recipe->count + analysis];
}

/* The next block of every map: all are the same rows, or all at their end. */
static bool next_maps(struct judge *j, bool *end, struct err *err)
{
    for (size_t i = 0; i < j->count; i++) {
        struct course *c = &j->courses[i];
        bool over = false;

        if (!round_map_next(c->map, &c->block, &over, err))
            return false;
        if (i == 0)
            *end = over;
        if (over != *end || (!over && (c->block->first != j->courses[0].block->first ||
                                       c->block->rows != j->courses[0].block->rows ||
                                       c->block->sum != j->courses[0].block->sum)))
            return err_set(err, ERR_PERMANENT, "%s: the rounds are not of the same rows",
                           sink_path(c->round->sink));
        if (over && !results_end(c->results, err))
            return err_wrap(err, "%s", sink_path(c->round->sink));
    }
    return true;
}

static void clear_slots(struct judge *j)
{
    size_t count = j->courses[0].block->rows * j->recipe->count;

    j->first = j->courses[0].block->first;
    j->rows = (uint32_t)j->courses[0].block->rows;
    if (count > j->slot_cap) {
        free(j->slots);
        j->slots = xcalloc(count, sizeof(*j->slots));
        j->slot_cap = count;
    }
    memset(j->slots, 0, count * sizeof(*j->slots));
    buf_clear(&j->kept);
}

static void keep(struct judge *j, struct slot *slot, const struct slice *json)
{
    slot->at = j->kept.len;
    slot->len = json->len;
    slot->kept = json->len > 0 && buf_append(&j->kept, json->p, json->len);
}

static enum pair_state state_of_code(enum render_code code)
{
    if (code == RENDER_SKIPPED)
        return PAIR_SKIPPED;
    return code == RENDER_INVALID_ROW ? PAIR_NO_ROW : PAIR_PROBLEM;
}

static bool fold_unasked(struct judge *j, uint32_t course, struct err *err)
{
    const struct map_block *block = j->courses[course].block;

    for (size_t i = 0; i < block->pair_count; i++) {
        const struct map_pair *p = &block->pairs[i];

        if (p->row >= j->rows || p->analysis >= j->recipe->count)
            return err_set(err, ERR_PERMANENT, "a map names a row that is not in its block");
        struct slot *slot = slot_of(j, p->row, p->analysis);
        if (pair_fold(&slot->pair, state_of_code(p->code)))
            *slot = (struct slot){
                .pair = slot->pair, .course = course, .asked = slot->asked, .unasked = p};
    }
    return true;
}

static void fold_row(struct judge *j, const struct slot *from, const struct reading_row *said)
{
    struct slot *slot = slot_of(j, from->request->rows[from->item], from->request->analysis);

    slot->asked = true;
    if (!pair_fold(&slot->pair, said->said))
        return;
    struct pair pair = slot->pair;
    *slot = *from;
    slot->pair = pair;
    slot->asked = true;
    slot->repairs = said->repairs;
    keep(j, slot, &said->json);
}

static struct reading_request asked(const struct judge *j, const struct map_request *request)
{
    return (struct reading_request){.analysis = &j->recipe->analyses[request->analysis],
                                    .ids = request->ids,
                                    .count = request->row_count};
}

static void tell(const struct judge *j, uint32_t course, const struct map_request *request,
                 const struct result *result)
{
    const struct judge_result told = {.round = course,
                                      .request = request,
                                      .line = result->found ? &result->fields : NULL,
                                      .body = j->reading.body,
                                      .answered = result->found && result->ok,
                                      .rows = j->reading.rows};

    if (j->watch != NULL)
        j->watch(j->arg, &told);
}

static bool check_request(const struct judge *j, const struct map_request *request, struct err *err)
{
    bool good = request->analysis < j->recipe->count && request->row_count > 0 &&
                (request->ids != NULL || request->row_count == 1);

    for (size_t i = 0; good && i < request->row_count; i++)
        good = request->rows[i] < j->rows;
    return good || err_set(err, ERR_PERMANENT, "a map has a request that cannot be");
}

static bool fold_request(struct judge *j, uint32_t course, const struct map_request *request,
                         struct err *err)
{
    struct course *c = &j->courses[course];
    struct slot from = {.course = course, .request = request};
    struct result result;

    if (!check_request(j, request, err))
        return false;
    const struct reading_request asks = asked(j, request);
    if (!round_custom_id(&j->id, asks.analysis->name, j->first + request->rows[0]))
        return err_set(err, ERR_INTERNAL, "a custom_id is too long");
    if (!results_next(c->results, j->id.data, &result, err))
        return false;
    reading_make(&j->reading, &asks, result.found ? &result.fields : NULL, result.ok);
    if (result.found)
        from.place = result.place;
    from.ok = result.ok;
    for (from.item = 0; from.item < request->row_count; from.item++)
        fold_row(j, &from, &j->reading.rows[from.item]);
    tell(j, course, request, &result);
    return true;
}

static bool fold_course(struct judge *j, uint32_t course, struct err *err)
{
    const struct course *c = &j->courses[course];

    if (!fold_unasked(j, course, err))
        return err_wrap(err, "%s", sink_path(c->round->sink));
    for (size_t i = 0; i < c->block->request_count; i++)
        if (!fold_request(j, course, &c->block->requests[i], err))
            return err_wrap(err, "%s", sink_path(c->round->sink));
    return true;
}

/* Round 1 has a word for every pair. */
static bool check_complete(const struct judge *j, struct err *err)
{
    for (size_t i = 0; i < j->rows * j->recipe->count; i++)
        if (j->slots[i].pair.state == PAIR_UNKNOWN)
            return err_set(err, ERR_PERMANENT, "%s: the map lacks row %" PRIu64,
                           sink_path(j->courses[0].round->sink), j->first + i / j->recipe->count);
    return true;
}

bool judge_block(struct judge *j, bool *end, struct err *err)
{
    bool over = false;

    j->rows = 0;
    if (!next_maps(j, &over, err))
        return false;
    *end = over;
    if (over)
        return true;
    clear_slots(j);
    for (uint32_t i = 0; i < j->count; i++)
        if (!fold_course(j, i, err))
            return false;
    return check_complete(j, err);
}

uint64_t judge_first(const struct judge *j)
{
    return j->first;
}

uint32_t judge_rows(const struct judge *j)
{
    return j->rows;
}

bool judge_check_rows(const struct judge *j, const struct block *rows, struct err *err)
{
    uint64_t last = j->first + j->rows - 1;

    if (rows->first == j->first && rows->count == j->rows && rows->sum == j->courses[0].block->sum)
        return true;
    if (j->rows == 1)
        return err_set(err, ERR_INPUT, "row %" PRIu64 " is not what it was when it was asked about",
                       last);
    return err_set(err, ERR_INPUT,
                   "rows %" PRIu64 " to %" PRIu64
                   " are not what they were when they were asked about",
                   j->first, last);
}

enum pair_verdict judge_verdict(const struct judge *j, uint32_t row, size_t analysis, bool closed)
{
    return pair_verdict(&slot_of(j, row, analysis)->pair, &j->rules[analysis], closed);
}

/* Read the line again that counts for @slot, into j->again. */
static bool read_again(struct judge *j, const struct slot *slot, struct result_line *fields,
                       struct err *err)
{
    const struct reading_request asks = asked(j, slot->request);
    struct course *c = &j->courses[slot->course];
    struct json_error error;

    *fields = (struct result_line){0};
    if (slot->place.len == 0) {
        reading_make(&j->again, &asks, NULL, false);
        return true;
    }
    if (!results_reread(c->results, &slot->place, &j->line, err))
        return err_wrap(err, "%s", sink_path(c->round->sink));
    if (!result_line_parse(j->line.data, j->line.len, fields, &error))
        return err_set(err, ERR_PERMANENT, "%s: a result line is not what it was: %s",
                       sink_path(c->round->sink), error.what);
    reading_make(&j->again, &asks, fields, slot->ok);
    return true;
}

static bool look_again(struct judge *j, const struct slot *slot, struct judged *out,
                       struct err *err)
{
    const struct reading_row *said;
    struct result_line fields;

    if (!read_again(j, slot, &fields, err))
        return false;
    said = &j->again.rows[slot->item];
    out->raw = slot->item == 0 ? j->again.text : (struct slice){0};
    if (out->verdict == VERDICT_OK || out->verdict == VERDICT_REPAIRED) {
        out->json = said->json;
        return true;
    }
    out->code = said->code;
    out->why = said->why;
    out->response = fields.response;
    return true;
}

bool judge_look(struct judge *j, uint32_t row, size_t analysis, struct judged *out, struct err *err)
{
    const struct slot *slot = slot_of(j, row, analysis);
    const struct analysis *a = &j->recipe->analyses[analysis];
    struct judged found = {.verdict = judge_verdict(j, row, analysis, true),
                           .asked = slot->asked,
                           .repairs = slot->repairs,
                           .code = "",
                           .why = ""};

    if (found.verdict == VERDICT_DEFAULTED)
        found.json = (struct slice){a->fallback, strlen(a->fallback)};
    if (slot->unasked != NULL && found.verdict != VERDICT_SKIPPED) {
        found.code = render_code_name(slot->unasked->code);
        found.why = slot->unasked->why;
    }
    if (slot->kept)
        found.json = (struct slice){j->kept.data + slot->at, slot->len};
    if (slot->request != NULL && (!slot->kept || a->keep_raw) && !look_again(j, slot, &found, err))
        return false;
    if (!a->keep_raw)
        found.raw = (struct slice){0};
    *out = found;
    return true;
}

bool enrich_judge(const struct recipe *recipe, const struct enrich_round *rounds, size_t count,
                  struct enrich_open *out, struct err *err)
{
    struct judge *j = judge_new(recipe, rounds, count, err);
    struct enrich_open open = {0};
    bool end = false;
    bool ok = j != NULL;

    while (ok && (ok = judge_block(j, &end, err)) && !end) {
        for (size_t i = 0; i < j->rows * recipe->count; i++) {
            const struct pair *pair = &j->slots[i].pair;

            if (pair_verdict(pair, &j->rules[i % recipe->count], false) != VERDICT_OPEN)
                continue;
            open.pairs++;
            open.invalid += pair->state == PAIR_INVALID;
            open.lost += pair->state == PAIR_LOST;
        }
    }
    judge_free(j);
    if (ok)
        *out = open;
    return ok;
}

static bool choose(void *arg, const struct block *rows, uint8_t *ask, struct err *err)
{
    struct judge *j = arg;
    bool end = false;

    if (!judge_block(j, &end, err))
        return false;
    if (end)
        return err_set(err, ERR_INPUT, "there are more rows than in the rounds before");
    if (!judge_check_rows(j, rows, err))
        return false;
    for (size_t i = 0; i < rows->count * j->recipe->count; i++)
        ask[i] =
            pair_verdict(&j->slots[i].pair, &j->rules[i % j->recipe->count], false) == VERDICT_OPEN
                ? RENDER_ASK_ALONE
                : RENDER_ASK_NOT;
    return true;
}

struct render_choice judge_choice(struct judge *judge)
{
    return (struct render_choice){.block = choose, .arg = judge};
}
