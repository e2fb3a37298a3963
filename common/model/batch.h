#ifndef MODEL_BATCH_H
#define MODEL_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/model/job_spec.h"
#include "common/model/price.h"

/** Bytes of our random batch id and of a lease nonce, without the NUL. */
#define BATCH_ID_LEN 16

/** Bytes of a provider's id that we accept, without the NUL. */
#define REMOTE_ID_MAX 127

/** Bytes of a lane id: hex of a 128-bit hash of (site, endpoint, model). */
#define LANE_ID_LEN 32

/** Bytes of an account id: 12 hex digits that say whose quota a batch uses. */
#define ACCOUNT_ID_LEN 12

/** The life of a batch record. `docs/protocol.md` has the drawing. */
enum batch_state {
    BATCH_BUILD,  /* sealed; its file is being built and uploaded */
    BATCH_SUBMIT, /* intent: the create call may have been sent */
    BATCH_RUN,    /* the remote batch is known and polled */
    BATCH_FETCH,  /* ended; results are brought home */
    BATCH_CLEAN,  /* integrated; remote files are deleted */
};

/** "BUILD", ... as stored in Redis. */
const char *batch_state_name(enum batch_state state);

/** False when @name is no state's name. */
bool batch_state_parse(const char *name, enum batch_state *state);

/**
 * The whole behaviour of a record, as one table; `advance` and `done` are the
 * only doors. False when the move is not allowed.
 */
bool batch_may_move(enum batch_state from, enum batch_state to);

/** A batch record as a claim returned it. Owned by the holder; batch_release(). */
struct batch {
    char bid[BATCH_ID_LEN + 1];
    char job[JOB_NAME_MAX + 1];
    char lane[LANE_ID_LEN + 1];
    char account[ACCOUNT_ID_LEN + 1]; /* whose key packed it: only that account sees its files */
    enum batch_state state;
    uint64_t requests;
    uint64_t bytes;                     /* upper bound of the file */
    int64_t packed_ms;                  /* Redis time */
    int64_t build_ms;                   /* Redis time when it last came to BUILD */
    char file[REMOTE_ID_MAX + 1];       /* remote input file, "" before the upload */
    int64_t file_ms;                    /* Redis time of the upload, 0 if none */
    int64_t intent_ms;                  /* Redis time of the last intent, 0 if none */
    int64_t run_ms;                     /* Redis time when the remote batch became known */
    int64_t ended_ms;                   /* Redis time when its end was seen, 0 before */
    char endpoint[128];                 /* what its request lines call, "" before the upload */
    char remote[REMOTE_ID_MAX + 1];     /* remote batch, "" before */
    int64_t remote_created_ms;          /* the provider's own time of the remote batch, 0 unknown */
    char output[REMOTE_ID_MAX + 1];     /* remote output file, "" for none */
    char error[REMOTE_ID_MAX + 1];      /* remote error file, "" for none */
    uint64_t output_bytes, error_bytes; /* pinned sizes */
    char remote_status[32];             /* the provider's word as last polled, "" before */
    int64_t remote_done, remote_failed; /* requests as the provider counts them; -1 unknown */
    uint64_t checkpoint;                /* bytes of (output || error) integrated ... */
    uint32_t pass;                      /* ... this time: how often they were begun anew */
    char failure[64];                   /* why there is nothing to fetch, "" normally */
    bool free_rest;     /* what gets no line is not charged: expired, cancelled, never run */
    uint32_t looks;     /* times the list was searched and nothing was found */
    uint32_t tries;     /* failures in a row of the kind ... */
    char tries_of[48];  /* ... of common/provider/retry.h, "" before the first */
    char rounds[256];   /* how often each kind has brought its remote batch to nothing: counts of
                           common/provider/retry.h */
    uint32_t asked;     /* of its only shard: the file asks for the first so many of its clear
                           lines, as all of them were too large; 0: for all */
    bool alone;         /* nothing else of its lane was at the provider at its last intent */
    int64_t lane_ok_ms; /* Redis time, as of that intent, of the lane's last results; 0: none */
    int64_t status_ms;  /* Redis time when the remote status last changed, 0 without one */
    int64_t alarm_ms;   /* Redis time when it was told of as stuck, 0 if it was not */
    int64_t stop_ms;    /* Redis time when its cancel was asked for as it was stuck, 0 if not */
    char model[256];    /* of its lane, "" unknown */
    struct price_quote quote; /* what its tokens cost, fixed when it was packed, ... */
    bool priced;              /* ... if that was known */
    int64_t reserved_nano;    /* what it may cost: held back of the job's cap until `done` */
    int64_t likely_nano;      /* what it was expected to cost when it was packed */
    char *refused;            /* lines that the upload refused: JSON as remote_errors_parse() reads
                                 it; NULL for none */
    uint8_t *masks; /* settled, free and seen bits as the last chunk left them; NULL before */
    size_t masks_len;
};

/** Give all of @from to @to, which owns nothing yet; @from owns nothing afterwards. */
void batch_move(struct batch *to, struct batch *from);

/** Free what it owns. */
void batch_release(struct batch *batch);

/** Bytes of the largest mask: one bit for each of 1,000 lines. */
#define MEMBER_MASK_BYTES 125

/** One shard of a batch. @mask is what the file did not ask for. */
struct member {
    uint32_t window, index;              /* index: the lane's number within the window */
    uint32_t attempt;                    /* tries before this one */
    uint32_t failures;                   /* charged ones */
    uint32_t lines;                      /* requests in the window = bits of the mask */
    uint32_t left;                       /* clear bits */
    uint64_t offset, length, first_line; /* of the window in the source */
    uint32_t crc;                        /* crc32c of the window's bytes */
    uint64_t bytes;                      /* upper bound of its lines in a batch file */
    uint64_t longest;                    /* bytes of its longest line there */
    uint64_t tokens;                     /* estimated input tokens of what is left of it */
    uint64_t est_output;  /* most output tokens of those lines left that say how many they want */
    uint32_t open_ended;  /* lines left that do not say it */
    uint64_t most_tokens; /* input tokens of what is left, at most: once some of it is settled,
                             nobody knows which lines the estimates were of, and est_output and
                             open_ended are bounds as well */
    uint64_t line_tokens, line_output; /* of its largest lines: estimated input, output asked for */
    uint8_t mask[MEMBER_MASK_BYTES];
};

#endif
