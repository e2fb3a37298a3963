#ifndef PROVIDER_RETRY_H
#define PROVIDER_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/provider/provider_error.h"
#include "common/provider/row.h"

/*
 * What is done about each failure at each step: one table, printed in
 * docs/retries.md. Pure: the caller says what is known and gives a random
 * number, the table says what to do and after which wait.
 */

/** Where in the life of a batch something went wrong. */
enum retry_step {
    RETRY_UPLOAD,     /* POST /files */
    RETRY_FILE_READY, /* the provider is still checking the file */
    RETRY_CREATE,     /* POST /batches */
    RETRY_SEARCH,     /* a listing, or the deletion in between: proves nothing when it fails */
    RETRY_POLL,       /* GET /batches/{id} */
    RETRY_FAILED,     /* the batch itself: status failed, no results */
    RETRY_ENDED,      /* any other end */
    RETRY_STUCK,      /* longer in one status than is usual */
    RETRY_CANCEL,     /* POST /batches/{id}/cancel */
    RETRY_DOWNLOAD,   /* size and content of a result file */
    RETRY_ROW,        /* one request, by its line in a result file */
};

#define RETRY_STEPS (RETRY_ROW + 1)

/** "upload", "file_ready", ... */
const char *retry_step_name(enum retry_step step);

enum retry_action {
    RETRY_WAIT,             /* nothing is wrong yet: look again */
    RETRY_AGAIN,            /* the same call again */
    RETRY_RESOLVE,          /* it may have worked: look for it, before anything else */
    RETRY_REAP,             /* as AGAIN, and look for own leftovers to delete at once */
    RETRY_FETCH,            /* take the results that there are */
    RETRY_SAME_FILE,        /* create again from the same file */
    RETRY_REBUILD,          /* build and upload the file again, the same shards */
    RETRY_RESUBMIT_FREE,    /* its requests go into other batches; no try is counted */
    RETRY_RESUBMIT_COUNTED, /* the same, and a try is counted */
    RETRY_SPLIT,            /* smaller files: into other batches, no try is counted */
    RETRY_DEAD_LETTER,      /* final, with the provider's words: the named lines, and the others
                               go on free; everything where no line is named */
    RETRY_CANCEL_BATCH,     /* cancel it, then take what there is; the rest goes on free */
    RETRY_HOLD_LANE,        /* nothing more of the lane is sent until the wait is over or a batch of
                               it ends; its own requests stay where they are */
    RETRY_STOP_LANE,        /* its requests go back free, and nothing of the lane is sent until a
                               person resumes the job */
    RETRY_KEY,              /* the key is refused: say so, and try seldom */
};

/** "wait", "retry", "resolve", ... */
const char *retry_action_name(enum retry_action action);

/** What must be known for a row to apply; a row may name several. */
enum retry_when {
    RETRY_IF_YOUNG = 1 << 0,   /* the file or batch may not be visible yet; the end of the batch
                                  was seen just now */
    RETRY_IF_NAMED = 1 << 1,   /* the provider names lines of the file */
    RETRY_IF_TOO_BIG = 1 << 2, /* of the file: its size or its number of requests is refused */
    RETRY_IF_RESULTS = 1 << 3, /* there is a result file */
    RETRY_IF_PARTIAL = 1 << 4, /* expired or cancelled: what has no line was not run */
    RETRY_IF_SHORT = 1 << 5,   /* fewer lines came than the provider counts */
    RETRY_IF_SLOW = 1 << 6,    /* longer in its status than the profile's limit */
    RETRY_IF_OVERDUE = 1 << 7, /* longer than its window and what is granted on top */
    RETRY_IF_STOPPED =
        1 << 8,              /* cancelled for that, and still not ended after the profile's time */
    RETRY_IF_ALONE = 1 << 9, /* nothing else of its lane was at the provider */
    RETRY_IF_SINGLE = 1 << 10, /* its file is of one line: there is nothing to split */
    RETRY_IF_ROOM = 1 << 11,   /* other batches of the lane had results not long ago */
};

#define RETRY_WHENS 12

/** Of one bit: "young", "named", ... */
const char *retry_when_name(enum retry_when when);

/** How a row changes what is sent of the lane in future. */
enum retry_lesson {
    RETRY_NO_LESSON,
    RETRY_LESS_QUEUED,   /* what was queued before this one is what fits */
    RETRY_SMALLER_FILES, /* half of this file's requests and bytes */
};

/** "", "less in the queue", ... */
const char *retry_lesson_name(enum retry_lesson lesson);

