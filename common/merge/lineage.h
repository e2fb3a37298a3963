#ifndef MERGE_LINEAGE_H
#define MERGE_LINEAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

struct sink;

/*
 * What the generations of a job mean for one part: which failures still count.
 *
 * A file of the part belongs to the first generation whose merge took it: the lists in in/,
 * in.g1/, ... say so, and what is in none of them belongs to the generation that is not merged
 * yet. A task belongs to the newest generation that lists it, 0 for none. A
 * failure counts for its task when its file is not of an earlier generation than the task;
 * a success always counts. So of a resubmitted task nothing is known, however often it
 * failed before, until a batch that came after the resubmission has ended.
 *
 * Everything is read off the sink; no clock and no number in Redis has a say.
 */
struct lineage;

/**
 * Of the newest generation of @part under @below (GENERATION_ANY: of all). Borrows @sink.
 * NULL (with @err) on failure; ERR_PERMANENT when an earlier generation of the part is not
 * merged. Free with lineage_free().
 */
struct lineage *lineage_new(struct sink *sink, uint32_t part, uint32_t below, struct err *err);

/** NULL is fine. */
void lineage_free(struct lineage *l);

/** The generation itself: what the names of the part's merged files have. 0: the first run. */
uint32_t lineage_generation(const struct lineage *l);

/** The one before it, for this part. Only where lineage_generation() is above 0. */
uint32_t lineage_previous(const struct lineage *l);

/** The generation that file @name of the part (without its folder) belongs to. */
uint32_t lineage_of_file(const struct lineage *l, const char *name);

/** The generation that a task of the part belongs to. */
uint32_t lineage_of_task(const struct lineage *l, uint64_t ordinal);

/**
 * True when a task without evidence is a dead letter because its job was cancelled in an
 * earlier generation that it belongs to, or came after it.
 */
bool lineage_was_cancelled(const struct lineage *l, uint64_t ordinal);

/** Tasks of the part that its newest generation lists; 0 in the first run. */
uint64_t lineage_listed(const struct lineage *l);

#endif
