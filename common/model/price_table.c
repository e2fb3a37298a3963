#include "common/model/price_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/nearest.h"
#include "common/base/xmem.h"
#include "common/model/price_rows.h"

__extension__ typedef unsigned __int128 wide;

const char price_source[] = "pydantic/genai-prices, commit 47df840 of 2026-08-21";

/* The rate that price_source itself uses for zhipu ("May 2026"). */
#define BUILTIN_USDCNY INT64_C(7250000000)
#define BUILTIN_AS_OF  "2026-05-23"

/* ---- looking up ---- */

/* Behind a row's name: nothing, "-latest", or a date: "-2024-07-18", "-250414". */
static bool is_snapshot(const char *rest)
{
    if (rest[0] == '\0' || strcmp(rest, "-latest") == 0)
        return true;
    return rest[0] == '-' && rest[1] >= '0' && rest[1] <= '9' &&
           rest[strspn(rest, "0123456789-")] == '\0';
}

/* Of @rows for exactly @provider (NULL: the rows that are for all); the longest name wins. */
static const struct price *find_among(const struct price *rows, size_t count, const char *provider,
                                      const char *model)
{
    const struct price *found = NULL;
    size_t longest = 0;

    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(rows[i].model);
        bool theirs = rows[i].provider == NULL
                          ? provider == NULL
                          : provider != NULL && strcmp(rows[i].provider, provider) == 0;

        if (!theirs || len <= longest || strncmp(rows[i].model, model, len) != 0 ||
            !is_snapshot(model + len))
            continue;
        found = &rows[i];
        longest = len;
    }
    return found;
}

const struct price *price_find(const struct price_table *table, const char *provider,
                               const char *model)
{
    const struct price *found = NULL;

    if (table != NULL) {
        found = find_among(table->rows, table->count, provider, model);
        if (found == NULL)
            found = find_among(table->rows, table->count, NULL, model);
    }
    return found != NULL ? found : find_among(price_rows, price_row_count, provider, model);
}

/* Of the first row of the file that is for @provider (NULL: for all); NULL: there is none. */
static const char *configured_currency(const struct price_table *table, const char *provider)
{
    for (size_t i = 0; table != NULL && i < table->count; i++) {
        const char *theirs = table->rows[i].provider;

        if (theirs == NULL ? provider == NULL : provider != NULL && strcmp(theirs, provider) == 0)
            return table->rows[i].currency;
    }
    return NULL;
}

const char *price_table_currency(const struct price_table *table, const char *provider)
{
    const char *currency = configured_currency(table, provider);

    if (currency == NULL)
        currency = price_rows_currency(provider);
    if (currency == NULL)
        currency = configured_currency(table, NULL);
    return currency != NULL ? currency : "USD";
}

bool price_table_quote(const struct price_table *table, const char *provider, const char *model,
                       bool batch, struct price_quote *out)
{
    const struct price *price = price_find(table, provider, model);
    const char *billed = price_table_currency(table, provider);

    if (price == NULL)
        return false;
    struct price_quote quote = price_quote_make(price, batch);
    if (!price_convert(table, quote.currency, billed, quote.input, &quote.input) ||
        !price_convert(table, quote.currency, billed, quote.cached, &quote.cached) ||
        !price_convert(table, quote.currency, billed, quote.output, &quote.output))
        return false;
    (void)snprintf(quote.currency, sizeof(quote.currency), "%s", billed);
    *out = quote;
    return true;
}

bool price_convert(const struct price_table *table, const char *from, const char *to, int64_t nano,
                   int64_t *out)
{
    bool up = strcmp(from, "USD") == 0 && strcmp(to, "CNY") == 0;
    bool down = strcmp(from, "CNY") == 0 && strcmp(to, "USD") == 0;
    int64_t rate = table != NULL ? table->fx.usdcny : 0;

    if (strcmp(from, to) == 0) {
        *out = nano;
        return true;
    }
    if (rate <= 0 || nano < 0 || (!up && !down))
        return false;
    wide times = (wide)nano * (wide)(up ? rate : MONEY_UNIT);
    wide by = (wide)(up ? MONEY_UNIT : rate);
    wide result = (times + by / 2) / by;
    if (result > INT64_MAX)
        return false;
    *out = (int64_t)result;
    return true;
}

/* ---- reading "prices:" ---- */

