#ifndef ENRICH_READING_H
#define ENRICH_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/enrich/pair_fold.h"
#include "common/json/result_line.h"
#include "common/json/scan.h"
#include "common/recipe/answer.h"

struct analysis;

/** A longer text is no valid answer. */
#define READING_MAX_BYTES (16u << 20)

/** What a result line says of one row of its request. Borrowed from the reading. */
struct reading_row {
    enum pair_state said; /* OK, REPAIRED, INVALID, LOST or FAILED */
    unsigned repairs;
    struct slice json; /* the answer, where there is a valid one */
    const char *code;  /* else what is wrong: "invalid_answer", "forgotten", "content_filter" */
    const char *why;   /* the same in words */
};

/**
 * Reads result lines, one after the other, into what they say of the rows of their requests. Zeroed
 * by reading_init(); reading_release() frees. The memory is used again.
 */
struct reading {
    struct answer_scratch scratch;
    struct buf body_text; /* of a body that came as a string */
    struct answer *answers;
    struct reading_row *rows; /* of the newest line: as many as its request has */
    size_t cap;
    struct slice body;                         /* raw JSON of the response's body; len 0: none */
    struct slice text;                         /* what the model said, decoded; len 0: nothing */
    char code[RESULT_CODE_SIZE], why[WHY_MAX]; /* of the whole line */
};

void reading_init(struct reading *reading);
void reading_release(struct reading *reading);

/** What is asked: one row, or with @ids @count rows in the form of a pack. Borrowed. */
struct reading_request {
    const struct analysis *analysis;
    const char *const *ids; /* NULL: no pack */
    size_t count;
};

/**
 * Read the line that @fields was parsed from; @ok as the merge has it: it is a success. @fields
 * NULL: the job was cancelled before there was one. Then @reading->rows has an entry for each row.
 */
void reading_make(struct reading *reading, const struct reading_request *request,
                  const struct result_line *fields, bool ok);

#endif
