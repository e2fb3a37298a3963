#ifndef MERGE_SPEND_H
#define MERGE_SPEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/json/scan.h"
#include "common/model/batch.h"
#include "common/model/money.h"
#include "common/model/price.h"
#include "common/model/usage.h"

struct evidence;

/*
 * What was paid, by model and day, and what of it was for nothing: counted off the evidence and the
 * lines of a part, summed for the job. Amounts are never rounded after the batch's own bill.
 */

/** Room for a day and its NUL: "2026-11-24". */
#define SPEND_DAY_SIZE 11

/** One model on one day. Without a currency the price is not known, and the amounts are 0. */
struct spend {
    char model[256];                    /* "" not known: evidence from before there were bills */
    char day[SPEND_DAY_SIZE];           /* UTC, that the batches ended; "" not known */
    char currency[MONEY_CURRENCY_SIZE]; /* that is billed */
    uint64_t requests;                  /* answers that were billed */
    uint64_t guessed;                   /* of these: billed as estimated, as they have no usage */
    uint64_t est_input;                 /* of the others: input tokens as estimated */
    struct usage usage;                 /* of the others: as the provider counted */
    int64_t nano, likely_nano;          /* what it cost, and what it was expected to */
};

/** Rows that differ in model, day or currency. Zeroed is empty; spend_release() frees. */
struct spend_list {
    struct spend *items;
    size_t count;
};

void spend_release(struct spend_list *list);

/** Add @row to the row of its model, day and currency. */
void spend_add(struct spend_list *list, const struct spend *row);

/** The bill of one evidence document; one without costs, and without lines, adds nothing. */
void spend_add_evidence(struct spend_list *list, const struct evidence *evidence);

/** In order of model, day and currency. */
void spend_sort(struct spend_list *list);

/** As a JSON array of rows, for rep/. False past the limit of @out. */
MUST_CHECK bool spend_write(const struct spend_list *list, struct buf *out);

/** The reverse, added to @list; false when it is not one. */
MUST_CHECK bool spend_parse(const struct json_value *rows, struct spend_list *list);

/** Why money was spent on nothing. */
enum waste {
    WASTE_DUPLICATES, /* a second answer of another batch */
    WASTE_SUPERSEDED, /* a failure that was billed, and replaced by a later line */
    WASTE_FAILED,     /* a failure that was billed, and is what the row ended with */
};
#define WASTES 3

/** "duplicates", "superseded", "failed". */
const char *waste_name(enum waste waste);

/** Of one cause, in the currency of the job. */
struct waste_sum {
    uint64_t lines;
    uint64_t unpriced; /* of these: what they cost is not known */
    int64_t nano;      /* of the others */
};

#endif
