#ifndef ENRICH_ROUND_WRITE_H
#define ENRICH_ROUND_WRITE_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/enrich/render.h"
#include "common/enrich/round_map.h"

/** One round to be rendered. Everything is borrowed for the call. */
struct round_plan {
    const struct recipe *recipe;
    const char *rows_path;         /* as rows_open() takes it */
    const char *rows_fingerprint;  /* for the map */
    uint32_t round;                /* from 1 */
    struct render_options options; /* with the choice of this round */
    const char *requests_path;     /* STATE/recipe/JOB/r1.requests.jsonl */
    const char *map_path;          /* STATE/recipe/JOB/r1.map */
};

/**
 * Render a round into its two files: written under other names in the same folder (which is
 * there), synced, and named when both are whole, the map first, then the requests, which are the
 * mark that the round is there. What is complete already is adopted after it was checked: *@adopted
 * (may be NULL), and nothing is rendered, so the choice is not asked. Fills @counts (the caller
 * releases it) on success. ERR_CONFLICT when the files are there and of another recipe, of other
 * rows or of another round; ERR_INPUT when the rows cannot be read; ERR_UNAVAILABLE when writing
 * fails. Blocks for as long as rendering takes.
 */
MUST_CHECK bool round_write(const struct round_plan *plan, struct round_counts *counts,
                            bool *adopted, struct err *err);

#endif
