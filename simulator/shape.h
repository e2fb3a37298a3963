#ifndef SIMULATOR_SHAPE_H
#define SIMULATOR_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "simulator/dialect.h"

struct sim_batch;
struct sim_file;

/** The file object of the dialect, as it is at @now_ms. */
void shape_file(struct buf *out, const struct dialect *dialect, const struct sim_file *file,
                int64_t now_ms);

/* How a batch is shown. */
struct shape_view {
    const struct dialect *dialect;
    int64_t now_ms;   /* for the counts of a running batch */
    int64_t delay_ms; /* from creation to end */
    bool hide_ids;    /* finished, but its files are not there yet */
};

/** The batch object of the dialect. */
void shape_batch(struct buf *out, const struct shape_view *view, const struct sim_batch *batch);

/* The ends of one page of a listing; NULL when it is empty. */
struct shape_page {
    const char *first, *last;
    bool more;
};

/** What follows the array of a listing, to the end of the answer. */
void shape_page(struct buf *out, const struct dialect *dialect, enum dialect_list list,
                const struct shape_page *page);

#endif
