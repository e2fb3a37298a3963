#ifndef MODEL_JOB_VIEW_H
#define MODEL_JOB_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/model/batch.h"
#include "common/model/job_spec.h"
#include "common/model/money.h"

/*
 * A job as Redis knows it at one moment. Plain data; the pointers are borrowed
 * from whoever made the view and live as long as it says.
 */

/* Kinds of trouble. */
#define TROUBLE_QUOTA   "quota"  /* the provider takes no more for now: quota, money */
#define TROUBLE_INPUT   "input"  /* the source cannot be read */
#define TROUBLE_DISK    "disk"   /* sink or temporary files cannot be written or read */
#define TROUBLE_FILES   "files"  /* a result file does not come, again and again */
#define TROUBLE_LANE    "lane"   /* nothing of a lane is sent until a person resumes the job */
#define TROUBLE_STUCK   "stuck"  /* a batch takes longer than is usual: nothing to do but to know */
#define TROUBLE_LIMITS  "limits" /* own limits: a turn to send something is far away */
#define TROUBLE_ACCOUNT "account" /* batches of an account wait that no process has a key of */

enum job_state {
    JOB_OPEN,   /* the input is still being cut */
    JOB_SEALED, /* all of it is in shards */
    JOB_FINAL,  /* every part is merged and published */
};

/** "OPEN", ... as stored in Redis. */
static inline const char *job_state_name(enum job_state state)
{
    switch (state) {
    case JOB_OPEN: return "OPEN";
    case JOB_SEALED: return "SEALED";
    case JOB_FINAL: return "FINAL";
    }
    return "?";
}

/** What the processes last saw of a provider. */
enum site_state {
    SITE_OK,   /* nothing bad is known */
    SITE_DOWN, /* does not answer, or only with errors of its own */
    SITE_AUTH, /* refuses the key */
};

/** One live batch, for people. */
struct batch_view {
    char bid[BATCH_ID_LEN + 1];
    enum batch_state state;
    uint64_t requests;
    char remote[REMOTE_ID_MAX + 1];
    char remote_status[32];             /* the provider's word, "" when not polled yet */
    int64_t remote_done, remote_failed; /* as the provider counts; -1 unknown */
    uint64_t checkpoint;                /* bytes of (output || error) integrated */
    uint64_t output_bytes, error_bytes; /* pinned sizes, 0 before FETCH */
    uint64_t ok, bad;                   /* settled by it and not yet in the job's counters */
    int64_t packed_ms;                  /* Redis time */
    char lane[LANE_ID_LEN + 1];
    char account[ACCOUNT_ID_LEN + 1];
    const char *lane_label; /* JSON of what the lane is, "" if unknown */
    int64_t lane_hold_ms;   /* Redis time its lane is held until, 0 for no hold */
    char failure[64];       /* why there is nothing to fetch, "" normally */
    bool is_empty;          /* nothing of it is at the provider, and nothing was charged */
    uint32_t tries;         /* failures in a row at this step */
    int64_t status_ms;      /* Redis time when remote_status last changed, 0 unknown */
    int64_t alarm_ms;       /* Redis time when it was told of as stuck, 0 if it was not */
    int64_t stop_ms;        /* Redis time when its cancel was asked for as stuck, 0 if not */
};

/** What one account may use of one lane, and uses. Learned caps: 0 when nothing was learned. */
struct lane_view {
    char lane[LANE_ID_LEN + 1];
    char account[ACCOUNT_ID_LEN + 1];
    const char *label;    /* JSON of what the lane is, "" if unknown */
    int64_t hold_ms;      /* Redis time it is held until; 0, or in the past: it is not held */
    const char *hold_why; /* words for a person, "" without a hold */
    uint64_t batches, tokens, requests;             /* reserved, of all jobs */
    uint64_t cap_batches, cap_tokens, cap_requests; /* learned, of what may be reserved at once */
    uint64_t cap_file_requests, cap_file_bytes;     /* learned, of one file */
};

/** How many live batches of a job are of one account. */
struct account_view {
    char account[ACCOUNT_ID_LEN + 1];
    uint64_t batches; /* from pack to drop */
};

