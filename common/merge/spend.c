#include "common/merge/spend.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/xmem.h"
#include "common/codec/evidence.h"

#define ROW_NUMBERS 9 /* of a row as JSON, behind model, day and currency */

static const char *const waste_names[WASTES] = {
    [WASTE_DUPLICATES] = "duplicates",
    [WASTE_SUPERSEDED] = "superseded",
    [WASTE_FAILED] = "failed",
};

const char *waste_name(enum waste waste)
{
    return waste_names[waste];
}

void spend_release(struct spend_list *list)
{
    free(list->items);
    *list = (struct spend_list){0};
}

static int compare(const void *a, const void *b)
{
    const struct spend *x = a;
    const struct spend *y = b;
    int order = strcmp(x->model, y->model);

    if (order == 0)
        order = strcmp(x->day, y->day);
    return order != 0 ? order : strcmp(x->currency, y->currency);
}

void spend_sort(struct spend_list *list)
{
    if (list->count != 0)
        qsort(list->items, list->count, sizeof(*list->items), compare);
}

void spend_add(struct spend_list *list, const struct spend *row)
{
    struct spend *sum = NULL;

    for (size_t i = 0; sum == NULL && i < list->count; i++) {
        if (compare(&list->items[i], row) == 0)
            sum = &list->items[i];
    }
    if (sum == NULL) {
        list->items = xrealloc(list->items, list->count + 1, sizeof(*list->items));
        list->items[list->count++] = *row;
        return;
    }
    sum->requests += row->requests;
    sum->guessed += row->guessed;
    sum->est_input += row->est_input;
    usage_add(&sum->usage, &row->usage);
    money_add(&sum->nano, row->nano);
    money_add(&sum->likely_nano, row->likely_nano);
}

static void format_day(int64_t unix_ms, char out[SPEND_DAY_SIZE])
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm tm;

    if (unix_ms <= 0 || gmtime_r(&seconds, &tm) == NULL ||
        strftime(out, SPEND_DAY_SIZE, "%Y-%m-%d", &tm) == 0)
        out[0] = '\0';
}

void spend_add_evidence(struct spend_list *list, const struct evidence *e)
{
    const struct bill *b = &e->bill;
    struct spend row = {.requests = e->billed ? b->lines + b->guessed : e->lines,
                        .guessed = b->guessed,
                        .est_input = b->est_input,
                        .usage = b->usage,
                        .nano = b->nano,
                        .likely_nano = b->likely_nano};

    if (row.requests == 0)
        return;
    memcpy(row.model, e->model, sizeof(row.model));
    format_day(e->ended_ms, row.day);
    if (b->priced)
        memcpy(row.currency, e->quote.currency, sizeof(row.currency));
    spend_add(list, &row);
}

static bool write_row(const struct spend *s, struct buf *out)
{
    return buf_printf(out, "[") && json_string_encode(out, s->model, strlen(s->model)) &&
           buf_printf(out,
                      ",\"%s\",\"%s\",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
                      ",%" PRIu64 ",%" PRIu64 ",%" PRId64 ",%" PRId64 "]",
                      s->day, s->currency, s->requests, s->guessed, s->est_input, s->usage.prompt,
                      s->usage.cached, s->usage.completion, s->usage.reasoning, s->nano,
                      s->likely_nano);
}

bool spend_write(const struct spend_list *list, struct buf *out)
{
    bool ok = buf_printf(out, "[");

    for (size_t i = 0; ok && i < list->count; i++)
        ok = (i == 0 || buf_printf(out, ",")) && write_row(&list->items[i], out);
    return ok && buf_printf(out, "]");
}

static bool next_text(struct json_iter *it, char *out, size_t size)
{
    struct json_value v;

    return json_iter_next(it, NULL, &v) && json_string_decode(&v, out, size, NULL);
}

static bool parse_row(const struct json_value *row, struct spend *out)
{
    struct json_iter it = json_iter_begin(row);
    int64_t n[ROW_NUMBERS];

    *out = (struct spend){0};
    if (!next_text(&it, out->model, sizeof(out->model)) ||
        !next_text(&it, out->day, sizeof(out->day)) ||
        !next_text(&it, out->currency, sizeof(out->currency)))
        return false;
    for (size_t i = 0; i < ROW_NUMBERS; i++) {
        struct json_value v;

        if (!json_iter_next(&it, NULL, &v) || !json_to_int64(&v, &n[i]) || n[i] < 0)
            return false;
    }
    out->requests = (uint64_t)n[0];
    out->guessed = (uint64_t)n[1];
    out->est_input = (uint64_t)n[2];
    out->usage = (struct usage){(uint64_t)n[3], (uint64_t)n[4], (uint64_t)n[5], (uint64_t)n[6]};
    out->nano = n[7];
    out->likely_nano = n[8];
    return true;
}

bool spend_parse(const struct json_value *rows, struct spend_list *list)
{
    struct json_iter it = json_iter_begin(rows);
    struct json_value row;
    struct spend s;

    if (rows->kind != JSON_ARRAY)
        return false;
    while (json_iter_next(&it, NULL, &row)) {
        if (!parse_row(&row, &s))
            return false;
        spend_add(list, &s);
    }
    return true;
}
