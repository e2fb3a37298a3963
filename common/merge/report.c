#include "common/merge/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/json/scan.h"
#include "common/merge/report_fields.h"
#include "common/sink/generation.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define PART_VERSION   3
#define PART_VERSION_2 2 /* without money */
#define PART_VERSION_1 1 /* without generation and what was paid twice */
#define PART_MAX_BYTES (16u << 20)
#define OTHER_CODES    "(other)"

void report_init(struct report *report)
{
    *report = (struct report){0};
}

void report_release(struct report *report)
{
    free(report->codes);
    free(report->batches);
    spend_release(&report->spend);
    report_init(report);
}

/* Often asked-for codes move to the front, so most searches are short. */
static struct code_count *find_code(struct report *report, const char *code)
{
    struct code_count *codes = report->codes;

    for (size_t i = 0; i < report->code_count; i++) {
        if (strcmp(codes[i].code, code) != 0)
            continue;
        if (i > 0 && codes[i].count >= codes[i - 1].count) {
            struct code_count t = codes[i];

            codes[i] = codes[i - 1];
            codes[--i] = t;
        }
        return &codes[i];
    }
    return NULL;
}

void report_count_code(struct report *report, const char *code, uint64_t count)
{
    struct code_count *found = find_code(report, code);

    if (found == NULL && report->code_count >= REPORT_MAX_CODES) {
        code = OTHER_CODES;
        found = find_code(report, code);
    }
    if (found == NULL) {
        report->codes = xrealloc(report->codes, report->code_count + 1, sizeof(*report->codes));
        found = &report->codes[report->code_count++];
        found->count = 0;
        (void)snprintf(found->code, sizeof(found->code), "%s", code);
    }
    found->count += count;
}

void report_add_batch(struct report *report, const char *bid)
{
    size_t low = 0;
    size_t high = report->batch_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(report->batches[middle], bid);

        if (order == 0)
            return;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    report->batches = xrealloc(report->batches, report->batch_count + 1, sizeof(*report->batches));
    memmove(report->batches + low + 1, report->batches + low,
            (report->batch_count - low) * sizeof(*report->batches));
    (void)snprintf(report->batches[low], sizeof(report->batches[low]), "%s", bid);
    report->batch_count++;
}

void report_add(struct report *total, const struct report *part)
{
    for (size_t i = 0; i < REPORT_FIELD_COUNT; i++)
        *report_field(total, i) += *report_field_const(part, i);
    for (size_t i = 0; i < part->code_count; i++)
        report_count_code(total, part->codes[i].code, part->codes[i].count);
    for (size_t i = 0; i < part->batch_count; i++)
        report_add_batch(total, part->batches[i]);
    for (size_t i = 0; i < part->spend.count; i++)
        spend_add(&total->spend, &part->spend.items[i]);
    for (size_t i = 0; i < WASTES; i++) {
        total->wastes[i].lines += part->wastes[i].lines;
        total->wastes[i].unpriced += part->wastes[i].unpriced;
        money_add(&total->wastes[i].nano, part->wastes[i].nano);
    }
}

static int compare_codes(const void *a, const void *b)
{
    const struct code_count *x = a;
    const struct code_count *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->code, y->code);
}

void report_sort_codes(struct report *report)
{
    if (report->code_count != 0)
        qsort(report->codes, report->code_count, sizeof(*report->codes), compare_codes);
}

static bool write_wastes(const struct report *report, struct buf *out)
{
    bool ok = buf_printf(out, "[");

    for (size_t i = 0; ok && i < WASTES; i++) {
        const struct waste_sum *w = &report->wastes[i];

        ok = buf_printf(out, "%s[\"%s\",%" PRIu64 ",%" PRIu64 ",%" PRId64 "]", i == 0 ? "" : ",",
                        waste_name((enum waste)i), w->lines, w->unpriced, w->nano);
    }
    return ok && buf_printf(out, "]");
}

