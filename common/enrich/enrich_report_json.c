#include <inttypes.h>
#include <string.h>

#include "common/enrich/enrich_report.h"
#include "common/enrich/report_words.h"
#include "common/enrich/tally.h"

#define WHYS      20
#define VALUES    50
#define HISTOGRAM 200

static bool put_text(struct buf *out, const char *name, const char *text)
{
    return buf_printf(out, "\"%s\": ", name) && json_string_encode(out, text, strlen(text));
}

static bool put_number(struct buf *out, const char *name, uint64_t n)
{
    return buf_printf(out, ", \"%s\": %" PRIu64, name, n);
}

static bool put_usage(struct buf *out, const char *name, const struct usage *u)
{
    return buf_printf(out,
                      ", \"%s\": {\"prompt\": %" PRIu64 ", \"completion\": %" PRIu64
                      ", \"cached\": %" PRIu64 ", \"reasoning\": %" PRIu64 "}",
                      name, u->prompt, u->completion, u->cached, u->reasoning);
}

static bool put_tally(struct buf *out, const char *name, const char *member, struct tally *tally,
                      size_t max)
{
    size_t count;
    const struct tally_entry *top = tally_top(tally, max, &count);
    bool ok = buf_printf(out, ",\n       \"%s\": [", name);

    for (size_t i = 0; ok && i < count; i++)
        ok = buf_printf(out, i == 0 ? "{" : ", {") && put_text(out, member, top[i].text) &&
             put_number(out, "count", top[i].count) && buf_append(out, "}", 1);
    return ok && buf_append(out, "]", 1);
}

/* The amount as text, for programs without 64-bit integers as well, and the nano-units. */
static bool put_amount(struct buf *out, const char *name, int64_t nano)
{
    char text[MONEY_TEXT_MAX];

    return buf_printf(out, ", \"%s\": \"%s\", \"%s_nano\": %" PRId64, name,
                      money_format_exact(nano, text), name, nano);
}

static bool put_other(struct buf *out, const struct enrich_report *r, const char *currency,
                      int64_t nano)
{
    char rate[MONEY_TEXT_MAX];
    const char *other;
    int64_t amount;

    if (!report_exchange(&r->fx, currency, nano, &other, &amount))
        return buf_printf(out, ", \"other\": null");
    return buf_printf(out, ", \"other\": {\"currency\": \"%s\"", other) &&
           put_amount(out, "total", amount) &&
           buf_printf(out, ", \"USDCNY\": \"%s\", \"as_of\": \"%s\"}",
                      money_format_exact(r->fx.usdcny, rate), r->fx.as_of);
}

static bool put_cost(struct buf *out, const struct enrich_report *r)
{
    char currency[MONEY_CURRENCY_SIZE];
    int64_t nano, wasted;

    if (!enrich_report_cost(r, currency, &nano, &wasted) || currency[0] == '\0')
        return buf_printf(out, ",\n    \"cost\": null");
    return buf_printf(out, ",\n    \"cost\": {\"currency\": \"%s\"", currency) &&
           put_amount(out, "total", nano) && put_amount(out, "wasted", wasted) &&
           put_other(out, r, currency, nano) && buf_append(out, "}", 1);
}

static bool put_spend(struct buf *out, const struct enrich_spend *s)
{
    if (!buf_append(out, "{", 1) || !put_text(out, "model", s->model) ||
        !put_number(out, "requests", s->requests) || !put_number(out, "unmetered", s->unmetered) ||
        !put_usage(out, "tokens", &s->usage) || !put_usage(out, "wasted_tokens", &s->wasted))
        return false;
    if (!s->priced)
        return buf_printf(out, ", \"cost\": null}");
    return buf_printf(out, ", \"cost\": {\"currency\": \"%s\"", s->quote.currency) &&
           put_amount(out, "total", s->nano) && put_amount(out, "wasted", s->wasted_nano) &&
           buf_printf(out, "}}");
}

static bool put_spends(struct buf *out, const struct enrich_analysis *a)
{
    bool ok = buf_printf(out, ",\n       \"models\": [");
    const char *comma = "";

    for (size_t i = 0; ok && i < a->spend_count; i++) {
        if (a->spend[i].requests == 0)
            continue;
        ok = buf_printf(out, "%s", comma) && put_spend(out, &a->spend[i]);
        comma = ", ";
    }
    return ok && buf_append(out, "]", 1);
}

static bool put_value(struct buf *out, const struct tally_entry *entry)
{
    const char *text = report_value(entry);
    struct json_value value;

    /* A number that was cut is none. */
    if (!report_value_is_text(entry) && json_scan(text, strlen(text), &value, NULL))
        return buf_append(out, text, strlen(text));
    return json_string_encode(out, text, strlen(text));
}

static bool put_numbers(struct buf *out, const struct enrich_field *f)
{
    return buf_printf(out, ", \"numbers\": {\"count\": %" PRIu64, f->numbers) &&
           buf_printf(out, ", \"min\": %.15g, \"mean\": %.15g, \"max\": %.15g}", f->min,
                      enrich_field_mean(f), f->max);
}

