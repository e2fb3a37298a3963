#ifndef MODEL_OUTCOME_H
#define MODEL_OUTCOME_H

/**
 * What one result line means for its task. The order is the merge's rank: for
 * a task with several lines the highest wins.
 */
enum outcome {
    OUTCOME_MISSING, /* asked for, and no line came */
    OUTCOME_FREE,    /* expired, cancelled, timed out: sent again, not charged */
    OUTCOME_RETRY,   /* 429, 5xx, status 0: sent again, charged as an attempt */
    OUTCOME_PERM,    /* 4xx that will not change: a dead letter */
    OUTCOME_OK,
};

/** Stable lower-case name: "missing", "free", "retry", "perm", "ok". */
const char *outcome_name(enum outcome outcome);

#endif
