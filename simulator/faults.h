#ifndef SIMULATOR_FAULTS_H
#define SIMULATOR_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct err;

/* What can be made to go wrong; docs/simulator.md says what each one does. */
enum fault_id {
    /* around a request: many of each may be armed */
    FAULT_STATUS,
    FAULT_DROP,
    FAULT_DELAY,
    FAULT_SET,
    FAULT_OMIT,
    FAULT_RATE_HEADERS,
    FAULT_ROUTED_COUNT,
    /* the others: one of each */
    FAULT_SLOW_UPLOAD = FAULT_ROUTED_COUNT,
    FAULT_EXPECT_IGNORED,
    FAULT_FILE_LAG,
    FAULT_FILE_GET_LAG,
    FAULT_FILE_LIST_LAG,
    FAULT_FILE_PENDING,
    FAULT_FILE_ERROR,
    FAULT_LATE_CREATE,
    FAULT_BATCH_GET_LAG,
    FAULT_LIST_LAG,
    FAULT_POLL_404,
    FAULT_STALE,
    FAULT_EMPTY_IDS,
    FAULT_STUCK_VALIDATING, /* the four in the order of their words */
    FAULT_STUCK_IN_PROGRESS,
    FAULT_STUCK_FINALIZING,
    FAULT_STUCK_CANCELLING,
    FAULT_BATCH_FAILED,
    FAULT_BATCH_EXPIRED,
    FAULT_BATCH_CANCELLED,
    FAULT_CANCEL_LOSES,
    FAULT_ONLY_ERROR_FILE,
    FAULT_NO_FILES,
    FAULT_EMPTY_FILES,
    FAULT_EMPTY_ERROR_FILE,
    FAULT_ROWS_FAILED,
    FAULT_ROWS_500,
    FAULT_ROWS_429,
    FAULT_ROWS_0,
    FAULT_ROWS_POLICY,
    FAULT_ROWS_TIMEOUT,
    FAULT_ROWS_EXPIRED,
    FAULT_ROWS_CANCELLED,
    FAULT_ROWS_MISSING,
    FAULT_ROWS_DUPLICATED,
    FAULT_ROWS_ALIEN,
    FAULT_ROWS_TORN,
    FAULT_ROWS_GLUED,
    FAULT_ROWS_STRING,
    FAULT_ROWS_BIG,
    FAULT_CRLF,
    FAULT_BOM,
    FAULT_BLANK_LINES,
    FAULT_NO_FINAL_NEWLINE,
    FAULT_CUT,
    FAULT_WRONG_LENGTH,
    FAULT_SLOW_DOWNLOAD,
    FAULT_RANGE,
    FAULT_ETAG,
    FAULT_GZIP,
    FAULT_REDIRECT,
    FAULT_CONTENT_LAG,
    FAULT_OUTPUT_GONE,
    FAULT_REORDER,
    FAULT_ROWS_PROSE,
    FAULT_ROWS_WRAPPED,
    FAULT_ROWS_FENCED,
    FAULT_ROWS_LOOSE,
    FAULT_ROWS_CUT_OFF,
    FAULT_ROWS_WRONG_WORD,
    FAULT_ROWS_EXTRA_KEY,
    FAULT_ROWS_FORGOTTEN,
    FAULT_ID_COUNT,
};

/* The routes of the API by the names that faults know them by. */
enum fault_route {
    ROUTE_ANY,
    ROUTE_UPLOADS,
    ROUTE_FILE_LISTS,
    ROUTE_FILE_GETS,
    ROUTE_FILE_DELETES,
    ROUTE_DOWNLOADS,
    ROUTE_CREATES,
    ROUTE_LISTS,
    ROUTE_POLLS,
    ROUTE_CANCELS,
    ROUTE_MODELS,
    ROUTE_COUNT,
};

/* When in the life of a request a fault acts. */
enum fault_stage {
    STAGE_HEAD,   /* its head is there */
    STAGE_BEFORE, /* it is there, nothing is done */
    STAGE_AFTER,  /* it was carried out: the answer is a 2xx */
    STAGE_ANSWER, /* it is about to be answered, however */
};

enum fault_when { WHEN_ALWAYS, WHEN_SPAN, WHEN_EVERY, WHEN_SHARE };