/** One row. Rows of one (step, class, when) follow each other: each counts for its tries. */
struct retry_row {
    enum retry_step step;
    int class;     /* enum provider_class, of RETRY_ROW enum row_class; RETRY_ANY: all that have no
                      row of their own */
    unsigned when; /* bits of enum retry_when, all of them needed */
    enum retry_action action;
    int64_t base_ms, cap_ms; /* the wait grows from one to the other; 0, 0: none */
    unsigned tries;          /* then the next row; 0: without end */
    enum retry_lesson lesson;
    unsigned flags; /* bits of enum retry_flag */
};

#define RETRY_ANY (-1)

enum retry_flag {
    RETRY_JITTER = 1 << 0, /* a random point in [0, wait]: many that failed together do not come
                              back together. Else the wait as it is */
    RETRY_POLLS = 1 << 1,  /* the wait is shorter where polls are more often than each minute:
                              a minute stands for one poll interval */
    RETRY_TELL = 1 << 2,   /* a person should know: a warning in the log, and the job's trouble */
    RETRY_ROUNDS = 1 << 3, /* what counts is how often its batches came to nothing by this, not the
                              tries */
};

/** The whole table, for the documentation and for tests. Static. */
const struct retry_row *retry_rows(size_t *count);

/** What is known of a failure. */
struct retry_facts {
    unsigned when;          /* bits of enum retry_when that hold */
    unsigned tries;         /* failures of this kind in a row before this one */
    unsigned rounds;        /* remote batches of the record that this kind of failure has brought
                               to nothing before this one */
    int64_t server_wait_ms; /* what the provider asked for; -1: nothing */
    bool no_repeat;         /* x-should-retry: false */
    int64_t poll_ms;        /* the job's longest time between polls; 0: a minute */
    uint32_t random;        /* evenly spread */
};

struct retry_decision {
    enum retry_action action;
    int64_t wait_ms;          /* before the action, or how long the lane is held */
    bool tell;                /* see RETRY_TELL; or what waits for longer than a moment */
    enum retry_lesson lesson; /* in the first of a row's tries only */
};

/**
 * The row that counts, and its wait. The first row fits whose step, class and conditions do; what
 * has no row of its own takes the step's row for any class. The provider's own wish to wait wins
 * up to 15 minutes; a longer one is obeyed for at most a day, and told. A call that the provider
 * says shall not be repeated moves on to what comes after the row's tries, or takes its
 * longest wait where nothing does.
 */
struct retry_decision retry_decide(enum retry_step step, enum provider_class class,
                                   const struct retry_facts *facts);

#define RETRY_KIND_SIZE   48
#define RETRY_COUNTS_SIZE 256

/**
 * What `tries` and `rounds` are counted by, as a record keeps it: failures for which the same rows
 * hold, such as "poll/not_found". What an outage has used up takes nothing from another row.
 */
void retry_kind(enum retry_step step, enum provider_class class, unsigned when,
                char out[RETRY_KIND_SIZE]);

/** Whether @kind is one of @step. */
bool retry_kind_is_of(const char *kind, enum retry_step step);

/** How often @kind is counted in @counts, such as "failed/any:1 failed/not_found:2". */
unsigned retry_count(const char *counts, const char *kind);

/** @counts with one more of @kind. All kinds that have rows with RETRY_ROUNDS find room. */
void retry_count_more(const char *counts, const char *kind, char out[RETRY_COUNTS_SIZE]);

/** The same as retry_decide() for one request: FETCH (it has a result), RESUBMIT_FREE,
 * RESUBMIT_COUNTED, DEAD_LETTER.
 */
enum retry_action retry_row_action(enum row_class class);

/** How long something that should be there may be missing: 5 minutes, at most 10 polls. */
int64_t retry_grace_ms(int64_t poll_ms);

/** Whether another batch's results at @ok_ms (0: never) show that there was room: RETRY_IF_ROOM. */
bool retry_had_room(int64_t now_ms, int64_t ok_ms);

/** Whether a refused file was refused for its size or its number of requests: RETRY_IF_TOO_BIG. */
bool retry_is_too_big(enum provider_class class, long status, const char *code,
                      const char *message);

/** Of one that is too big: whether the number of its requests is, not its bytes. */
bool retry_is_too_many(const char *code, const char *message);

/** What a full queue is counted in. */
enum retry_queue { RETRY_QUEUE_TOKENS, RETRY_QUEUE_REQUESTS, RETRY_QUEUE_BATCHES };

/** By the words of a refusal (PROVIDER_QUOTA_ENQUEUED); tokens when they say nothing. */
enum retry_queue retry_queue_of(const char *code, const char *message);

#endif
