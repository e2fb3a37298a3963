#include "common/enrich/report_html.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/attr.h"
#include "common/base/units.h"
#include "common/base/xmem.h"
#include "common/enrich/enrich_report.h"
#include "common/enrich/html_put.h"
#include "common/enrich/report_html_parts.h"
#include "common/enrich/report_words.h"
#include "common/merge/report.h"

#define CODES 20

/* What all sections are made from. */
struct page {
    const struct report *jobs;
    const struct enrich_report *enriched; /* NULL: no recipe */
    const struct job_spec *spec;
    const struct report_times *times;
    struct price_fx fx;
    struct report_cost cost;
};

/* Nothing is loaded, whatever text got into the page. */
static bool put_head(struct buf *out, const struct page *page)
{
    return html_put(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
                         "'none'; style-src 'unsafe-inline'\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width, "
                         "initial-scale=1\">\n<title>") &&
           html_text(out, page->spec->job) && html_put(out, " \xc2\xb7 Sheaf</title>\n") &&
           report_html_style(out) && html_put(out, "</head>\n<body>\n<main>\n");
}

static bool put_when(struct buf *out, const struct report_times *times)
{
    time_t seconds = (time_t)(times->finished_ms / 1000);
    char took[UNITS_TEXT_MAX], at[64];
    struct tm tm;

    if (times->finished_ms <= 0 || gmtime_r(&seconds, &tm) == NULL ||
        strftime(at, sizeof(at), "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        return true;
    if (!buf_printf(out, "<p class=\"dim\">finished <time>%s</time>", at))
        return false;
    if (times->created_ms > 0 && times->created_ms <= times->finished_ms &&
        !buf_printf(out, " after %s",
                    units_format_duration(times->finished_ms - times->created_ms, took)))
        return false;
    return html_put(out, "</p>\n");
}

static bool put_header(struct buf *out, const struct page *page)
{
    const struct job_spec *spec = page->spec;

    if (!html_put(out, "<header>\n<h1><bdi>") || !html_text(out, spec->job) ||
        !html_put(out, "</bdi></h1>\n"))
        return false;
    if (spec->note[0] != '\0' && (!html_put(out, "<p><bdi>") || !html_text(out, spec->note) ||
                                  !html_put(out, "</bdi></p>\n")))
        return false;
    return html_put(out, "<p class=\"dim\">") && html_text(out, spec->provider) &&
           (spec->base_url[0] == '\0' ||
            (html_put(out, " \xc2\xb7 <bdi>") && html_text(out, spec->base_url) &&
             html_put(out, "</bdi>"))) &&
           html_put(out, "</p>\n") && put_when(out, page->times) && html_put(out, "</header>\n");
}

static bool put_tile(struct buf *out, const char *what, const char *value)
{
    return html_put(out, "<div class=\"tile\"><b>") && html_text(out, value) &&
           html_put(out, "</b><span>") && html_text(out, what) && html_put(out, "</span></div>\n");
}

static bool put_count(struct buf *out, const char *what, uint64_t n)
{
    char word[REPORT_WORD_MAX];

    return put_tile(out, what, report_number(n, word));
}

static bool put_recipe_tiles(struct buf *out, const struct enrich_report *r)
{
    uint64_t sums[PAIR_VERDICTS] = {0};
    uint64_t pairs = 0;
    char word[REPORT_WORD_MAX];

    for (size_t i = 0; i < r->count; i++) {
        for (int k = 0; k < PAIR_VERDICTS; k++) {
            sums[k] += r->analyses[i].verdicts[k];
            pairs += r->analyses[i].verdicts[k];
        }
    }
    return put_count(out, r->rows == 1 ? "row" : "rows", r->rows) &&
           put_count(out, r->count == 1 ? "analysis" : "analyses", r->count) &&
           put_tile(out, "answered",
                    report_share(sums[VERDICT_OK] + sums[VERDICT_REPAIRED], pairs, word)) &&
           put_count(out, "answers repaired", sums[VERDICT_REPAIRED]) &&
           put_count(out, "defaults", sums[VERDICT_DEFAULTED]) &&
           put_count(out, "failed", sums[VERDICT_FAILED]) &&
           put_count(out, r->rounds == 1 ? "round" : "rounds", r->rounds);
}

static bool put_tiles(struct buf *out, const struct page *page)
{
    const struct report *jobs = page->jobs;
    char word[REPORT_WORD_MAX];
    const char *cost = page->cost.known
                           ? report_money(&page->fx, page->cost.currency, page->cost.nano, word)
                           : "?";

    return html_put(out, "<div class=\"tiles\">\n") &&
           (page->enriched == NULL || put_recipe_tiles(out, page->enriched)) &&
           put_tile(out, "cost", cost) && put_count(out, "requests", jobs->requests) &&
           put_count(out, "requests with a result", jobs->ok) &&
           put_count(out, "requests failed", jobs->failed) &&
           put_count(out, "prompt tokens", jobs->tokens.prompt) &&
           put_count(out, "completion tokens", jobs->tokens.completion) &&
           put_count(out, "remote batches", jobs->batch_count) && html_put(out, "</div>\n");
}

static bool put_codes(struct buf *out, const struct page *page)
{
    static const char *const heads[] = {"code", "", "requests"};
    const struct report *jobs = page->jobs;
    bool ok;

    if (jobs->code_count == 0)
        return true;
    ok = html_put(out, "<h2>Requests that failed</h2>\n") &&
         html_table(out, "codes", heads, ARRAY_LEN(heads));
    for (size_t i = 0; ok && i < jobs->code_count && i < CODES; i++) {
        const struct code_count *c = &jobs->codes[i];
        const struct html_slice slice = {"failed", c->code, c->count};

        ok = html_put(out, "<tr>") && html_cell(out, "code", c->code) &&
             html_cell_bar(out, &slice, 1, jobs->failed) && html_cell_number(out, c->count) &&
             html_put(out, "</tr>\n");
    }
    ok = ok && html_put(out, "</tbody></table>\n");
    if (ok && jobs->code_count > CODES)
        ok = buf_printf(out, "<p class=\"dim\">and %zu more</p>\n", jobs->code_count - CODES);
    return ok;
}

static bool put_spend(struct buf *out, const struct spend *s)
{
    char money[MONEY_TEXT_MAX], expected[MONEY_TEXT_MAX];
    bool known = s->currency[0] != '\0';

    return html_put(out, "<tr>") && html_cell(out, NULL, s->model[0] == '\0' ? "?" : s->model) &&
           html_cell(out, "n", s->day[0] == '\0' ? "?" : s->day) &&
           html_cell_number(out, s->requests) && html_cell_number(out, s->usage.prompt) &&
           html_cell_number(out, s->usage.cached) && html_cell_number(out, s->usage.completion) &&
           html_cell(out, "n", known ? money_format(s->currency, s->nano, money) : "?") &&
           html_cell(out, "n", known ? money_format(s->currency, s->likely_nano, expected) : "?") &&
           html_put(out, "</tr>\n");
}

static bool put_spends(struct buf *out, const struct report *jobs)
{
    static const char *const heads[] = {"model",  "day",        "requests", "prompt tokens",
                                        "cached", "completion", "cost",     "expected"};
    struct spend_list sorted = {.count = jobs->spend.count};
    bool ok =
        html_put(out, "<div class=\"wide\">") && html_table(out, "spend", heads, ARRAY_LEN(heads));

    sorted.items = xcalloc(sorted.count, sizeof(*sorted.items));
    for (size_t i = 0; i < sorted.count; i++)
        sorted.items[i] = jobs->spend.items[i];
    spend_sort(&sorted);
    for (size_t i = 0; ok && i < sorted.count; i++)
        ok = put_spend(out, &sorted.items[i]);
    free(sorted.items);
    return ok && html_put(out, "</tbody></table></div>\n");
}

static bool put_wastes(struct buf *out, const struct page *page)
{
    static const char *const words[WASTES] = {"a second answer to one request",
                                              "a failure that a later answer replaced",
                                              "a failure that was billed"};
    char money[MONEY_TEXT_MAX], word[REPORT_WORD_MAX];
    bool ok = true;

    for (int i = 0; ok && i < WASTES; i++) {
        const struct waste_sum *w = &page->jobs->wastes[i];

        if (w->lines == 0)
            continue;
        ok = buf_printf(out, "<p>For nothing: %s%s, %s times %s.</p>\n",
                        w->unpriced > 0 ? "more than " : "",
                        money_format(page->cost.currency, w->nano, money),
                        report_number(w->lines, word), words[i]);
    }
    return ok;
}

static bool put_money(struct buf *out, const struct page *page)
{
    char money[REPORT_WORD_MAX];
    const struct report_cost *cost = &page->cost;

    if (page->jobs->spend.count == 0)
        return true;
    if (!html_put(out, "<h2>Money</h2>\n") || !put_spends(out, page->jobs))
        return false;
    if (cost->realtime_known &&
        !buf_printf(out, "<p>Without the Batch API: %s.</p>\n",
                    report_money(&page->fx, cost->currency, cost->realtime_nano, money)))
        return false;
    return put_wastes(out, page);
}

static bool put_file(struct buf *out, const char *name, const struct report_file *file)
{
    return file->sha256[0] == '\0' ||
           (html_put(out, "<tr>") && html_cell(out, NULL, name) &&
            html_cell_number(out, file->bytes) && html_cell(out, "code", file->sha256) &&
            html_put(out, "</tr>\n"));
}

static bool put_files(struct buf *out, const struct page *page)
{
    static const char *const heads[] = {"file", "bytes", "SHA-256"};
    const struct report *jobs = page->jobs;

    if (jobs->out.sha256[0] == '\0' && jobs->dead.sha256[0] == '\0')
        return true;
    return html_put(out, "<h2>Files</h2>\n<div class=\"wide\">") &&
           html_table(out, "files", heads, ARRAY_LEN(heads)) &&
           put_file(out, "output", &jobs->out) && put_file(out, "errors", &jobs->dead) &&
           html_put(out, "</tbody></table></div>\n");
}

static bool put_foot(struct buf *out, const struct page *page)
{
    return html_put(out, "<footer>Sheaf, job <bdi>") && html_text(out, page->spec->job) &&
           html_put(out, "</bdi> <code>") && html_text(out, page->spec->ji) &&
           html_put(out, "</code>. Amounts are list prices times the tokens that the provider "
                         "counted, not a bill.</footer>\n</main>\n</body>\n</html>\n");
}

bool report_html_write(const struct report *jobs, const struct enrich_report *enriched,
                       const struct job_spec *spec, const struct report_times *times,
                       struct buf *out)
{
    struct page page = {.jobs = jobs, .enriched = enriched, .spec = spec, .times = times};

    if (times->prices != NULL)
        page.fx = times->prices->fx;
    report_cost(jobs, spec, times->prices, &page.cost);
    return put_head(out, &page) && put_header(out, &page) && put_tiles(out, &page) &&
           (enriched == NULL || report_html_analyses(out, enriched)) && put_codes(out, &page) &&
           put_money(out, &page) && put_files(out, &page) && put_foot(out, &page);
}
