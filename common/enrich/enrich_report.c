#include "common/enrich/enrich_report.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/enrich/reading.h"
#include "common/enrich/round_map.h"
#include "common/enrich/tally.h"
#include "common/recipe/recipe.h"

#define WHYS_MAX 1000

static void release_analysis(struct enrich_analysis *a)
{
    for (size_t i = 0; i < a->spend_count; i++)
        free(a->spend[i].model);
    free(a->spend);
    tally_free(a->whys);
    tally_free(a->codes);
    answer_fields_release(&a->fields);
    free(a->name);
    free(a->output);
}

void enrich_report_release(struct enrich_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        release_analysis(&report->analyses[i]);
    free(report->analyses);
    report_release(&report->jobs);
    *report = (struct enrich_report){0};
}

/* The models first, so that a model that nothing was asked of is known to be none. */
void enrich_report_begin(const struct recipe *recipe, struct enrich_report *out)
{
    *out = (struct enrich_report){.count = recipe->count};
    report_init(&out->jobs);
    out->analyses = xcalloc(recipe->count, sizeof(*out->analyses));
    for (size_t i = 0; i < recipe->count; i++) {
        const struct analysis *from = &recipe->analyses[i];
        struct enrich_analysis *a = &out->analyses[i];

        a->name = xstrdup(from->name);
        a->output = xstrdup(from->output);
        a->whys = tally_new(WHYS_MAX);
        a->codes = tally_new(WHYS_MAX);
        a->spend_count = strcmp(from->model, from->multimodal_model) == 0 ? 1 : 2;
        a->spend = xcalloc(2, sizeof(*a->spend));
        a->spend[0].model = xstrdup(from->model);
        if (a->spend_count == 2)
            a->spend[1].model = xstrdup(from->multimodal_model);
    }
}

static uint64_t known(int64_t tokens)
{
    return tokens < 0 ? 0 : (uint64_t)tokens;
}

static void count_usage(struct enrich_analysis *a, const struct judge_result *result, size_t bad)
{
    const struct map_request *request = result->request;
    const struct result_line *line = result->line;
    struct enrich_spend *spend = &a->spend[request->multimodal && a->spend_count == 2 ? 1 : 0];

    spend->requests++;
    if (line == NULL || (line->prompt_tokens < 0 && line->completion_tokens < 0)) {
        spend->unmetered += result->answered;
        return;
    }
    const struct usage usage = {known(line->prompt_tokens), known(line->cached_tokens),
                                known(line->completion_tokens), known(line->reasoning_tokens)};
    const size_t n = request->row_count > 0 ? request->row_count : 1;
    const struct usage wasted = {usage.prompt / n * bad + usage.prompt % n * bad / n,
                                 usage.cached / n * bad + usage.cached % n * bad / n,
                                 usage.completion / n * bad + usage.completion % n * bad / n,
                                 usage.reasoning / n * bad + usage.reasoning % n * bad / n};
    usage_add(&spend->usage, &usage);
    usage_add(&spend->wasted, &wasted);
    if (line->prompt_tokens >= 0) {
        a->estimated += request->tokens;
        a->metered += usage.prompt;
    }
}

static bool is_answer(enum pair_state said)
{
    return said == PAIR_OK || said == PAIR_REPAIRED || said == PAIR_INVALID;
}

/* That a row was forgotten is one cause, whatever its id. */
static void count_why(struct enrich_analysis *a, const struct reading_row *row)
{
    const char *why =
        strcmp(row->code, "forgotten") == 0 ? "nothing for the row in the pack's answer" : row->why;

    tally_add(a->whys, why, strlen(why), 1);
}

void enrich_report_result(void *report, const struct judge_result *result)
{
    struct enrich_report *r = report;
    struct enrich_analysis *a = &r->analyses[result->request->analysis];
    size_t bad = 0;

    for (size_t i = 0; i < result->request->row_count; i++) {
        const struct reading_row *row = &result->rows[i];
        bool lost = result->answered && row->said == PAIR_LOST;

        a->answers += is_answer(row->said);
        a->invalid += row->said == PAIR_INVALID;
        a->lost += lost;
        a->failures += !result->answered;
        if (row->said == PAIR_OK || row->said == PAIR_REPAIRED)
            continue;
        bad++;
        if (row->said == PAIR_INVALID || lost)
            count_why(a, row);
    }
    a->requests++;
    count_usage(a, result, bad);
}

void enrich_report_pair(struct enrich_report *report, size_t analysis, const struct judged *judged)
{
    struct enrich_analysis *a = &report->analyses[analysis];

    if (analysis == 0) {
        report->rows++;
        report->invalid_rows += strcmp(judged->code, render_code_name(RENDER_INVALID_ROW)) == 0;
    }
    a->verdicts[judged->verdict]++;
    a->asked += judged->asked;
    if (judged->verdict == VERDICT_DEFAULTED || judged->verdict == VERDICT_FAILED)
        tally_add(a->codes, judged->code, strlen(judged->code), 1);
    if (judged->verdict != VERDICT_OK && judged->verdict != VERDICT_REPAIRED)
        return;
    for (size_t i = 0; i < REPAIR_COUNT; i++)
        a->repairs[i] += judged->repairs >> i & 1;
    answer_fields_add(&a->fields, &judged->json);
}

