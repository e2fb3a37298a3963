#ifndef SIMULATOR_SHAPE_H
#define SIMULATOR_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "simulator/options.h"

struct sim_batch;
struct sim_file;

/** The file object of the profile. */
void shape_file(struct buf *out, enum profile profile, const struct sim_file *file);

/* How a batch is shown. */
struct shape_view {
    enum profile profile;
    int64_t now_ms;   /* for the counts of a running batch */
    int64_t delay_ms; /* from creation to end */
    bool hide_ids;    /* finished, but its files are not there yet */
};

/** The batch object of the profile. */
void shape_batch(struct buf *out, const struct shape_view *view, const struct sim_batch *batch);

#endif