enum fault_key {
    KEY_WHEN,
    KEY_ROUTE,
    KEY_AT,
    KEY_REUSED,
    KEY_ALWAYS,
    KEY_ONCE,
    KEY_IN_OUTPUT,
    KEY_STATUS,
    KEY_CODE,
    KEY_MESSAGE,
    KEY_BODY,
    KEY_RETRY_AFTER,
    KEY_RETRY_AFTER_MS,
    KEY_RETRY_AFTER_SECONDS,
    KEY_SHOULD_RETRY,
    KEY_TO,
    KEY_BYTE,
    KEY_LINE,
    KEY_DONE,
    KEY_COUNT,
};

/* The words of drop=, body=, cut=, range=, etag= in their order; fault.choice is one of these. */
enum fault_drop { DROP_CLOSE, DROP_RESET, DROP_SILENT, DROP_HALF };
enum fault_body { BODY_JSON, BODY_FLAT, BODY_HTML, BODY_TEXT, BODY_EMPTY, BODY_HALF };
enum fault_cut { CUT_LENGTH, CUT_CHUNKED, CUT_CLOSE, CUT_STALL };
enum fault_range { RANGE_IGNORED, RANGE_REFUSED, RANGE_SHIFTED };
enum fault_etag { ETAG_STEADY, ETAG_WEAK, ETAG_CHANGING };

#define FAULT_SPEC_MAX 240

/** Plain data. */
struct fault {
    bool armed;
    uint8_t name; /* by which it was armed: a row of the table of names */
    enum fault_id id;
    enum fault_when when;
    enum fault_route route;
    enum fault_stage at;
    unsigned choice;           /* which of the words that @id allows */
    uint64_t number;           /* milliseconds; bytes; a count; an HTTP status */
    int64_t by;                /* bytes, with a sign */
    uint64_t from, to;         /* WHEN_SPAN; WHEN_EVERY: each @from-th */
    double share;              /* WHEN_SHARE; of rows */
    uint64_t seen;             /* occasions since it was armed */
    uint8_t length;            /* of @spec */
    uint8_t arg;               /* where in @spec the argument begins */
    uint8_t keys[KEY_COUNT];   /* where in @spec a key's value begins; 0: not given */
    char spec[FAULT_SPEC_MAX]; /* what was armed, cut into its parts by NULs */
};

#define FAULTS_ROUTED_MAX 32

/** Plain data: zero-initialise, set @seed; may be copied. */
struct faults {
    uint64_t seed;
    struct fault of[FAULT_ID_COUNT]; /* from FAULT_ROUTED_COUNT on */
    struct fault routed[FAULTS_ROUTED_MAX];
    size_t routed_count;
};

/**
 * Arm what @spec says: NAME[=ARG][:KEY[=VALUE]]...; NAME=off disarms what has
 * this name, "clear" all. Arming again starts its count anew. False, with
 * nothing changed, for what it can't read.
 */
MUST_CHECK bool faults_arm(struct faults *f, const char *spec, struct err *err);

/** Arm each non-blank line of @text (changed in passing). Stops at the first bad one. */
MUST_CHECK bool faults_arm_lines(struct faults *f, char *text, struct err *err);

/** An occasion for @id has come: does it strike? */
bool faults_strike(struct faults *f, enum fault_id id);

/* A request at one of its stages. */
struct fault_occasion {
    enum fault_route route; /* ROUTE_ANY: a path that is none of ours */
    enum fault_stage at;
    bool reused; /* not the first request of its connection */
};

/** An occasion for all that are about requests: copy those that strike to @out, in order. */
size_t faults_meet(struct faults *f, const struct fault_occasion *o,
                   struct fault out[FAULTS_ROUTED_MAX]);

/** The duration (ms), count or rate of @id; 0 when it is not armed. */
uint64_t faults_number(const struct faults *f, enum fault_id id);

/** Whether @id strikes the row with this body, which met a failure @failures times before. */
bool faults_strike_row(const struct faults *f, enum fault_id id, uint64_t body, uint32_t failures);

/** The value of @key as it was given, NULL when it was not. */
const char *fault_text(const struct fault *fault, enum fault_key key);

/** The number that @key was given, else @preset. */
uint64_t fault_count(const struct fault *fault, enum fault_key key, uint64_t preset);

/** The argument as it was given; "" when there was none. */
const char *fault_arg(const struct fault *fault);

#endif