struct loader {
    const struct tree *tree;
    struct price_table *table;
    struct err *err;
};

static const char *own(struct price_table *table, const char *text)
{
    table->owned = xrealloc(table->owned, table->owned_count + 1, sizeof(*table->owned));
    table->owned[table->owned_count] = xstrdup(text);
    return table->owned[table->owned_count++];
}

void price_table_release(struct price_table *table)
{
    for (size_t i = 0; i < table->owned_count; i++)
        free(table->owned[i]);
    free(table->owned);
    free(table->rows);
    *table = (struct price_table){0};
}

/* Put the place of node @i before the message. */
static bool fail_at(const struct loader *l, size_t i)
{
    return tree_fail(l->tree, i, l->err);
}

static bool unknown_key(const struct loader *l, size_t i, const char *const *names)
{
    const char *near = nearest_of(l->tree->nodes[i].key, names);

    (void)err_set(l->err, ERR_USAGE, "unknown key \"%s\"%s%s%s", l->tree->nodes[i].key,
                  near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
                  near != NULL ? "\"?" : "");
    return fail_at(l, i);
}

/* Node @i must be one value, or a mapping or list. */
static bool check_shape(const struct loader *l, size_t i, bool value)
{
    const struct tree_node *node = &l->tree->nodes[i];

    if ((node->value != NULL) == value)
        return true;
    (void)err_set(l->err, ERR_USAGE, "%s: needs %s", node->key,
                  value ? "one value" : "a mapping, not one value");
    return fail_at(l, i);
}

/* The two digits at @p as a number; -1: they are none. */
static int two_digits(const char *p)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return -1;
    return (p[0] - '0') * 10 + (p[1] - '0');
}

/* Whether @text is a day of the Gregorian calendar: "2026-11-20". */
static bool is_day(const char *text)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (strlen(text) != PRICE_DAY_SIZE - 1 || text[4] != '-' || text[7] != '-')
        return false;
    int century = two_digits(text), year = two_digits(text + 2);
    int month = two_digits(text + 5), day = two_digits(text + 8);
    if (century < 19 || year < 0 || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = year % 4 == 0 && (year != 0 || century % 4 == 0);
    return day <= days[month - 1] + (leap && month == 2);
}

static bool read_day(const struct loader *l, size_t i)
{
    if (is_day(l->tree->nodes[i].value))
        return true;
    (void)err_set(l->err, ERR_USAGE, "%s: \"%s\" is not a day, like 2026-11-20",
                  l->tree->nodes[i].key, l->tree->nodes[i].value);
    return fail_at(l, i);
}

static bool read_money(const struct loader *l, size_t i, int64_t *nano)
{
    if (money_parse_decimal(l->tree->nodes[i].value, nano, l->err))
        return true;
    (void)err_wrap(l->err, "%s", l->tree->nodes[i].key);
    return fail_at(l, i);
}

/* "0.5" is 50. */
static bool read_factor(const struct loader *l, size_t i, unsigned *percent)
{
    int64_t nano = 0;

    if (!read_money(l, i, &nano))
        return false;
    if (nano <= MONEY_UNIT && nano % (MONEY_UNIT / 100) == 0) {
        *percent = (unsigned)(nano / (MONEY_UNIT / 100));
        return true;
    }
    (void)err_set(l->err, ERR_USAGE,
                  "%s: \"%s\" is not a factor from 0 to 1 with at most two decimals, like 0.5",
                  l->tree->nodes[i].key, l->tree->nodes[i].value);
    return fail_at(l, i);
}

static bool read_currency(const struct loader *l, size_t i, const char **currency)
{
    *currency = money_currency(l->tree->nodes[i].value);
    if (*currency != NULL)
        return true;
    (void)err_set(l->err, ERR_USAGE, "currency: \"%s\" is not known; it can be CNY or USD",
                  l->tree->nodes[i].value);
    return fail_at(l, i);
}

/* ---- one row ---- */

enum field { CURRENCY, INPUT, OUTPUT, CACHED, BATCH_FACTOR, CHECKED, PROVIDER, SOURCE, FIELDS };

static const char *const field_names[] = {
    [CURRENCY] = "currency",
    [INPUT] = "input",
    [OUTPUT] = "output",
    [CACHED] = "cached",
    [BATCH_FACTOR] = "batch_factor",
    [CHECKED] = "checked",
    [PROVIDER] = "provider",
    [SOURCE] = "source",
    [FIELDS] = NULL,
};

