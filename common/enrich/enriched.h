#ifndef ENRICH_ENRICHED_H
#define ENRICH_ENRICHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/enrich/judge.h"
#include "common/rows/row_writer.h"

struct recipe;
struct row;

/** The member of each row of OUTPUT that says what became of its analyses. */
#define ENRICHED_MEMBER "_sheaf"

/** So much of a row that is no object is kept, in bytes. */
#define ENRICHED_ROW_BYTES 65536u

/**
 * What is put into one row: the answers at their paths, and "_sheaf", which says of each
 * analysis
 *
 *     "ok" or "skipped", or an object:
 *     {"status":"repaired","repairs":["fence"]}
 *     {"status":"defaulted","code":"invalid_answer","why":"polarity: expected an integer"}
 *     {"status":"failed","code":"content_filter","why":"..."}
 *     and "raw" in any of them, what the model said, where the recipe says keep_raw.
 *
 * Pure. The memory is used again for the next row.
 */
struct enriched {
    const struct recipe *recipe;
    struct row_put *puts; /* of each analysis that has an answer, then of "_sheaf" */
    size_t *at;           /* where each put's text begins in @held */
    size_t count;
    struct buf held, said;
};

/** Borrows @recipe. enriched_release() frees. */
void enriched_init(struct enriched *e, const struct recipe *recipe);
void enriched_release(struct enriched *e);

/** For the next row. */
void enriched_clear(struct enriched *e);

/** The next analysis of the recipe; copies. False when the row's answers are too long. */
MUST_CHECK bool enriched_add(struct enriched *e, size_t analysis, const struct judged *judged);

/** What is put into the row, after its last analysis. NULL: too long. Borrowed until the next
 * clear. */
const struct row_put *enriched_puts(struct enriched *e, size_t *count);

/** The same for a row that is no object: only {"error":{"code","message"},"row":"its bytes"}. */
const struct row_put *enriched_no_row(struct enriched *e, const struct row *row, size_t *count);

/** A failed pair. Borrowed. */
struct error_line {
    const char *analysis;
    uint64_t row;
    const char *row_id;
    const struct judged *judged;
};

/**
 * Append its line of the errors file with the newline, in the shape of OpenAI's error lines and
 * whose it is: {"id":null,"custom_id":"topics_0012","row":12,"row_id":"p-12",
 * "analysis":"topics","response":null,"error":{"code":"...","message":"..."}}. False past the limit
 * of @out.
 */
MUST_CHECK bool error_line_put(struct buf *out, const char *custom_id,
                               const struct error_line *line);

#endif
