#ifndef MODEL_MONEY_H
#define MODEL_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

/*
 * Money is a whole number of nano-units of a currency, never a double: 1 CNY is 1,000,000,000.
 * The currencies are those that batch providers bill in: "CNY" and "USD" (ISO 4217).
 */

/** One unit of any currency. */
#define MONEY_UNIT INT64_C(1000000000)

/** The largest cap, and the most that a job reserves or has spent: 2^53 nano-units, 9,007,199. */
#define MONEY_MOST (INT64_C(1) << 53)

/** Room for the name of a currency and its NUL. */
#define MONEY_CURRENCY_SIZE 4

/** Room for any formatted amount and its NUL. */
#define MONEY_TEXT_MAX 40

/**
 * The currency that @text names, in any case: "CNY", "usd", "RMB" (which is CNY). NULL: none that
 * is known. The result is static.
 */
const char *money_currency(const char *text);

/**
 * Read an amount as people write it: "20CNY", "20 CNY", "¥20", "￥20", "RMB20", "20元", "$5",
 * "5USD", "0.5usd", "1,000CNY". ERR_USAGE, with the forms that are taken in the message, for
 * anything else: no currency, two of them, a sign, more than nine decimals, too much.
 */
MUST_CHECK bool money_parse(const char *text, char currency[MONEY_CURRENCY_SIZE], int64_t *nano,
                            struct err *err);

/**
 * Read a decimal number of units exactly: "7.25", "0.0145", "5". ERR_USAGE when it is no plain
 * decimal number from 0 on (no sign, no exponent, no NaN), has more than nine decimals or does not
 * fit.
 */
MUST_CHECK bool money_parse_decimal(const char *text, int64_t *nano, struct err *err);

/**
 * For people: "¥0.32", "$79.50"; below a tenth of a unit with six decimals: "$0.000080"; nothing is
 * "$0.00". Rounded half up. Another currency stands before it: "EUR 1.50". Returns @out.
 */
const char *money_format(const char *currency, int64_t nano, char out[MONEY_TEXT_MAX]);

/** For programs: all nine decimals and no currency: "14.310000000". Returns @out. */
const char *money_format_exact(int64_t nano, char out[MONEY_TEXT_MAX]);

/** Add; the sum stops at the largest amount. @more is not negative. */
void money_add(int64_t *total, int64_t more);

#endif
