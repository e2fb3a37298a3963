#ifndef CLI_SPENDING_H
#define CLI_SPENDING_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/model/job_view.h"
#include "common/model/money.h"

/**
 * What a job has cost so far, in nano-units, as shown while it runs. Pure; plain data; all zero, or
 * @currency "", is not known and shown as nothing.
 */
struct spending {
    char currency[MONEY_CURRENCY_SIZE];
    int64_t spent;     /* -1 unknown: a price is */
    int64_t projected; /* at the end, as it goes so far; -1 unknown: a price or the input is */
    int64_t cap;       /* -1: none */
    uint64_t estimated_tokens, actual_tokens; /* of what has come home */
};

/** From what Redis knows. */
struct spending spending_from_view(const struct job_view *view);

/**
 * How far the estimate of tokens was off so far, in thousandths of the actual number: 50 is 5 % too
 * high. False while nothing has come home.
 */
bool spending_error(const struct spending *s, int64_t *permille);

/** " cost=¥1.49 projected=¥14.60 cap=¥20.00 estimate_error=-3.1%"; nothing when not known. */
void spending_print_plain(const struct spending *s, struct buf *out);

/** "¥1.49, ¥14.60 projected, cap ¥20.00, estimate off by -3.1 %". */
void spending_print_text(const struct spending *s, struct buf *out);

/** {"currency":"CNY","spent_nano":...,...}, or null when not known. */
void spending_print_json(const struct spending *s, struct buf *out);

#endif