static bool read_field(const struct loader *l, size_t i, enum field field, struct price *row)
{
    const char *value = l->tree->nodes[i].value;

    switch (field) {
    case CURRENCY: return read_currency(l, i, &row->currency);
    case INPUT: return read_money(l, i, &row->input);
    case OUTPUT: return read_money(l, i, &row->output);
    case CACHED: return read_money(l, i, &row->cached);
    case BATCH_FACTOR: return read_factor(l, i, &row->batch_percent);
    case CHECKED: row->checked = own(l->table, value); return read_day(l, i);
    case PROVIDER: row->provider = own(l->table, value); return true;
    case SOURCE: row->source = own(l->table, value); return true;
    case FIELDS: break;
    }
    return false;
}

/* What the Batch API costs where a row does not say: as the built-in row of that name, else all. */
static unsigned usual_percent(const struct price *row)
{
    const struct price *built_in = NULL;

    if (row->provider != NULL)
        built_in = find_among(price_rows, price_row_count, row->provider, row->model);
    for (size_t i = 0; built_in == NULL && i < price_row_count; i++) {
        if (row->provider == NULL && strcmp(price_rows[i].model, row->model) == 0)
            built_in = &price_rows[i];
    }
    return built_in != NULL ? built_in->batch_percent : 100;
}

/* The prices times the factor have to be whole nano-units: a quote is exact. */
static bool check_whole(const struct loader *l, size_t i, const struct price *row)
{
    const int64_t prices[] = {row->input, row->cached < 0 ? 0 : row->cached, row->output};

    for (size_t n = 0; n < ARRAY_LEN(prices); n++) {
        if ((wide)prices[n] * row->batch_percent % 100 == 0)
            continue;
        (void)err_set(l->err, ERR_USAGE,
                      "%s: a price times batch_factor has more than nine decimals", row->model);
        return fail_at(l, i);
    }
    return true;
}

/* One provider bills in one currency, and has a model once. */
static bool check_others(const struct loader *l, size_t i, const struct price *row)
{
    const char *who = row->provider != NULL ? row->provider : "all providers";

    for (size_t n = 0; n < l->table->count; n++) {
        const struct price *other = &l->table->rows[n];
        bool same = row->provider == NULL
                        ? other->provider == NULL
                        : other->provider != NULL && strcmp(row->provider, other->provider) == 0;

        if (!same)
            continue;
        if (row->provider != NULL && strcmp(row->currency, other->currency) != 0)
            (void)err_set(l->err, ERR_USAGE, "%s bills in one currency: %s is in %s, %s in %s", who,
                          other->model, other->currency, row->model, row->currency);
        else if (strcmp(row->model, other->model) == 0)
            (void)err_set(l->err, ERR_USAGE, "%s has two prices at %s", row->model, who);
        else
            continue;
        return fail_at(l, i);
    }
    return true;
}

static bool check_needed(const struct loader *l, size_t i, const char *model, unsigned seen)
{
    for (int f = CURRENCY; f <= OUTPUT; f++) {
        if ((seen & 1u << f) != 0)
            continue;
        (void)err_set(l->err, ERR_USAGE, "%s: has no %s", model, field_names[f]);
        return fail_at(l, i);
    }
    return true;
}

static bool add_row(const struct loader *l, size_t i, struct price *row, unsigned seen)
{
    struct price_table *table = l->table;

    if (!check_needed(l, i, row->model, seen))
        return false;
    if ((seen & 1u << BATCH_FACTOR) == 0)
        row->batch_percent = usual_percent(row);
    if (row->source == NULL)
        row->source = own(table, l->tree->name);
    if (!check_whole(l, i, row) || !check_others(l, i, row))
        return false;
    table->rows = xrealloc(table->rows, table->count + 1, sizeof(*table->rows));
    table->rows[table->count++] = *row;
    return true;
}

