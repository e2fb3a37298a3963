#include "common/enrich/report_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/model/price_table.h"

#define FREE_TEXTS 20 /* different values from which on a field can be free text */

static const char nothing[] = "\xe2\x80\x93";

static const char *set(char out[REPORT_WORD_MAX], const char *text)
{
    (void)snprintf(out, REPORT_WORD_MAX, "%s", text);
    return out;
}

const char *report_share(uint64_t n, uint64_t total, char out[REPORT_WORD_MAX])
{
    uint64_t tenths;

    if (total == 0)
        return set(out, nothing);
    tenths = n / total * 1000 + n % total * 1000 / total;
    (void)snprintf(out, REPORT_WORD_MAX, "%" PRIu64 ".%" PRIu64 "%%", tenths / 10, tenths % 10);
    return out;
}

const char *report_number(uint64_t n, char out[REPORT_WORD_MAX])
{
    char digits[32];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
    size_t used = 0;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

const char *report_s(uint64_t n)
{
    return n == 1 ? "" : "s";
}

const char *report_decimal(double n, char out[REPORT_WORD_MAX])
{
    (void)snprintf(out, REPORT_WORD_MAX, "%.4g", n);
    return out;
}

const char *report_deviation(uint64_t estimated, uint64_t counted, char out[REPORT_WORD_MAX])
{
    if (counted == 0)
        return set(out, nothing);
    (void)snprintf(out, REPORT_WORD_MAX, "%+.1f%%",
                   ((double)estimated / (double)counted - 1.0) * 100.0);
    return out;
}

bool report_exchange(const struct price_fx *fx, const char *currency, int64_t nano,
                     const char **other, int64_t *out)
{
    const struct price_table table = {.fx = *fx};

    *other = strcmp(currency, "CNY") == 0 ? "USD" : "CNY";
    return price_convert(&table, currency, *other, nano, out);
}

const char *report_money(const struct price_fx *fx, const char *currency, int64_t nano,
                         char out[REPORT_WORD_MAX])
{
    char money[MONEY_TEXT_MAX], converted[MONEY_TEXT_MAX], rate[MONEY_TEXT_MAX];
    const char *other;
    int64_t amount;
    size_t len;

    (void)money_format(currency, nano, money);
    if (!report_exchange(fx, currency, nano, &other, &amount))
        return set(out, money);
    (void)money_format_exact(fx->usdcny, rate);
    len = strlen(rate);
    while (len > 2 && rate[len - 1] == '0' && rate[len - 2] != '.')
        rate[--len] = '\0';
    (void)snprintf(out, REPORT_WORD_MAX, "%s (%s at %s of %s)", money,
                   money_format(other, amount, converted), rate, fx->as_of);
    return out;
}

const char *report_value(const struct tally_entry *entry)
{
    return entry->text + 1;
}

bool report_value_is_text(const struct tally_entry *entry)
{
    return entry->text[0] == 's';
}

const char *report_place(const struct enrich_field *field, char out[ANSWER_FIELD_PATH_MAX])
{
    bool bare = field->path[0] == '\0' || field->path[0] == '[';

    (void)snprintf(out, ANSWER_FIELD_PATH_MAX, "%s%s", bare ? "answer" : "", field->path);
    return out;
}

bool report_field_is_free(struct enrich_field *field)
{
    size_t count;
    const struct tally_entry *top = tally_top(field->tally, 1, &count);

    return count > 0 && top[0].count == 1 && tally_texts(field->tally) > FREE_TEXTS;
}
