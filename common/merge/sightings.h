#ifndef MERGE_SIGHTINGS_H
#define MERGE_SIGHTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/model/batch.h"

/**
 * The lines that one task had so far, by the batch they are of and by the pass over its files that
 * read them. A worker may read a batch's files once more, so what the provider sent once may be in
 * several segments: a line counts as another one only when no pass had as many so far.
 */
struct sightings {
    struct sighting *items; /* owned: sightings_release() */
    size_t count, cap;
};

enum sighting_kind {
    SIGHTING_FIRST,  /* the first of its batch */
    SIGHTING_REPEAT, /* one more of its batch: the provider sent it twice */
    SIGHTING_REREAD, /* a line that was there already, read in another pass */
};

/** A line of batch @bid that pass @pass read; successes (@ok) and failures are apart. */
enum sighting_kind sightings_add(struct sightings *s, const char *bid, uint32_t pass, bool ok);

/** Batches with a success. */
size_t sightings_paid(const struct sightings *s);

/** For the next task; keeps the memory. */
void sightings_clear(struct sightings *s);

void sightings_release(struct sightings *s);

#endif