/* What is in node @i is one price of @model. */
static bool read_row(const struct loader *l, size_t i, const char *model)
{
    struct price row = {.cached = -1, .batch_percent = 100, .checked = ""};
    size_t end = i + 1 + tree_inside(l->tree, i);
    unsigned seen = 0;

    row.model = own(l->table, model);
    for (size_t n = i + 1; n < end; n += 1 + tree_inside(l->tree, n)) {
        int f = 0;

        while (f < FIELDS && !nearest_same(field_names[f], l->tree->nodes[n].key))
            f++;
        if (f == FIELDS)
            return unknown_key(l, n, field_names);
        if (!check_shape(l, n, true) || !read_field(l, n, (enum field)f, &row))
            return false;
        seen |= 1u << f;
    }
    return add_row(l, i, &row, seen);
}

/* A model has one price, or a list of them: one a provider. */
static bool read_model(const struct loader *l, size_t i)
{
    const char *model = l->tree->nodes[i].key;
    size_t end = i + 1 + tree_inside(l->tree, i);

    if (!check_shape(l, i, false))
        return false;
    if (i + 1 == end || l->tree->nodes[i + 1].key[0] != '\0')
        return read_row(l, i, model);
    for (size_t n = i + 1; n < end; n += 1 + tree_inside(l->tree, n)) {
        if (l->tree->nodes[n].value != NULL) {
            (void)err_set(l->err, ERR_USAGE, "%s: needs a mapping, not one value", model);
            return fail_at(l, n);
        }
        if (!read_row(l, n, model))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

static bool read_models(const struct loader *l, size_t i)
{
    size_t end = i + 1 + tree_inside(l->tree, i);

    for (size_t n = i + 1; n < end; n += 1 + tree_inside(l->tree, n)) {
        if (l->tree->nodes[n].key[0] == '\0') {
            (void)err_set(l->err, ERR_USAGE, "models: needs a mapping of models' names");
            return fail_at(l, n);
        }
        if (!read_model(l, n))
            return false;
    }
    return true;
}

/* "none": nothing is converted. */
static bool read_rate(const struct loader *l, size_t i, struct price_fx *fx)
{
    if (strcmp(l->tree->nodes[i].value, "none") == 0)
        return true;
    if (!read_money(l, i, &fx->usdcny))
        return false;
    if (fx->usdcny > 0)
        return true;
    (void)err_set(l->err, ERR_USAGE, "USDCNY: a rate is more than 0");
    return fail_at(l, i);
}

static bool read_fx(const struct loader *l, size_t i)
{
    static const char *const names[] = {"USDCNY", "as_of", NULL};
    struct price_fx fx = {.configured = true};
    size_t end = i + 1 + tree_inside(l->tree, i);
    bool rate = false;

    for (size_t n = i + 1; n < end; n += 1 + tree_inside(l->tree, n)) {
        const struct tree_node *node = &l->tree->nodes[n];
        bool is_rate = strcmp(node->key, names[0]) == 0;

        if (!is_rate && !nearest_same(node->key, names[1]))
            return unknown_key(l, n, names);
        if (!check_shape(l, n, true) || !(is_rate ? read_rate(l, n, &fx) : read_day(l, n)))
            return false;
        if (!is_rate)
            (void)snprintf(fx.as_of, sizeof(fx.as_of), "%s", node->value);
        rate = rate || is_rate;
    }
    if (!rate || (fx.usdcny != 0 && fx.as_of[0] == '\0')) {
        (void)err_set(l->err, ERR_USAGE, "fx: needs both USDCNY and as_of, the day of the rate");
        return fail_at(l, i);
    }
    l->table->fx = fx;
    return true;
}

static bool read_prices(const struct loader *l)
{
    static const char *const names[] = {"fx", "models", NULL};

    for (size_t i = 0; i < l->tree->count; i += 1 + tree_inside(l->tree, i)) {
        const char *key = l->tree->nodes[i].key;
        bool is_fx = nearest_same(key, names[0]);

        if (!is_fx && !nearest_same(key, names[1]))
            return unknown_key(l, i, names);
        if (!check_shape(l, i, false) || !(is_fx ? read_fx(l, i) : read_models(l, i)))
            return false;
    }
    return true;
}

bool price_table_load(const struct tree *prices, struct price_table *out, struct err *err)
{
    struct price_table table = {
        .fx = {.usdcny = BUILTIN_USDCNY, .as_of = BUILTIN_AS_OF}
    };
    const struct loader l = {.tree = prices, .table = &table, .err = err};

    if (prices != NULL && !read_prices(&l)) {
        price_table_release(&table);
        return false;
    }
    *out = table;
    return true;
}
