#ifndef ENRICH_SAMPLE_H
#define ENRICH_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

struct rows_options;

/*
 * A spread of rows to try a recipe on before all are paid for: a quarter of them the shortest, a
 * quarter the longest (where prompts and answers go wrong first), the rest at random. The random
 * ones follow from what the rows are, so the same command chooses the same rows.
 */

enum sample_why { SAMPLE_SHORTEST, SAMPLE_LONGEST, SAMPLE_RANDOM };

/** "shortest", "longest", "random". */
const char *sample_why_name(enum sample_why why);

struct sample_row {
    uint64_t index; /* of the row, as struct row has it */
    uint64_t bytes; /* its own: by these it is short or long */
    enum sample_why why;
};

struct sample {
    struct sample_row *rows; /* ascending by index */
    size_t count;            /* as many as asked for, or all that have no problem */
    uint64_t total;          /* rows of the input, also those with a problem */
};

/**
 * Choose @n of the rows of @path (as rows_open() takes it) that have no problem, in one pass over
 * them and in memory for @n. Of rows of the same length the earlier are the shortest and longest.
 * Fails as rows_open(), rows_next() and rows_fingerprint(). Free with sample_release().
 */
MUST_CHECK bool sample_choose(const char *path, const struct rows_options *options, size_t n,
                              struct sample *out, struct err *err);

/** Free what it owns. */
void sample_release(struct sample *sample);

#endif