static bool put_field(struct buf *out, const struct enrich_field *f)
{
    size_t count;
    const struct tally_entry *top = tally_top(f->tally, VALUES, &count);
    bool ok = buf_printf(out, "\n        {") && put_text(out, "path", f->path) &&
              put_number(out, "values", f->values) &&
              put_number(out, "different", tally_texts(f->tally)) &&
              put_number(out, "others", tally_others(f->tally)) &&
              (f->numbers == 0 || put_numbers(out, f)) && buf_printf(out, ",\n         \"top\": [");

    for (size_t i = 0; ok && i < count; i++)
        ok = buf_printf(out, i == 0 ? "{\"value\": " : ", {\"value\": ") &&
             put_value(out, &top[i]) && put_number(out, "count", top[i].count) &&
             buf_append(out, "}", 1);
    return ok && buf_printf(out, "]}");
}

static bool put_fields(struct buf *out, const struct enrich_analysis *a)
{
    bool ok = buf_printf(out, ",\n       \"answers_at\": [");

    for (size_t i = 0; ok && i < a->fields.count; i++)
        ok = (i == 0 || buf_append(out, ",", 1)) && put_field(out, &a->fields.items[i]);
    return ok &&
           buf_printf(out, "],\n       \"more_places\": %s", a->fields.more ? "true" : "false");
}

static bool put_repairs(struct buf *out, const struct enrich_analysis *a)
{
    bool ok = buf_printf(out, ",\n       \"repairs\": {");
    const char *comma = "";

    for (size_t i = 0; ok && i < REPAIR_COUNT; i++) {
        if (a->repairs[i] == 0)
            continue;
        ok = buf_printf(out, "%s\"%s\": %" PRIu64, comma, repair_name((enum repair)i),
                        a->repairs[i]);
        comma = ", ";
    }
    return ok && buf_append(out, "}", 1);
}

static bool put_verdicts(struct buf *out, const struct enrich_analysis *a)
{
    bool ok = buf_printf(out, ",\n       \"rows\": {");

    for (int i = 0; ok && i < PAIR_VERDICTS; i++)
        ok = buf_printf(out, "%s\"%s\": %" PRIu64, i == 0 ? "" : ", ",
                        pair_verdict_name((enum pair_verdict)i), a->verdicts[i]);
    return ok && buf_append(out, "}", 1);
}

static bool put_analysis(struct buf *out, const struct enrich_report *r, size_t i)
{
    const struct enrich_analysis *a = &r->analyses[i];
    unsigned coverage = enrich_report_coverage(r, i);

    return buf_printf(out, "\n      {") && put_text(out, "name", a->name) &&
           buf_append(out, ", ", 2) && put_text(out, "output", a->output) && put_verdicts(out, a) &&
           buf_printf(out, ", \"coverage\": %u.%03u", coverage / 1000, coverage % 1000) &&
           put_number(out, "asked", a->asked) && put_number(out, "requests", a->requests) &&
           put_number(out, "answers", a->answers) && put_number(out, "invalid", a->invalid) &&
           put_number(out, "lost", a->lost) && put_number(out, "failures", a->failures) &&
           put_number(out, "estimated_prompt", a->estimated) &&
           put_number(out, "metered_prompt", a->metered) && put_repairs(out, a) &&
           put_tally(out, "invalid_whys", "why", a->whys, WHYS) &&
           put_tally(out, "codes", "code", a->codes, WHYS) && put_spends(out, a) &&
           put_fields(out, a) && buf_append(out, "}", 1);
}

/* Go on behind the last member of the object that @out ends with. */
static bool reopen(struct buf *out)
{
    static const char end[] = "\n}\n";
    const size_t len = sizeof(end) - 1;

    if (out->len < len || memcmp(out->data + out->len - len, end, len) != 0)
        return false;
    out->len -= len;
    return true;
}

bool enrich_report_write_json(const struct enrich_report *r, const struct job_spec *spec,
                              const struct report_times *times, const struct report_paths *paths,
                              struct buf *out)
{
    bool ok = report_write_json(&r->jobs, spec, times, paths, out) && reopen(out) &&
              buf_printf(out, ",\n  \"recipe\": {\"rows\": %" PRIu64, r->rows) &&
              put_number(out, "invalid_rows", r->invalid_rows) &&
              put_number(out, "written", r->written) && put_number(out, "rounds", r->rounds) &&
              put_number(out, "failed", enrich_report_failed(r)) && put_cost(out, r) &&
              buf_printf(out, ",\n    \"analyses\": [");

    for (size_t i = 0; ok && i < r->count; i++)
        ok = (i == 0 || buf_append(out, ",", 1)) && put_analysis(out, r, i);
    return ok && buf_printf(out, "]\n  }\n}\n");
}