static bool write_money(struct report *report, struct buf *out)
{
    spend_sort(&report->spend);
    return buf_printf(out, ",\"spend\":") && spend_write(&report->spend, out) &&
           buf_printf(out, ",\"wasted\":") && write_wastes(report, out);
}

bool report_write_part(struct report *report, struct buf *out)
{
    bool ok = buf_printf(out, "{\"version\":%d,\"generation\":%" PRIu32, PART_VERSION,
                         report->generation);

    report_sort_codes(report);
    for (size_t i = 0; i < REPORT_FIELD_COUNT; i++)
        ok = ok &&
             buf_printf(out, ",\"%s\":%" PRIu64, report_field_name(i), *report_field(report, i));
    ok = ok && buf_printf(out, ",\"out_sha256\":\"%s\",\"dead_sha256\":\"%s\",\"codes\":[",
                          report->out.sha256, report->dead.sha256);
    for (size_t i = 0; ok && i < report->code_count; i++)
        ok = buf_printf(out, i == 0 ? "[" : ",[") &&
             json_string_encode(out, report->codes[i].code, strlen(report->codes[i].code)) &&
             buf_printf(out, ",%" PRIu64 "]", report->codes[i].count);
    ok = ok && buf_printf(out, "],\"batches\":[");
    for (size_t i = 0; ok && i < report->batch_count; i++)
        ok = buf_printf(out, i == 0 ? "" : ",") &&
             json_string_encode(out, report->batches[i], strlen(report->batches[i]));
    return ok && buf_printf(out, "]") && write_money(report, out) && buf_printf(out, "}\n");
}

static bool parse_codes(const struct json_value *codes, struct report *report)
{
    struct json_iter it = json_iter_begin(codes);
    struct json_value pair;

    while (json_iter_next(&it, NULL, &pair)) {
        struct json_iter in = json_iter_begin(&pair);
        struct json_value code;
        struct json_value count;
        char text[sizeof(report->codes[0].code)];
        int64_t n;

        if (!json_iter_next(&in, NULL, &code) || !json_iter_next(&in, NULL, &count) ||
            !json_string_decode(&code, text, sizeof(text), NULL) || !json_to_int64(&count, &n) ||
            n < 0)
            return false;
        report_count_code(report, text, (uint64_t)n);
    }
    return true;
}

static bool parse_batches(const struct json_value *batches, struct report *report)
{
    struct json_iter it = json_iter_begin(batches);
    struct json_value v;

    while (json_iter_next(&it, NULL, &v)) {
        char bid[BATCH_ID_LEN + 1];

        if (!json_string_decode(&v, bid, sizeof(bid), NULL))
            return false;
        report_add_batch(report, bid);
    }
    return true;
}

static struct waste_sum *find_waste(struct report *report, const char *name)
{
    for (size_t i = 0; i < WASTES; i++) {
        if (strcmp(waste_name((enum waste)i), name) == 0)
            return &report->wastes[i];
    }
    return NULL;
}

static bool parse_wastes(const struct json_value *wastes, struct report *report)
{
    struct json_iter it = json_iter_begin(wastes);
    struct json_value row;

    while (json_iter_next(&it, NULL, &row)) {
        struct json_iter in = json_iter_begin(&row);
        struct json_value name;
        char text[32];
        int64_t n[3];

        if (!json_iter_next(&in, NULL, &name) ||
            !json_string_decode(&name, text, sizeof(text), NULL))
            return false;
        for (size_t i = 0; i < ARRAY_LEN(n); i++) {
            struct json_value v;

            if (!json_iter_next(&in, NULL, &v) || !json_to_int64(&v, &n[i]) || n[i] < 0)
                return false;
        }
        struct waste_sum *sum = find_waste(report, text);
        if (sum == NULL)
            return false;
        *sum = (struct waste_sum){(uint64_t)n[0], (uint64_t)n[1], n[2]};
    }
    return true;
}

/* Before there were bills: what its batches cost is not known. */
static void add_unknown_spend(struct report *report)
{
    struct spend row = {.requests = report->attempts};

    if (row.requests > 0)
        spend_add(&report->spend, &row);
}