static void price(struct enrich_spend *spend, const struct enrich_money *money)
{
    spend->priced =
        price_table_quote(money->prices, money->provider, spend->model, true, &spend->quote) &&
        price_quote_cost(&spend->quote, &spend->usage, &spend->nano) &&
        price_quote_cost(&spend->quote, &spend->wasted, &spend->wasted_nano);
}

static bool add_round(struct enrich_report *report, const struct enrich_round *round,
                      struct err *err)
{
    struct report one = {0};

    if (!report_collect(round->sink, round->parts, &one, err))
        return false;
    report_add(&report->jobs, &one);
    if (one.generation > report->jobs.generation)
        report->jobs.generation = one.generation;
    report_release(&one);
    return true;
}

bool enrich_report_end(struct enrich_report *report, const struct enrich_round *rounds,
                       size_t count, const struct enrich_money *money, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!add_round(report, &rounds[i], err))
            return false;
    report_sort_codes(&report->jobs);
    report->rounds = count;
    if (money == NULL)
        return true;
    for (size_t i = 0; i < report->count; i++)
        for (size_t k = 0; k < report->analyses[i].spend_count; k++)
            price(&report->analyses[i].spend[k], money);
    if (money->prices != NULL)
        report->fx = money->prices->fx;
    return true;
}

uint64_t enrich_report_failed(const struct enrich_report *report)
{
    uint64_t failed = 0;

    for (size_t i = 0; i < report->count; i++)
        failed += report->analyses[i].verdicts[VERDICT_FAILED];
    return failed;
}

unsigned enrich_report_coverage(const struct enrich_report *report, size_t analysis)
{
    const uint64_t *verdicts = report->analyses[analysis].verdicts;
    uint64_t answered = verdicts[VERDICT_OK] + verdicts[VERDICT_REPAIRED];

    return report->rows == 0 ? 0 : (unsigned)(answered * 1000 / report->rows);
}

bool enrich_report_cost(const struct enrich_report *report, char currency[MONEY_CURRENCY_SIZE],
                        int64_t *nano, int64_t *wasted)
{
    *nano = 0;
    *wasted = 0;
    currency[0] = '\0';
    for (size_t i = 0; i < report->count; i++) {
        for (size_t k = 0; k < report->analyses[i].spend_count; k++) {
            const struct enrich_spend *s = &report->analyses[i].spend[k];

            if (s->requests == 0)
                continue;
            if (!s->priced || (currency[0] != '\0' && strcmp(currency, s->quote.currency) != 0))
                return false;
            memcpy(currency, s->quote.currency, MONEY_CURRENCY_SIZE);
            money_add(nano, s->nano);
            money_add(wasted, s->wasted_nano);
        }
    }
    return true;
}

const char *enrich_analysis_cost(const struct enrich_analysis *a, char out[MONEY_TEXT_MAX])
{
    const char *currency = NULL;
    int64_t nano = 0;

    for (size_t i = 0; i < a->spend_count; i++) {
        if (a->spend[i].requests == 0)
            continue;
        if (!a->spend[i].priced)
            return "?";
        currency = a->spend[i].quote.currency;
        money_add(&nano, a->spend[i].nano);
    }
    return currency == NULL ? "" : money_format(currency, nano, out);
}

static bool collect_block(struct judge *judge, bool closed, struct enrich_report *out,
                          struct err *err)
{
    struct judged judged;

    for (uint32_t row = 0; row < judge_rows(judge); row++) {
        for (size_t i = 0; i < out->count; i++) {
            if (!judge_look(judge, row, i, &judged, err))
                return false;
            if (judge_verdict(judge, row, i, closed) == VERDICT_OPEN)
                judged.verdict = VERDICT_OPEN;
            enrich_report_pair(out, i, &judged);
        }
    }
    return true;
}

bool enrich_report_collect(const struct recipe *recipe, const struct enrich_round *rounds,
                           size_t count, bool closed, const struct enrich_money *money,
                           struct enrich_report *out, struct err *err)
{
    struct judge *judge = judge_new(recipe, rounds, count, err);
    struct enrich_report report;
    bool end = false;

    if (judge == NULL)
        return false;
    enrich_report_begin(recipe, &report);
    judge_watch(judge, enrich_report_result, &report);
    bool ok = true;
    while (ok && (ok = judge_block(judge, &end, err)) && !end)
        ok = collect_block(judge, closed, &report, err);
    ok = ok && enrich_report_end(&report, rounds, count, money, err);
    if (ok)
        *out = report;
    else
        enrich_report_release(&report);
    judge_free(judge);
    return ok;
}
