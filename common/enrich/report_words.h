#ifndef ENRICH_REPORT_WORDS_H
#define ENRICH_REPORT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/enrich/answer_fields.h"
#include "common/enrich/tally.h"
#include "common/model/money.h"

struct enrich_report;
struct price_fx;

/* Pieces of a report for people, the same in its text and its page. */

/** Room for any of them and its NUL. */
#define REPORT_WORD_MAX 160

/** "99.9%", rounded down; "–" of nothing. Returns @out. */
const char *report_share(uint64_t n, uint64_t total, char out[REPORT_WORD_MAX]);

/** "1,234,567". Returns @out. */
const char *report_number(uint64_t n, char out[REPORT_WORD_MAX]);

/** A number as short as it is exact enough for people: "3", "2.417". Returns @out. */
const char *report_decimal(double n, char out[REPORT_WORD_MAX]);

/** The estimate against what was counted: "+3.1%"; "–" when nothing was. Returns @out. */
const char *report_deviation(uint64_t estimated, uint64_t counted, char out[REPORT_WORD_MAX]);

/** "¥0.75 ($0.10 at 7.25 of 2026-11-20)"; without a rate only the first. Returns @out. */
const char *report_money(const struct price_fx *fx, const char *currency, int64_t nano,
                         char out[REPORT_WORD_MAX]);

/**
 * @nano in the other of CNY and USD, by the rate of @fx: false when there is none. @other is the
 * currency.
 */
bool report_exchange(const struct price_fx *fx, const char *currency, int64_t nano,
                     const char **other, int64_t *out);

/** A value of a field as people read it: the text of a string, else the JSON. Borrowed. */
const char *report_value(const struct tally_entry *entry);

/** It is a string. */
bool report_value_is_text(const struct tally_entry *entry);

/** Where the field is, for people: "answer", "answer[]", "polarity". Returns @out. */
const char *report_place(const struct enrich_field *field, char out[ANSWER_FIELD_PATH_MAX]);

/** Every value of the field came once, and there are many: its values say nothing of the whole. */
bool report_field_is_free(struct enrich_field *field);

/** What is put behind a word for @n of it: "s", or nothing for one. */
const char *report_s(uint64_t n);

#endif
