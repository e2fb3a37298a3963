#ifndef MODEL_PRICE_ROWS_H
#define MODEL_PRICE_ROWS_H

#include <stddef.h>

#include "common/model/price.h"

/*
 * The built-in rows of the price table, for price_table.c alone.
 */

extern const struct price price_rows[];
extern const size_t price_row_count;

/** What a built-in provider bills in; NULL: it is not built in. */
const char *price_rows_currency(const char *provider);

#endif
