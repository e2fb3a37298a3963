#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/enrich/enrich_report.h"
#include "common/enrich/html_put.h"
#include "common/enrich/report_html_parts.h"
#include "common/enrich/report_words.h"
#include "common/enrich/tally.h"

#define WHYS   20
#define VALUES 50

static bool put_key(struct buf *out)
{
    bool ok = html_put(out, "<p class=\"key\">");

    for (int i = 0; ok && i < PAIR_VERDICTS; i++) {
        const char *name = pair_verdict_name((enum pair_verdict)i);

        ok = buf_printf(out,
                        "<span><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"%s\" "
                        "width=\"10\" height=\"10\"/></svg>%s</span> ",
                        name, name);
    }
    return ok && html_put(out, "</p>\n");
}

static bool put_verdict_bar(struct buf *out, const struct enrich_analysis *a, uint64_t rows)
{
    struct html_slice slices[PAIR_VERDICTS];

    for (int i = 0; i < PAIR_VERDICTS; i++) {
        const char *name = pair_verdict_name((enum pair_verdict)i);

        slices[i] = (struct html_slice){name, name, a->verdicts[i]};
    }
    return html_cell_bar(out, slices, PAIR_VERDICTS, rows);
}

static bool put_overview_row(struct buf *out, const struct enrich_report *r, size_t i)
{
    const struct enrich_analysis *a = &r->analyses[i];
    char word[REPORT_WORD_MAX], money[MONEY_TEXT_MAX];
    bool ok =
        html_put(out, "<tr>") && html_cell(out, NULL, a->name) && put_verdict_bar(out, a, r->rows);

    for (int k = 0; ok && k < PAIR_VERDICTS; k++)
        ok = html_cell_number(out, a->verdicts[k]);
    return ok &&
           html_cell(out, "n",
                     report_share(a->verdicts[VERDICT_OK] + a->verdicts[VERDICT_REPAIRED], r->rows,
                                  word)) &&
           html_cell(out, "n", enrich_analysis_cost(a, money)) && html_put(out, "</tr>\n");
}

static bool put_overview(struct buf *out, const struct enrich_report *r)
{
    static const char *const heads[] = {"analysis", "rows",    "ok",   "repaired", "defaulted",
                                        "failed",   "skipped", "open", "answered", "cost"};
    bool ok = html_put(out, "<h2>Analyses</h2>\n") && put_key(out) &&
              html_put(out, "<div class=\"wide\">") &&
              html_table(out, "overview", heads, ARRAY_LEN(heads));

    for (size_t i = 0; ok && i < r->count; i++)
        ok = put_overview_row(out, r, i);
    return ok && html_put(out, "</tbody></table></div>\n");
}

/* Texts and how often each came. */
static bool put_tally(struct buf *out, const char *title, const char *head, struct tally *tally)
{
    const char *const heads[] = {head, "", "times"};
    size_t count;
    const struct tally_entry *top = tally_top(tally, WHYS, &count);
    bool ok = true;

    if (count == 0)
        return true;
    ok = html_put(out, "<h4>") && html_text(out, title) && html_put(out, "</h4>\n") &&
         html_table(out, "tally", heads, ARRAY_LEN(heads));
    for (size_t i = 0; ok && i < count; i++) {
        const struct html_slice slice = {"failed", top[i].text, top[i].count};

        ok = html_put(out, "<tr>") && html_cell(out, NULL, top[i].text) &&
             html_cell_bar(out, &slice, 1, tally_total(tally)) &&
             html_cell_number(out, top[i].count) && html_put(out, "</tr>\n");
    }
    ok = ok && html_put(out, "</tbody></table>\n");
    if (ok && tally_texts(tally) > count)
        ok = buf_printf(out, "<p class=\"dim\">and %zu more</p>\n", tally_texts(tally) - count);
    return ok;
}

static int by_number(const void *a, const void *b)
{
    long long m = strtoll(report_value(a), NULL, 10);
    long long n = strtoll(report_value(b), NULL, 10);

    return (m > n) - (m < n);
}

static bool put_numbers(struct buf *out, const struct enrich_field *f)
{
    char min[REPORT_WORD_MAX], mean[REPORT_WORD_MAX], max[REPORT_WORD_MAX];

    return f->numbers == 0 ||
           buf_printf(out, ", from %s to %s, %s on average", report_decimal(f->min, min),
                      report_decimal(f->max, max), report_decimal(enrich_field_mean(f), mean));
}

static bool put_field_title(struct buf *out, const struct enrich_field *f)
{
    char values[REPORT_WORD_MAX], place[ANSWER_FIELD_PATH_MAX];

    return html_put(out, "<h4><bdi>") && html_text(out, report_place(f, place)) &&
           buf_printf(out, "</bdi>: %s value%s", report_number(f->values, values),
                      f->values == 1 ? "" : "s") &&
           put_numbers(out, f) && html_put(out, "</h4>\n");
}

static bool put_value_row(struct buf *out, const struct tally_entry *entry, uint64_t total)
{
    const struct html_slice slice = {"value", report_value(entry), entry->count};
    char word[REPORT_WORD_MAX];

    return html_put(out, "<tr>") &&
           html_cell(out, report_value_is_text(entry) ? NULL : "code", report_value(entry)) &&
           html_cell_bar(out, &slice, 1, total) && html_cell_number(out, entry->count) &&
           html_cell(out, "n", report_share(entry->count, total, word)) && html_put(out, "</tr>\n");
}

