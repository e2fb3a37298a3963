#ifndef SIMULATOR_FAULTS_H
#define SIMULATOR_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"

struct err;

/* What can be made to go wrong; docs/simulator.md says what each one does. */
enum fault_id {
    FAULT_LOST_CREATE,
    FAULT_CREATE_500,
    FAULT_CREATE_500_REFUSED,
    FAULT_LOST_UPLOAD,
    FAULT_UPLOAD_500,
    FAULT_POLL_500,
    FAULT_HTML_502,
    FAULT_RATE_429,
    FAULT_REJECT_KEY,
    FAULT_INSUFFICIENT_QUOTA,
    FAULT_TRUNCATE,
    FAULT_SLOW_DOWNLOAD,
    FAULT_NO_RANGE,
    FAULT_POLL_404,
    FAULT_EMPTY_IDS,
    FAULT_FILE_LAG,
    FAULT_LIST_LAG,
    FAULT_BATCH_FAILED,
    FAULT_BATCH_EXPIRED,
    FAULT_ONLY_ERROR_FILE,
    FAULT_ROWS_FAILED,
    FAULT_ROWS_500,
    FAULT_ROWS_MISSING,
    FAULT_ROWS_DUPLICATED,
    FAULT_ROWS_EXPIRED,
    FAULT_ROWS_ALIEN,
    FAULT_ID_COUNT,
};

enum fault_when { WHEN_ALWAYS, WHEN_NTH, WHEN_EVERY, WHEN_SHARE };

struct fault {
    bool armed;
    enum fault_when when;
    bool always;     /* rows: the same body meets the same fate at every try */
    uint64_t number; /* N; milliseconds; bytes a second */
    double share;
    uint64_t seen; /* occasions since it was armed */
};

/** Plain data: zero-initialise, set @seed; may be copied. */
struct faults {
    uint64_t seed;
    struct fault of[FAULT_ID_COUNT];
};

/**
 * Arm what @spec says: NAME or NAME=ARG; NAME=off disarms one, "clear" all.
 * Arming again starts its count anew. False for an unknown name or argument.
 */
MUST_CHECK bool faults_arm(struct faults *f, const char *spec, struct err *err);

/** Arm each non-blank line of @text (changed in passing). Stops at the first bad one. */
MUST_CHECK bool faults_arm_lines(struct faults *f, char *text, struct err *err);

/** An occasion for @id has come: does it strike? */
bool faults_strike(struct faults *f, enum fault_id id);

/** The duration (ms), count or rate of @id; 0 when it is not armed. */
uint64_t faults_number(const struct faults *f, enum fault_id id);

/** Whether @id strikes the row with this body, which met a failure @failures times before. */
bool faults_strike_row(const struct faults *f, enum fault_id id, uint64_t body, uint32_t failures);

#endif
