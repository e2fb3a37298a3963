#include <inttypes.h>
#include <string.h>

#include "common/enrich/enrich_report.h"
#include "common/enrich/report_words.h"
#include "common/enrich/tally.h"

#define WHYS   5
#define VALUES 8
#define FIELDS 12

static bool put_costs(struct buf *out, const struct enrich_report *r)
{
    char currency[MONEY_CURRENCY_SIZE];
    char word[REPORT_WORD_MAX], money[MONEY_TEXT_MAX];
    int64_t nano, wasted;

    if (!enrich_report_cost(r, currency, &nano, &wasted) || currency[0] == '\0')
        return buf_printf(out, "%-16s ?\n", "cost of answers");
    return buf_printf(out, "%-16s %s\n", "cost of answers",
                      report_money(&r->fx, currency, nano, word)) &&
           (wasted == 0 || buf_printf(out, "%-16s %s, for answers that were not valid\n",
                                      "  of it wasted", money_format(currency, wasted, money)));
}

/* "¥" and "–" are one column wide and more than one byte long. */
static int padding(const char *text, int width)
{
    int columns = 0;

    for (const char *p = text; *p != '\0'; p++)
        columns += ((unsigned char)*p & 0xc0) != 0x80;
    return columns < width ? width - columns : 0;
}

static bool put_right(struct buf *out, const char *text, int width)
{
    return buf_printf(out, " %*s%s", padding(text, width), "", text);
}

static bool put_table(struct buf *out, const struct enrich_report *r)
{
    static const char *const heads[] = {"ok",      "repaired", "defaulted", "failed",
                                        "skipped", "open",     "answered",  "cost"};
    bool ok = buf_printf(out, "\n%-28s", "analysis");

    for (size_t i = 0; ok && i < sizeof(heads) / sizeof(heads[0]); i++)
        ok = put_right(out, heads[i], 9);
    ok = ok && buf_append(out, "\n", 1);
    for (size_t i = 0; ok && i < r->count; i++) {
        const struct enrich_analysis *a = &r->analyses[i];
        char word[REPORT_WORD_MAX], money[MONEY_TEXT_MAX];

        ok = buf_printf(out, "%-28s", a->name);
        for (int k = 0; ok && k < PAIR_VERDICTS; k++)
            ok = buf_printf(out, " %9" PRIu64, a->verdicts[k]);
        ok = ok &&
             put_right(out,
                       report_share(a->verdicts[VERDICT_OK] + a->verdicts[VERDICT_REPAIRED],
                                    r->rows, word),
                       9) &&
             put_right(out, enrich_analysis_cost(a, money), 9) && buf_append(out, "\n", 1);
    }
    return ok;
}

static bool put_whys(struct buf *out, const struct enrich_analysis *a)
{
    size_t count;
    const struct tally_entry *top = tally_top(a->whys, WHYS, &count);
    bool ok = a->invalid + a->lost == 0 ||
              buf_printf(out, "  %" PRIu64 " answer%s not valid, %" PRIu64 " row%s forgotten\n",
                         a->invalid, report_s(a->invalid), a->lost, report_s(a->lost));

    for (size_t i = 0; ok && i < count; i++)
        ok = buf_printf(out, "    %8" PRIu64 "  %s\n", top[i].count, top[i].text);
    if (ok && tally_texts(a->whys) > count)
        ok = buf_printf(out, "              and %zu more cause%s\n", tally_texts(a->whys) - count,
                        report_s(tally_texts(a->whys) - count));
    return ok;
}

static bool put_repairs(struct buf *out, const struct enrich_analysis *a)
{
    bool ok = true;
    const char *before = "  repaired: ";

    for (size_t i = 0; ok && i < REPAIR_COUNT; i++) {
        if (a->repairs[i] == 0)
            continue;
        ok = buf_printf(out, "%s%s %" PRIu64, before, repair_name((enum repair)i), a->repairs[i]);
        before = ", ";
    }
    return ok && (before[0] != ',' || buf_append(out, "\n", 1));
}

static bool put_numbers(struct buf *out, const struct enrich_field *f)
{
    char min[REPORT_WORD_MAX], mean[REPORT_WORD_MAX], max[REPORT_WORD_MAX];

    return f->numbers == 0 ||
           buf_printf(out, " least %s, mean %s, greatest %s;", report_decimal(f->min, min),
                      report_decimal(enrich_field_mean(f), mean), report_decimal(f->max, max));
}

static bool put_field(struct buf *out, struct enrich_field *f)
{
    char word[REPORT_WORD_MAX], place[ANSWER_FIELD_PATH_MAX];
    size_t count;
    const struct tally_entry *top = tally_top(f->tally, VALUES, &count);
    bool ok = buf_printf(out, "  %s:", report_place(f, place)) && put_numbers(out, f);

    if (ok && report_field_is_free(f))
        return buf_printf(out, " %" PRIu64 " values, all different\n", f->values);
    for (size_t i = 0; ok && i < count; i++)
        ok = buf_printf(out, "%s %s %s", i == 0 ? "" : ",", report_value(&top[i]),
                        report_share(top[i].count, f->values, word));
    if (ok && tally_texts(f->tally) > count)
        ok = buf_printf(out, ", and %zu%s more", tally_texts(f->tally) - count,
                        tally_others(f->tally) > 0 ? " or" : "");
    return ok && buf_append(out, "\n", 1);
}

static bool put_tokens(struct buf *out, const struct enrich_analysis *a)
{
    char word[REPORT_WORD_MAX];

    return a->metered == 0 ||
           buf_printf(out, "  prompt tokens: %" PRIu64 " estimated, %" PRIu64 " counted (%s)\n",
                      a->estimated, a->metered, report_deviation(a->estimated, a->metered, word));
}

static bool put_analysis(struct buf *out, const struct enrich_analysis *a)
{
    bool ok = buf_printf(out, "\n%s: %" PRIu64 " request%s\n", a->name, a->requests,
                         report_s(a->requests)) &&
              put_whys(out, a) && put_repairs(out, a) && put_tokens(out, a);

    for (size_t i = 0; ok && i < a->fields.count && i < FIELDS; i++)
        ok = put_field(out, &a->fields.items[i]);
    return ok;
}

bool enrich_report_write_text(const struct enrich_report *r, const struct job_spec *spec,
                              const struct report_times *times, struct buf *out)
{
    bool ok = report_write_text(&r->jobs, spec, times, out) &&
              buf_printf(out, "\n%-16s %" PRIu64 "\n", "rows", r->rows) &&
              (r->invalid_rows == 0 ||
               buf_printf(out, "%-16s %" PRIu64 "\n", "  no objects", r->invalid_rows)) &&
              buf_printf(out, "%-16s %zu\n", "rounds", r->rounds) && put_costs(out, r) &&
              put_table(out, r);

    for (size_t i = 0; ok && i < r->count; i++)
        ok = put_analysis(out, &r->analyses[i]);
    return ok;
}