static bool put_field(struct buf *out, struct enrich_field *f)
{
    static const char *const heads[] = {"value", "", "times", "share"};
    struct tally_entry sorted[VALUES];
    size_t count;
    const struct tally_entry *top = tally_top(f->tally, VALUES, &count);

    if (!put_field_title(out, f))
        return false;
    if (report_field_is_free(f))
        return html_put(out, "<p class=\"dim\">all different</p>\n");
    for (size_t i = 0; i < count; i++)
        sorted[i] = top[i];
    if (f->numbers == f->values && f->whole && count > 0)
        qsort(sorted, count, sizeof(sorted[0]), by_number);
    bool ok = html_table(out, "values", heads, ARRAY_LEN(heads));
    for (size_t i = 0; ok && i < count; i++)
        ok = put_value_row(out, &sorted[i], f->values);
    ok = ok && html_put(out, "</tbody></table>\n");
    if (ok && tally_texts(f->tally) > count)
        ok = buf_printf(out, "<p class=\"dim\">and %zu%s more</p>\n", tally_texts(f->tally) - count,
                        tally_others(f->tally) > 0 ? " or" : "");
    return ok;
}

static bool put_repairs(struct buf *out, const struct enrich_analysis *a)
{
    const char *before = "<p>Repaired: ";
    char word[REPORT_WORD_MAX];
    bool ok = true;

    for (size_t i = 0; ok && i < REPAIR_COUNT; i++) {
        if (a->repairs[i] == 0)
            continue;
        ok = buf_printf(out, "%s%s %s", before, repair_name((enum repair)i),
                        report_number(a->repairs[i], word));
        before = ", ";
    }
    return ok && (before[0] == '<' || html_put(out, "</p>\n"));
}

static bool put_spend_row(struct buf *out, const struct enrich_spend *s)
{
    char money[MONEY_TEXT_MAX], wasted[MONEY_TEXT_MAX];
    const char *cost = s->priced ? money_format(s->quote.currency, s->nano, money) : "?";
    const char *lost = s->priced ? money_format(s->quote.currency, s->wasted_nano, wasted) : "?";

    return html_put(out, "<tr>") && html_cell(out, NULL, s->model) &&
           html_cell_number(out, s->requests) && html_cell_number(out, s->usage.prompt) &&
           html_cell_number(out, s->usage.cached) && html_cell_number(out, s->usage.completion) &&
           html_cell_number(out, s->usage.reasoning) && html_cell(out, "n", cost) &&
           html_cell(out, "n", lost) && html_put(out, "</tr>\n");
}

static bool put_deviation(struct buf *out, const struct enrich_analysis *a)
{
    char word[REPORT_WORD_MAX];

    return a->metered == 0 ||
           buf_printf(out,
                      "<p class=\"dim\">The prompts were estimated %s against what was "
                      "counted.</p>\n",
                      report_deviation(a->estimated, a->metered, word));
}

static bool put_spends(struct buf *out, const struct enrich_analysis *a)
{
    static const char *const heads[] = {"model",      "requests",  "prompt tokens", "cached",
                                        "completion", "reasoning", "cost",          "wasted"};
    bool ok = html_put(out, "<h4>Models</h4>\n<div class=\"wide\">") &&
              html_table(out, "spend", heads, ARRAY_LEN(heads));

    for (size_t i = 0; ok && i < a->spend_count; i++)
        if (a->spend[i].requests > 0)
            ok = put_spend_row(out, &a->spend[i]);
    return ok && html_put(out, "</tbody></table></div>\n") && put_deviation(out, a);
}

static bool put_counts(struct buf *out, const struct enrich_analysis *a)
{
    const struct {
        const char *before;
        uint64_t n;
        const char *word; /* with an s for several */
        const char *behind;
    } words[] = {
        {"<p>",        a->asked,    " row",     " asked"                      },
        {" in ",       a->requests, " request", ""                            },
        {", ",         a->answers,  " answer",  ""                            },
        {" of which ", a->invalid,  "",         " not valid"                  },
        {", ",         a->lost,     " time",    " a row forgotten by its pack"},
        {", ",         a->failures, " time",    " no answer from the provider"},
    };
    char word[REPORT_WORD_MAX];
    bool ok = true;

    for (size_t i = 0; ok && i < ARRAY_LEN(words); i++)
        if (i < 3 || words[i].n > 0)
            ok = html_put(out, words[i].before) && html_put(out, report_number(words[i].n, word)) &&
                 html_put(out, words[i].word) &&
                 html_put(out, words[i].word[0] != '\0' ? report_s(words[i].n) : "") &&
                 html_put(out, words[i].behind);
    return ok && html_put(out, ".</p>\n");
}

static bool put_analysis(struct buf *out, const struct enrich_analysis *a)
{
    bool ok = html_put(out, "<section>\n<h3>") && html_text(out, a->name) &&
              html_put(out, " <span class=\"dim\">\xe2\x86\x92 <bdi>") &&
              html_text(out, a->output) && html_put(out, "</bdi></span></h3>\n") &&
              put_counts(out, a) && put_repairs(out, a) &&
              put_tally(out, "Rows without an answer of the model", "code", a->codes) &&
              put_tally(out, "Why answers were not valid", "cause", a->whys) && put_spends(out, a);

    for (size_t i = 0; ok && i < a->fields.count; i++)
        ok = put_field(out, &a->fields.items[i]);
    if (ok && a->fields.more)
        ok = html_put(out, "<p class=\"dim\">The answers have more places than are shown.</p>\n");
    return ok && html_put(out, "</section>\n");
}

bool report_html_analyses(struct buf *out, const struct enrich_report *r)
{
    bool ok = put_overview(out, r);

    for (size_t i = 0; ok && i < r->count; i++)
        ok = put_analysis(out, &r->analyses[i]);
    return ok;
}
