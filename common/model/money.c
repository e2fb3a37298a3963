#include "common/model/money.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DECIMALS 9

/* The spellings that people use, longest first where one begins another. */
static const struct mark {
    const char *text;
    const char *currency;
} marks[] = {
    {"CNY", "CNY"},
    {"RMB", "CNY"},
    {"USD", "USD"},
    {"US$", "USD"},
    {"¥",  "CNY"},
    {"￥", "CNY"},
    {"元", "CNY"},
    {"$",   "USD"},
};

const char *money_currency(const char *text)
{
    for (size_t i = 0; i < 3; i++) {
        if (strcasecmp(text, marks[i].text) == 0)
            return marks[i].currency;
    }
    return NULL;
}

/* The mark that @text begins with; NULL: none. */
static const struct mark *mark_at(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        if (strncasecmp(text, marks[i].text, strlen(marks[i].text)) == 0)
            return &marks[i];
    }
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Append the digit @c to *@n; false when that does not fit. */
static bool push_digit(int64_t *n, char c)
{
    if (*n > (INT64_MAX - (c - '0')) / 10)
        return false;
    *n = *n * 10 + (c - '0');
    return true;
}

/* What a number comes to. */
enum number { NUMBER_OK, NUMBER_NONE, NUMBER_LONG, NUMBER_LARGE };

/* A comma between digits, as in 1,000,000: three more follow, and no fourth. */
static bool is_group(const char *p)
{
    return p[0] == ',' && is_digit(p[1]) && is_digit(p[2]) && is_digit(p[3]) && !is_digit(p[4]);
}

/* The digits before the point, from *@p on; groups of three may have commas. */
static enum number read_whole(const char **p, bool groups, int64_t *n)
{
    const char *start = *p;

    if (!is_digit(*start))
        return NUMBER_NONE;
    for (; is_digit(**p) || (groups && is_group(*p)); (*p)++) {
        if (**p != ',' && !push_digit(n, **p))
            return NUMBER_LARGE;
    }
    return NUMBER_OK;
}

/* The digits behind the point, nine of them; zeros behind those are no harm. */
static enum number read_decimals(const char **p, int64_t *n)
{
    int count = 0;

    for (; is_digit(**p); (*p)++, count++) {
        if (count >= DECIMALS && **p != '0')
            return NUMBER_LONG;
        if (count < DECIMALS && !push_digit(n, **p))
            return NUMBER_LARGE;
    }
    for (; count < DECIMALS; count++) {
        if (!push_digit(n, '0'))
            return NUMBER_LARGE;
    }
    return NUMBER_OK;
}

/* The decimal number at @text, exactly; *@end is behind it. */
static enum number read_number(const char *text, bool groups, int64_t *nano, const char **end)
{
    const char *p = text;
    int64_t n = 0;
    enum number got = read_whole(&p, groups, &n);

    if (got != NUMBER_OK)
        return got;
    if (*p == '.' && !is_digit(p[1]))
        return NUMBER_NONE;
    p += *p == '.';
    got = read_decimals(&p, &n);
    if (got != NUMBER_OK)
        return got;
    *nano = n;
    *end = p;
    return NUMBER_OK;
}

static bool refuse_number(const char *text, enum number why, struct err *err)
{
    if (why == NUMBER_LONG)
        return err_set(err, ERR_USAGE, "\"%s\" has more than %d decimals", text, DECIMALS);
    if (why == NUMBER_LARGE)
        return err_set(err, ERR_USAGE, "\"%s\" is too large", text);
    return err_set(err, ERR_USAGE, "\"%s\" is not a decimal number from 0 on, like 0.5", text);
}

bool money_parse_decimal(const char *text, int64_t *nano, struct err *err)
{
    const char *end = text;
    int64_t n = 0;
    enum number got = read_number(text, false, &n, &end);

    if (got != NUMBER_OK || *end != '\0')
        return refuse_number(text, got, err);
    *nano = n;
    return true;
}

static const char *skip_spaces(const char *p)
{
    while (*p == ' ')
        p++;
    return p;
}

bool money_parse(const char *text, char currency[MONEY_CURRENCY_SIZE], int64_t *nano,
                 struct err *err)
{
    const char *p = skip_spaces(text);
    const struct mark *before = mark_at(p), *behind = NULL;
    int64_t n = 0;

    if (before != NULL)
        p = skip_spaces(p + strlen(before->text));
    enum number got = read_number(p, true, &n, &p);
    if (got == NUMBER_LONG || got == NUMBER_LARGE)
        return refuse_number(text, got, err);
    if (got == NUMBER_OK) {
        p = skip_spaces(p);
        behind = mark_at(p);
        p = skip_spaces(p + (behind != NULL ? strlen(behind->text) : 0));
    }
    if (got != NUMBER_OK || *p != '\0' || (before == NULL) == (behind == NULL))
        return err_set(err, ERR_USAGE,
                       "\"%s\" is not an amount of money; write 20CNY, ¥20, RMB20, 5USD or $5",
                       text);
    (void)snprintf(currency, MONEY_CURRENCY_SIZE, "%s",
                   before != NULL ? before->currency : behind->currency);
    *nano = n;
    return true;
}

static uint64_t magnitude_of(int64_t nano)
{
    return nano < 0 ? (uint64_t)0 - (uint64_t)nano : (uint64_t)nano;
}

const char *money_format(const char *currency, int64_t nano, char out[MONEY_TEXT_MAX])
{
    const char *sign = nano < 0 ? "-" : "";
    uint64_t magnitude = magnitude_of(nano);
    bool fine = magnitude != 0 && magnitude < (uint64_t)MONEY_UNIT / 10;
    uint64_t step = fine ? 1000 : 10000000;
    uint64_t steps = (magnitude + step / 2) / step;
    uint64_t whole = (uint64_t)MONEY_UNIT / step; /* steps in one unit of money */
    char other[MONEY_CURRENCY_SIZE + 1];

    (void)snprintf(other, sizeof(other), "%.3s ", currency);
    if (strcmp(currency, "USD") == 0)
        (void)snprintf(other, sizeof(other), "$");
    else if (strcmp(currency, "CNY") == 0)
        (void)snprintf(other, sizeof(other), "¥");
    (void)snprintf(out, MONEY_TEXT_MAX, "%s%s%" PRIu64 ".%0*" PRIu64, sign, other, steps / whole,
                   fine ? 6 : 2, steps % whole);
    return out;
}

const char *money_format_exact(int64_t nano, char out[MONEY_TEXT_MAX])
{
    uint64_t magnitude = magnitude_of(nano);

    (void)snprintf(out, MONEY_TEXT_MAX, "%s%" PRIu64 ".%09" PRIu64, nano < 0 ? "-" : "",
                   magnitude / (uint64_t)MONEY_UNIT, magnitude % (uint64_t)MONEY_UNIT);
    return out;
}

void money_add(int64_t *total, int64_t more)
{
    *total = more > INT64_MAX - *total ? INT64_MAX : *total + more;
}
