#ifndef SINK_GENERATION_H
#define SINK_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/model/ordinal.h"
#include "common/sink/rowset.h"

struct sink;

/*
 * Generations: each resubmission of a job is one, numbered from 1. File gen-<n> is the set
 * of rows that it sends again. It is put if absent, so a number exists once; with it in the
 * sink the resubmission is decided, whatever Redis knows of it. Generation 0 is the job's
 * first run and has no file.
 *
 * A part's merged files are of the newest generation that lists rows of it: a part that
 * generation 3 does not touch stays as generation 2 (or 1, or 0) left it.
 */

/** As @below: any generation. */
#define GENERATION_ANY UINT32_MAX

/** All generations of a job: their numbers and parts, not their rows. */
struct generations;

/**
 * Read them; borrows @sink. NULL (with @err) on failure; ERR_PERMANENT when one is missing
 * between two. Free with generations_free().
 */
struct generations *generations_load(struct sink *sink, struct err *err);

/** NULL is fine. */
void generations_free(struct generations *g);

/** The newest one; 0: there is none. */
uint32_t generations_newest(const struct generations *g);

/** Sums of generation @number (1 to the newest). */
const struct rowset_totals *generations_totals(const struct generations *g, uint32_t number);

/**
 * Windows of the job, as the newest generation says: all that was cut when it was made. 0
 * when there is none.
 */
uint32_t generations_windows(const struct generations *g);

/** The newest generation under @below that lists rows of @part; 0: its first run. */
uint32_t generations_of_part(const struct generations *g, uint32_t part, uint32_t below);

/** The rows of generation @number, which exists. Free with rowset_free(). */
struct rowset *generations_open(const struct generations *g, uint32_t number, struct err *err);

/**
 * The parts that any generation lists, each once and with the newest that does, in order:
 * what protocol_generation() wants to know. The caller frees it; NULL with *@count 0.
 */
struct part_generation *generations_parts(const struct generations *g, size_t *count);

/**
 * *@newest is the number of the newest generation (0: none), without reading more of it
 * than its name.
 */
MUST_CHECK bool generations_find_newest(struct sink *sink, uint32_t *newest, struct err *err);

#endif