static bool parse_money(const struct json_value *doc, struct report *report)
{
    struct json_value version = json_member(doc, "version");
    struct json_value spend = json_member(doc, "spend");
    struct json_value wasted = json_member(doc, "wasted");
    int64_t kind;

    if (!json_to_int64(&version, &kind))
        return false;
    if (kind == PART_VERSION)
        return spend_parse(&spend, &report->spend) && parse_wastes(&wasted, report);
    add_unknown_spend(report);
    return true;
}

/* A version 1 has not all numbers; what is not there is 0. */
static bool parse_numbers(const struct json_value *doc, struct report *report)
{
    struct json_value version = json_member(doc, "version");
    struct json_value generation = json_member(doc, "generation");
    int64_t kind;
    int64_t n = 0;

    if (!json_to_int64(&version, &kind) || kind < PART_VERSION_1 || kind > PART_VERSION)
        return false;
    if (kind >= PART_VERSION_2 && (!json_to_int64(&generation, &n) || n < 0 || n > UINT32_MAX))
        return false;
    report->generation = (uint32_t)n;
    for (size_t i = 0; i < REPORT_FIELD_COUNT; i++) {
        struct json_value v = json_member(doc, report_field_name(i));

        if (kind == PART_VERSION_1 && v.kind == JSON_ABSENT)
            continue;
        if (!json_to_int64(&v, &n) || n < 0)
            return false;
        *report_field(report, i) = (uint64_t)n;
    }
    return true;
}

static bool parse_members(const struct json_value *doc, struct report *report)
{
    struct json_value out = json_member(doc, "out_sha256");
    struct json_value dead = json_member(doc, "dead_sha256");
    struct json_value codes = json_member(doc, "codes");
    struct json_value batches = json_member(doc, "batches");

    return parse_numbers(doc, report) &&
           json_string_decode(&out, report->out.sha256, sizeof(report->out.sha256), NULL) &&
           json_string_decode(&dead, report->dead.sha256, sizeof(report->dead.sha256), NULL) &&
           parse_codes(&codes, report) && parse_batches(&batches, report) &&
           parse_money(doc, report);
}

bool report_parse_part(const char *text, size_t len, struct report *report, struct err *err)
{
    struct json_value doc;
    struct report parsed = {0};

    if (!json_scan(text, len, &doc, NULL) || !parse_members(&doc, &parsed)) {
        report_release(&parsed);
        return err_set(err, ERR_PERMANENT, "not the report of a part");
    }
    *report = parsed;
    return true;
}

bool report_load_part(struct sink *sink, uint32_t part, uint32_t generation, struct report *report,
                      bool *found, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    struct buf doc = BUF_INIT(PART_MAX_BYTES);
    bool ok;

    if (!sink_exists(sink, layout_report(name, part, generation), found, err))
        return false;
    if (!*found)
        return true;
    ok = sink_read(sink, name, &doc, err) && (report_parse_part(doc.data, doc.len, report, err) ||
                                              err_wrap(err, "%s/%s", sink_path(sink), name));
    buf_release(&doc);
    return ok;
}

bool report_collect(struct sink *sink, uint32_t parts, struct report *report, struct err *err)
{
    struct report total = {0};
    struct generations *g = generations_load(sink, err);
    bool ok = g != NULL;

    for (uint32_t part = 0; ok && part < parts; part++) {
        struct report one = {0};
        bool found = false;

        ok = report_load_part(sink, part, generations_of_part(g, part, GENERATION_ANY), &one,
                              &found, err);
        if (ok && !found)
            ok = err_set(err, ERR_TEMPORARY, "part %" PRIu32 " of %" PRIu32 " is not merged yet",
                         part, parts);
        if (ok)
            report_add(&total, &one);
        report_release(&one);
    }
    if (ok) {
        total.generation = generations_newest(g);
        report_sort_codes(&total);
        *report = total;
    } else {
        report_release(&total);
    }
    generations_free(g);
    return ok;
}
