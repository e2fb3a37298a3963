#include "cli/selection.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/core/json_put.h"
#include "common/base/nearest.h"
#include "common/json/result_line.h"
#include "common/merge/dead_rows.h"
#include "common/model/money.h"
#include "common/sink/sink.h"

#define SHOWN 20 /* causes */

void selection_release(struct selection *s)
{
    resubmit_filter_release(&s->filter);
    failures_release(&s->all);
    failures_release(&s->fits);
}

bool selection_parse(struct selection *s, const struct options *o, struct err *err)
{
    return (o->code == NULL || resubmit_filter_add_codes(&s->filter, o->code, err)) &&
           (o->shard == NULL || resubmit_filter_add_shards(&s->filter, o->shard, err));
}

bool selection_wants(void *arg, uint32_t window, int64_t status, const char *code)
{
    const struct failure row = {.status = status, .code = code, .message = ""};
    struct selection *s = arg;

    (void)failures_add(&s->all, &row);
    if (!resubmit_filter_fits(&s->filter, window, status, code))
        return false;
    (void)failures_add(&s->fits, &row);
    return true;
}

/* Whether a row with this @status and @code is meant by @word of --code, wherever it is. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the filter's words are its own */
static bool means(char *word, int64_t status, const char *code)
{
    struct resubmit_filter one = {.codes = &word, .code_count = 1};

    return resubmit_filter_fits(&one, 0, status, code);
}

static bool is_there(const struct failures *f, char *word)
{
    for (size_t i = 0; i < f->count; i++) {
        if (means(word, f->causes[i].status, f->causes[i].code))
            return true;
    }
    return f->others > 0; /* causes that were not kept: it may be one of them */
}

/* A row of an earlier generation. */
static enum dead_read look_at(struct dead_rows *rows, char *word, bool *found, struct err *err)
{
    struct dead_row row;
    struct result_line line;
    enum dead_read got = dead_rows_next(rows, &row, err);

    if (got == DEAD_ROW && !row.too_long && result_line_parse(row.text, row.len, &line, NULL))
        *found = means(word, line.status_code, line.code);
    return got;
}

/* Whether some row failed so before it was sent again. */
static bool was_there(struct sink *sink, uint32_t generations, char *word, bool *found,
                      struct err *err)
{
    *found = false;
    for (uint32_t below = 1; !*found && below <= generations; below++) {
        struct dead_rows *rows = dead_rows_new(sink, below, err);
        enum dead_read got = DEAD_ROW;

        if (rows == NULL)
            return false;
        while (!*found && got == DEAD_ROW)
            got = look_at(rows, word, found, err);
        dead_rows_free(rows);
        if (got == DEAD_FAILED)
            return false;
    }
    return true;
}

static bool unknown(const struct failures *f, const char *word, struct err *err)
{
    struct nearest near = {.word = word};
    char name[96];
    char suggestion[96] = "";

    for (size_t i = 0; i < f->count; i++) {
        if (f->causes[i].code[0] != '\0' && nearest_look(&near, f->causes[i].code))
            (void)snprintf(suggestion, sizeof(suggestion), "%s", f->causes[i].code);
        if (nearest_look(&near, failure_cause_name(&f->causes[i], name)))
            (void)snprintf(suggestion, sizeof(suggestion), "%s", name);
    }
    if (suggestion[0] != '\0')
        return err_set(err, ERR_USAGE, "--code: no row failed for \"%s\"; did you mean \"%s\"?",
                       word, suggestion);
    return err_set(err, ERR_USAGE, "--code: no row failed for \"%s\"", word);
}

bool selection_check(struct selection *s, struct sink *sink, uint32_t generations, struct err *err)
{
    bool found = true;

    for (size_t i = 0; i < s->filter.code_count; i++) {
        char *word = s->filter.codes[i];

        if (is_there(&s->all, word))
            continue;
        if (!was_there(sink, generations, word, &found, err))
            return false;
        if (!found)
            return unknown(&s->all, word, err);
    }
    return true;
}

/* What @c has of @total by its number of rows; -1: @total is not known. */
static int64_t share(const struct selection *s, const struct failure_cause *c, int64_t total)
{
    if (total < 0 || s->fits.rows == 0)
        return -1;
    return (int64_t)((double)total * (double)c->count / (double)s->fits.rows + 0.5);
}

static int64_t tokens_of(const struct resubmit_plan *plan)
{
    return plan->input_tokens < 0 || plan->output_tokens < 0
               ? -1
               : plan->input_tokens + plan->output_tokens;
}

static void put_cause(const struct selection *s, const struct failure_cause *c,
                      const struct resubmit_plan *plan, struct buf *out)
{
    char price[MONEY_TEXT_MAX];
    char name[96];
    int64_t tokens = share(s, c, tokens_of(plan));

    json_put_raw_fmt(out, "%12" PRIu64 "  ", c->count);
    json_put_clean(out, failure_cause_name(c, name));
    if (tokens >= 0)
        json_put_raw_fmt(out, ", about %" PRId64 " tokens", tokens);
    if (plan->currency != NULL)
        json_put_raw_fmt(out, ", %s", money_format(plan->currency, share(s, c, plan->nano), price));
    if (!failure_may_pass(c))
        json_put_raw_fmt(out, "\n              -> it may fail again: %s", failure_help(c));
    json_put_raw(out, "\n");
}

void selection_print(struct selection *s, const struct resubmit_plan *plan, struct buf *out)
{
    failures_sort(&s->fits);
    for (size_t i = 0; i < s->fits.count && i < SHOWN; i++)
        put_cause(s, &s->fits.causes[i], plan, out);
    if (s->fits.count > SHOWN)
        json_put_raw_fmt(out, "              and %zu other causes\n", s->fits.count - SHOWN);
}

void selection_print_json(struct selection *s, const struct resubmit_plan *plan, struct buf *out)
{
    char name[96];

    failures_sort(&s->fits);
    json_put_raw(out, "[");
    for (size_t i = 0; i < s->fits.count; i++) {
        const struct failure_cause *c = &s->fits.causes[i];

        json_put_raw(out, i > 0 ? ",{\"cause\":" : "{\"cause\":");
        json_put_text(out, failure_cause_name(c, name));
        json_put_raw_fmt(out, ",\"rows\":%" PRIu64 ",\"may_pass\":%s,\"about_tokens\":", c->count,
                         failure_may_pass(c) ? "true" : "false");
        json_put_count(out, share(s, c, tokens_of(plan)));
        json_put_raw(out, ",\"about_nano\":");
        json_put_count(out, plan->currency != NULL ? share(s, c, plan->nano) : -1);
        json_put_raw(out, "}");
    }
    json_put_raw(out, "]");
}