/** Everything status and watch show. */
struct job_view {
    char job[JOB_NAME_MAX + 1];
    char ji[JOB_JI_LEN + 1];
    char fingerprint[65];
    char site[16];
    enum job_state state;
    char hold[24];           /* operator, budget, auth, input_changed; "" when it is not held */
    const char *why;         /* words for a person; "" */
    char trouble[16];        /* what keeps it from moving: a TROUBLE_ word; "" */
    const char *trouble_why; /* words for a person; "" */
    int64_t parked_ms; /* Redis time until when its provider asked to wait with some call; 0: it did
                          not */
    int64_t trouble_since_ms; /* Redis time, 0 without trouble */
    bool cancelled;
    const char *spec;    /* JSON text given when it was opened */
    int64_t now_ms;      /* Redis time of this view */
    int64_t created_ms;  /* Redis time */
    int64_t finished_ms; /* Redis time, 0 before the end */

    uint64_t requests; /* lines put so far, valid or not */
    uint64_t invalid;  /* of these: lines that can't be sent */
    uint64_t ok, bad;  /* settled, from batches integrated in full (and the sink) */
    uint32_t windows;  /* cut so far; all of them once sealed */
    uint64_t offset;   /* source bytes cut so far */
    uint64_t shards, shards_done, shards_in_flight;
    uint64_t payload_bytes;     /* inline payloads in Redis */
    uint32_t parts, parts_done; /* parts is 0 until it is sealed */
    uint64_t batches;           /* made so far */
    uint64_t batches_alive;     /* that hold a slot at the provider */
    uint64_t again;             /* shards that had to be sent again */
    uint64_t poll_ms;           /* tunable: longest time between polls */
    uint32_t max_attempts;      /* tunable */
    uint32_t generation;        /* of the newest resubmission, 0 before the first */
    uint64_t opens; /* times it was opened: a hold for its budget from before one is over */

    /*
     * Money: whole nano-units of @currency. Of unpriced models nothing is counted. At no time is
     * more than the cap spent or reserved, as long as no batch costs more than was
     * reserved for it.
     */
    char currency[MONEY_CURRENCY_SIZE]; /* that the provider bills in; "": not known */
    int64_t max_cost_nano;              /* tunable: the cap; -1: none */
    int64_t spent_nano;    /* of batches integrated in full, by the usage in their lines */
    int64_t reserved_nano; /* what the batches alive may cost: estimate, margin and ceilings */
    uint64_t unpriced;     /* requests answered whose price is not known: not in @spent_nano */

    /*
     * protocol_job_view() only, and all that follows. "Left" is what was cut and is not settled,
     * in batches or not: its requests are @requests - @invalid - @ok - @bad.
     */
    int64_t left_nano; /* what it will cost, as the job has gone so far: calibrated, no margin */
    int64_t need_nano; /* what would be reserved for all of it at once: with a cap of @spent_nano +
                          @need_nano nothing is held. -1: a price is not known, or
                          the work is not, as the job is from before it was summed up */
    uint64_t left_unpriced; /* of what is left: requests whose price is not known */
    uint64_t est_input_tokens, act_input_tokens; /* of the lines that had a usage: as estimated,
                                                    and as the provider counted */
    uint64_t output_tokens, output_lines;        /* of these lines: all answers, and how many */

    enum site_state site_state;
    const char *site_why;                  /* "" */
    int64_t site_since_ms;                 /* Redis time of the first failure in a row, 0 when OK */
    const struct batch_view *batches_view; /* live batches, at most 1,000 */
    size_t batches_view_count;
    const struct lane_view *lanes; /* its lanes, one for each account; at most 1,000 */
    size_t lane_count;
    const struct account_view *accounts; /* of all its live batches */
    size_t account_count;
};

/** One row of the list of jobs. */
struct job_row {
    char job[JOB_NAME_MAX + 1];
    enum job_state state;
    char hold[24]; /* "" when it is not held */
    bool cancelled;
    uint64_t requests, ok, bad, invalid;
    int64_t created_ms; /* Redis time */
};

#endif
