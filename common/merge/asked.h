#ifndef MERGE_ASKED_H
#define MERGE_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

struct batch_table;
struct lineage;
struct report;
struct sink;

/**
 * What the evidence of a part says of each task: how often it was sent, and why
 * nothing came back the last time. Five bytes a task; the documents are read one
 * by one and not kept. Evidence of an earlier generation than a task's counts as sent, and
 * says nothing of why.
 */
struct asked;

/** Borrows @sink and @lineage. Free with asked_free(). */
struct asked *asked_new(struct sink *sink, uint32_t part, const struct lineage *lineage);

/** NULL is fine. */
void asked_free(struct asked *a);

/** Note the evidence file @name (of the part's folder, copied), and its batch in @batches. */
MUST_CHECK bool asked_add(struct asked *a, const char *name, struct batch_table *batches,
                          struct err *err);

/**
 * After the last asked_add(): apply one document more, oldest first; *@done
 * when there was none left. @batches has all files of the part by now and says of which
 * generation each batch is. Batches that were sent, and their bills, are noted in @report.
 */
MUST_CHECK bool asked_apply(struct asked *a, struct batch_table *batches, struct report *report,
                            bool *done, struct err *err);

/** What is known of one task. Strings are borrowed from the struct asked. */
struct asked_task {
    bool known;          /* some ended batch that counts was asked for it */
    uint32_t times;      /* remote batches that were, ever; stops at 255 */
    int64_t ended_ms;    /* when the last one that counts ended, Redis' clock; 0 unknown */
    const char *failure; /* why nothing came the last time; "" normally */
    const char *message; /* goes with @failure */
};

/** Of @ordinal, which is in the part. */
struct asked_task asked_task(const struct asked *a, uint64_t ordinal);

/**
 * Compare a window of the input with what it was when its requests were sent:
 * false when the number of requests or the checksum differ.
 */
bool asked_same_window(const struct asked *a, uint32_t window, uint32_t lines, uint32_t crc);

#endif
