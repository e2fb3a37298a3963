#include "common/provider/retry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"

#define S   INT64_C(1000)
#define MIN INT64_C(60000)
#define DAY (INT64_C(1440) * MIN)

#define POLL_UNIT_MS       MIN /* what one poll interval stands for in a row with RETRY_POLLS */
#define SERVER_MAX_MS      (15 * MIN)
#define SERVER_PARK_MAX_MS DAY
#define GRACE_MS           (5 * MIN)
#define GRACE_POLLS        10
#define MOMENT_MS          (30 * S) /* longer waits are told */
#define ROOM_MS            (30 * MIN)
#define TELL_AT            2 /* and what was put off so often in a row */

const char *retry_step_name(enum retry_step step)
{
    switch (step) {
    case RETRY_UPLOAD: return "upload";
    case RETRY_FILE_READY: return "file_ready";
    case RETRY_CREATE: return "create";
    case RETRY_SEARCH: return "search";
    case RETRY_POLL: return "poll";
    case RETRY_FAILED: return "failed";
    case RETRY_ENDED: return "ended";
    case RETRY_STUCK: return "stuck";
    case RETRY_CANCEL: return "cancel";
    case RETRY_DOWNLOAD: return "download";
    case RETRY_ROW: return "row";
    }
    return "?";
}

const char *retry_action_name(enum retry_action action)
{
    switch (action) {
    case RETRY_WAIT: return "wait";
    case RETRY_AGAIN: return "retry";
    case RETRY_RESOLVE: return "resolve";
    case RETRY_REAP: return "reap";
    case RETRY_FETCH: return "fetch";
    case RETRY_SAME_FILE: return "same_file";
    case RETRY_REBUILD: return "rebuild";
    case RETRY_RESUBMIT_FREE: return "resubmit_free";
    case RETRY_RESUBMIT_COUNTED: return "resubmit_counted";
    case RETRY_SPLIT: return "split";
    case RETRY_DEAD_LETTER: return "dead_letter";
    case RETRY_CANCEL_BATCH: return "cancel";
    case RETRY_HOLD_LANE: return "hold_lane";
    case RETRY_STOP_LANE: return "stop_lane";
    case RETRY_KEY: return "key";
    }
    return "?";
}

const char *retry_when_name(enum retry_when when)
{
    switch (when) {
    case RETRY_IF_YOUNG: return "young";
    case RETRY_IF_NAMED: return "lines named";
    case RETRY_IF_TOO_BIG: return "too big";
    case RETRY_IF_RESULTS: return "with results";
    case RETRY_IF_PARTIAL: return "expired or cancelled";
    case RETRY_IF_SHORT: return "too few lines";
    case RETRY_IF_SLOW: return "slow";
    case RETRY_IF_OVERDUE: return "overdue";
    case RETRY_IF_STOPPED: return "cancelled in vain";
    case RETRY_IF_ALONE: return "alone in the queue";
    case RETRY_IF_SINGLE: return "one line";
    case RETRY_IF_ROOM: return "others had room";
    }
    return "?";
}

const char *retry_lesson_name(enum retry_lesson lesson)
{
    switch (lesson) {
    case RETRY_NO_LESSON: return "";
    case RETRY_LESS_QUEUED: return "less in the queue";
    case RETRY_SMALLER_FILES: return "smaller files";
    }
    return "?";
}

/* ---- the table */

#define PROVIDER_ANY RETRY_ANY
#define IF_YOUNG     RETRY_IF_YOUNG
#define IF_NAMED     RETRY_IF_NAMED
#define IF_TOO_BIG   RETRY_IF_TOO_BIG
#define IF_RESULTS   RETRY_IF_RESULTS
#define IF_PARTIAL   RETRY_IF_PARTIAL
#define IF_SHORT     RETRY_IF_SHORT
#define IF_SLOW      RETRY_IF_SLOW
#define IF_OVERDUE   RETRY_IF_OVERDUE
#define IF_STOPPED   RETRY_IF_STOPPED
#define IF_ALONE     RETRY_IF_ALONE
#define IF_ONE       (RETRY_IF_ALONE | RETRY_IF_SINGLE)
#define IF_NEVER     (RETRY_IF_ALONE | RETRY_IF_SINGLE | RETRY_IF_ROOM)
#define JITTER       RETRY_JITTER
#define POLLS        RETRY_POLLS
#define TELL         RETRY_TELL
#define ROUNDS       RETRY_ROUNDS

#define LATER(step, class, when, action, base, cap, tries, lesson, flags)                       \
    {                                                                                           \
        RETRY_##step, PROVIDER_##class, when, RETRY_##action, base, cap, tries, RETRY_##lesson, \
            flags                                                                               \
    }
#define NOW(step, class, when, action, tries, lesson, flags) \
    LATER(step, class, when, action, 0, 0, tries, lesson, flags)
#define LINE(class, action)                                              \
    {                                                                    \
        RETRY_ROW, class, 0, RETRY_##action, 0, 0, 0, RETRY_NO_LESSON, 0 \
    }

/* step, class, condition, action, wait: from, to, tries (0: without end), lesson, flags */
static const struct retry_row rows[] = {
    /* What may have been stored is looked for by name and size: a second upload can be 200 MB. */
    LATER(UPLOAD, NOT_SENT, 0, AGAIN, 1 * S, 1 * MIN, 0, NO_LESSON, JITTER),
    LATER(UPLOAD, AMBIGUOUS, 0, RESOLVE, 1 * S, 1 * MIN, 0, NO_LESSON, JITTER),
    LATER(UPLOAD, ABORTED, 0, AGAIN, 5 * S, 5 * MIN, 0, NO_LESSON, TELL),
    LATER(UPLOAD, RATE_LIMIT, 0, AGAIN, 5 * S, 5 * MIN, 0, NO_LESSON, 0),
    LATER(UPLOAD, QUOTA_CREATES, 0, AGAIN, 5 * S, 5 * MIN, 0, NO_LESSON, 0),
    LATER(UPLOAD, QUOTA_FILES, 0, REAP, 1 * MIN, 15 * MIN, 0, NO_LESSON, POLLS | TELL),
    LATER(UPLOAD, QUOTA_ENQUEUED, 0, HOLD_LANE, 1 * MIN, 15 * MIN, 0, LESS_QUEUED, POLLS | TELL),
    LATER(UPLOAD, QUOTA_TIME, 0, HOLD_LANE, 15 * MIN, 15 * MIN, 0, NO_LESSON, POLLS | TELL),
    LATER(UPLOAD, BILLING, 0, HOLD_LANE, 1 * MIN, 15 * MIN, 0, NO_LESSON, POLLS | TELL),
    /* What this key has packed another key's processes must not touch: so it goes back. */
    LATER(UPLOAD, AUTH, 0, RESUBMIT_FREE, 5 * MIN, 5 * MIN, 0, NO_LESSON, POLLS),
    NOW(UPLOAD, INVALID_FILE, IF_TOO_BIG, SPLIT, 0, SMALLER_FILES, 0),
    NOW(UPLOAD, INVALID_LINE, IF_NAMED, DEAD_LETTER, 0, NO_LESSON, 0),
    NOW(UPLOAD, CONTENT_POLICY, IF_NAMED, DEAD_LETTER, 0, NO_LESSON, 0),
    NOW(UPLOAD, MODEL_UNSUPPORTED, 0, DEAD_LETTER, 0, NO_LESSON, 0),
    LATER(UPLOAD, UNKNOWN, 0, RESOLVE, 5 * S, 5 * MIN, 0, NO_LESSON, TELL),
    LATER(UPLOAD, TRUNCATED, 0, RESOLVE, 5 * S, 5 * MIN, 0, NO_LESSON, TELL),
    NOW(UPLOAD, ANY, 0, STOP_LANE, 0, NO_LESSON, TELL),

    LATER(FILE_READY, NONE, 0, WAIT, 1 * S, 30 * S, 64, NO_LESSON, 0),
    NOW(FILE_READY, NONE, 0, REBUILD, 0, NO_LESSON, TELL),
    LATER(FILE_READY, NOT_FOUND, IF_YOUNG, WAIT, 1 * S, 15 * S, 0, NO_LESSON, 0),
    NOW(FILE_READY, NOT_FOUND, 0, REBUILD, 0, NO_LESSON, TELL),
    NOW(FILE_READY, INVALID_FILE, IF_TOO_BIG, SPLIT, 0, SMALLER_FILES, 0),
    NOW(FILE_READY, INVALID_FILE, 0, STOP_LANE, 0, NO_LESSON, TELL),
    NOW(FILE_READY, INVALID_LINE, IF_NAMED, DEAD_LETTER, 0, NO_LESSON, 0),
    NOW(FILE_READY, INVALID_LINE, 0, STOP_LANE, 0, NO_LESSON, TELL),
    NOW(FILE_READY, MODEL_UNSUPPORTED, 0, DEAD_LETTER, 0, NO_LESSON, 0),
    LATER(FILE_READY, AUTH, 0, KEY, 15 * S, 15 * MIN, 0, NO_LESSON, 0),
    LATER(FILE_READY, ANY, 0, WAIT, 1 * S, 1 * MIN, 0, NO_LESSON, JITTER),

    /* A create that may have been carried out is never sent again before it was looked for. */
    LATER(CREATE, NOT_SENT, 0, AGAIN, 1 * S, 1 * MIN, 0, NO_LESSON, JITTER),
    NOW(CREATE, AMBIGUOUS, 0, RESOLVE, 0, NO_LESSON, 0),
    NOW(CREATE, UNKNOWN, 0, RESOLVE, 0, NO_LESSON, 0),
    NOW(CREATE, TRUNCATED, 0, RESOLVE, 0, NO_LESSON, 0),
    NOW(CREATE, ABORTED, 0, RESOLVE, 0, NO_LESSON, 0),
    LATER(CREATE, RATE_LIMIT, 0, AGAIN, 15 * S, 15 * MIN, 0, NO_LESSON, 0),
    LATER(CREATE, QUOTA_CREATES, 0, AGAIN, 1 * MIN, 15 * MIN, 0, NO_LESSON, POLLS | TELL),
    LATER(CREATE, QUOTA_FILES, 0, REAP, 1 * MIN, 15 * MIN, 0, NO_LESSON, POLLS | TELL),
    /* Where nothing else is in the queue it will not be emptier. But others may use the account. */
    LATER(CREATE, QUOTA_ENQUEUED, IF_NEVER, HOLD_LANE, 1 * MIN, 1 * MIN, 2, NO_LESSON,
          POLLS | TELL),
    NOW(CREATE, QUOTA_ENQUEUED, IF_NEVER, SPLIT, 0, NO_LESSON, TELL),
    LATER(CREATE, QUOTA_ENQUEUED, IF_ONE, HOLD_LANE, 1 * MIN, 15 * MIN, 10, NO_LESSON,
          POLLS | TELL),
    NOW(CREATE, QUOTA_ENQUEUED, IF_ONE, SPLIT, 0, NO_LESSON, TELL),
    LATER(CREATE, QUOTA_ENQUEUED, IF_ALONE, HOLD_LANE, 5 * S, 1 * MIN, 2, LESS_QUEUED,
          POLLS | TELL),
    NOW(CREATE, QUOTA_ENQUEUED, IF_ALONE, SPLIT, 0, LESS_QUEUED, TELL),
    LATER(CREATE, QUOTA_ENQUEUED, 0, HOLD_LANE, 5 * S, 1 * MIN, 10, LESS_QUEUED, POLLS),
    LATER(CREATE, QUOTA_ENQUEUED, 0, RESUBMIT_FREE, 1 * MIN, 1 * MIN, 0, LESS_QUEUED, POLLS | TELL),
    LATER(CREATE, QUOTA_TIME, 0, HOLD_LANE, 15 * MIN, 15 * MIN, 0, NO_LESSON, POLLS | TELL),
    LATER(CREATE, BILLING, 0, HOLD_LANE, 1 * MIN, 15 * MIN, 0, NO_LESSON, POLLS | TELL),
    LATER(CREATE, AUTH, 0, KEY, 15 * S, 15 * MIN, 0, NO_LESSON, 0),
    LATER(CREATE, NOT_FOUND, IF_YOUNG, SAME_FILE, 1 * S, 15 * S, 0, NO_LESSON, 0),
    NOW(CREATE, NOT_FOUND, 0, REBUILD, 5, NO_LESSON, ROUNDS),
    NOW(CREATE, NOT_FOUND, 0, STOP_LANE, 0, NO_LESSON, ROUNDS | TELL),
    NOW(CREATE, INVALID_FILE, IF_TOO_BIG, SPLIT, 0, SMALLER_FILES, 0),
    NOW(CREATE, INVALID_LINE, IF_NAMED, DEAD_LETTER, 0, NO_LESSON, 0),
    NOW(CREATE, MODEL_UNSUPPORTED, 0, DEAD_LETTER, 0, NO_LESSON, 0),
    NOW(CREATE, ANY, 0, STOP_LANE, 0, NO_LESSON, TELL),

    LATER(SEARCH, AUTH, 0, KEY, 15 * S, 15 * MIN, 0, NO_LESSON, 0),
    LATER(SEARCH, ANY, 0, AGAIN, 2 * S, 1 * MIN, 0, NO_LESSON, 0),

    /* A failed poll says nothing about the batch. */
    NOW(POLL, NONE, 0, WAIT, 0, NO_LESSON, 0),
    LATER(POLL, NOT_FOUND, IF_YOUNG, WAIT, 1 * S, 15 * S, 0, NO_LESSON, 0),
    LATER(POLL, NOT_FOUND, 0, AGAIN, 200 * S, 200 * S, 3, NO_LESSON, POLLS),
    NOW(POLL, NOT_FOUND, 0, RESOLVE, 1, NO_LESSON, TELL),
    NOW(POLL, NOT_FOUND, 0, RESUBMIT_COUNTED, 0, NO_LESSON, TELL),
    LATER(POLL, AUTH, 0, KEY, 15 * S, 15 * MIN, 0, NO_LESSON, 0),
    LATER(POLL, RATE_LIMIT, 0, AGAIN, 5 * S, 1 * MIN, 0, NO_LESSON, 0),
    LATER(POLL, ANY, 0, AGAIN, 1 * S, 1 * MIN, 0, NO_LESSON, JITTER),

    /* A batch that failed has run nothing. */
    LATER(FAILED, NOT_FOUND, IF_YOUNG, SAME_FILE, 5 * S, 30 * S, 0, NO_LESSON, ROUNDS),
    NOW(FAILED, NOT_FOUND, 0, REBUILD, 5, NO_LESSON, ROUNDS),
    NOW(FAILED, NOT_FOUND, 0, STOP_LANE, 0, NO_LESSON, ROUNDS | TELL),
    LATER(FAILED, QUOTA_ENQUEUED, IF_NEVER, SAME_FILE, 1 * MIN, 1 * MIN, 2, NO_LESSON,
          POLLS | ROUNDS | TELL),
    NOW(FAILED, QUOTA_ENQUEUED, IF_NEVER, SPLIT, 0, NO_LESSON, ROUNDS | TELL),
    LATER(FAILED, QUOTA_ENQUEUED, IF_ONE, SAME_FILE, 1 * MIN, 15 * MIN, 10, NO_LESSON,
          POLLS | ROUNDS | TELL),
    NOW(FAILED, QUOTA_ENQUEUED, IF_ONE, SPLIT, 0, NO_LESSON, ROUNDS | TELL),
    NOW(FAILED, QUOTA_ENQUEUED, IF_ALONE, SPLIT, 0, LESS_QUEUED, TELL),
    LATER(FAILED, QUOTA_ENQUEUED, 0, RESUBMIT_FREE, 1 * MIN, 1 * MIN, 0, LESS_QUEUED, POLLS),
    LATER(FAILED, RATE_LIMIT, 0, RESUBMIT_FREE, 1 * MIN, 1 * MIN, 0, NO_LESSON, POLLS | TELL),
    LATER(FAILED, QUOTA_CREATES, 0, RESUBMIT_FREE, 1 * MIN, 1 * MIN, 0, NO_LESSON, POLLS | TELL),
    LATER(FAILED, QUOTA_FILES, 0, RESUBMIT_FREE, 1 * MIN, 1 * MIN, 0, NO_LESSON, POLLS | TELL),
    LATER(FAILED, QUOTA_TIME, 0, RESUBMIT_FREE, 15 * MIN, 15 * MIN, 0, NO_LESSON, POLLS | TELL),
    LATER(FAILED, BILLING, 0, RESUBMIT_FREE, 15 * MIN, 15 * MIN, 0, NO_LESSON, POLLS | TELL),
    NOW(FAILED, INVALID_FILE, IF_TOO_BIG, SPLIT, 0, SMALLER_FILES, 0),
    NOW(FAILED, INVALID_FILE, IF_NAMED, DEAD_LETTER, 0, NO_LESSON, 0),
    NOW(FAILED, INVALID_FILE, 0, STOP_LANE, 0, NO_LESSON, TELL),
    NOW(FAILED, INVALID_LINE, IF_NAMED, DEAD_LETTER, 0, NO_LESSON, 0),
    NOW(FAILED, INVALID_LINE, 0, STOP_LANE, 0, NO_LESSON, TELL),
    NOW(FAILED, CONTENT_POLICY, IF_NAMED, DEAD_LETTER, 0, NO_LESSON, 0),
    NOW(FAILED, CONTENT_POLICY, 0, STOP_LANE, 0, NO_LESSON, TELL),
    NOW(FAILED, MODEL_UNSUPPORTED, 0, DEAD_LETTER, 0, NO_LESSON, 0),
    NOW(FAILED, AUTH, 0, STOP_LANE, 0, NO_LESSON, TELL),
    NOW(FAILED, ANY, IF_NAMED, DEAD_LETTER, 0, NO_LESSON, 0),
    LATER(FAILED, ANY, 0, SAME_FILE, 5 * MIN, 5 * MIN, 1, NO_LESSON, POLLS | ROUNDS | TELL),
    LATER(FAILED, ANY, 0, SAME_FILE, 30 * MIN, 30 * MIN, 1, NO_LESSON, POLLS | ROUNDS | TELL),
    NOW(FAILED, ANY, 0, STOP_LANE, 0, NO_LESSON, ROUNDS | TELL),

    NOW(ENDED, ANY, IF_RESULTS, FETCH, 0, NO_LESSON, 0),
    NOW(ENDED, ANY, IF_YOUNG, WAIT, 0, NO_LESSON, 0),
    NOW(ENDED, ANY, IF_PARTIAL, RESUBMIT_FREE, 0, NO_LESSON, 0),
    NOW(ENDED, ANY, 0, RESUBMIT_COUNTED, 0, NO_LESSON, TELL),

    NOW(STUCK, ANY, IF_STOPPED, FETCH, 0, NO_LESSON, TELL),
    NOW(STUCK, ANY, IF_OVERDUE, CANCEL_BATCH, 0, NO_LESSON, TELL),
    NOW(STUCK, ANY, IF_SLOW, WAIT, 0, NO_LESSON, TELL),
    NOW(STUCK, ANY, 0, WAIT, 0, NO_LESSON, 0),

    NOW(CANCEL, CONFLICT_STATE, 0, WAIT, 0, NO_LESSON, 0),
    NOW(CANCEL, NOT_FOUND, 0, WAIT, 0, NO_LESSON, 0),
    NOW(CANCEL, REFUSED, 0, WAIT, 0, NO_LESSON, TELL),
    LATER(CANCEL, AUTH, 0, KEY, 15 * S, 15 * MIN, 0, NO_LESSON, 0),
    LATER(CANCEL, ANY, 0, AGAIN, 1 * S, 1 * MIN, 0, NO_LESSON, JITTER),

    LATER(DOWNLOAD, NONE, IF_SHORT, AGAIN, 1 * MIN, 1 * MIN, 2, NO_LESSON, POLLS),
    NOW(DOWNLOAD, NONE, IF_SHORT, FETCH, 0, NO_LESSON, 0),
    NOW(DOWNLOAD, NONE, 0, FETCH, 0, NO_LESSON, 0),
    LATER(DOWNLOAD, NOT_FOUND, IF_YOUNG, WAIT, 15 * S, 1 * MIN, 0, NO_LESSON, POLLS),
    LATER(DOWNLOAD, NOT_FOUND, 0, AGAIN, 2 * MIN, 2 * MIN, 5, NO_LESSON, POLLS | TELL),
    NOW(DOWNLOAD, NOT_FOUND, 0, RESUBMIT_COUNTED, 0, NO_LESSON, TELL),
    LATER(DOWNLOAD, AUTH, 0, KEY, 15 * S, 15 * MIN, 0, NO_LESSON, 0),
    LATER(DOWNLOAD, REFUSED, 0, AGAIN, 1 * MIN, 15 * MIN, 0, NO_LESSON, TELL),
    LATER(DOWNLOAD, ANY, 0, AGAIN, 1 * S, 15 * S, 10, NO_LESSON, JITTER),
    LATER(DOWNLOAD, ANY, 0, AGAIN, 30 * S, 1 * MIN, 0, NO_LESSON, TELL),

    LINE(ROW_OK, FETCH),
    LINE(ROW_EXPIRED, RESUBMIT_FREE),
    LINE(ROW_CANCELLED, RESUBMIT_FREE),
    LINE(ROW_TIMEOUT, RESUBMIT_FREE),
    LINE(ROW_QUOTA, RESUBMIT_FREE),
    LINE(ROW_RATE, RESUBMIT_COUNTED),
    LINE(ROW_SERVER, RESUBMIT_COUNTED),
    LINE(ROW_AUTH, RESUBMIT_COUNTED),
    LINE(ROW_UNKNOWN, RESUBMIT_COUNTED),
    LINE(ROW_MODEL, DEAD_LETTER),
    LINE(ROW_CONTENT_POLICY, DEAD_LETTER),
    LINE(ROW_TOO_LONG, DEAD_LETTER),
    LINE(ROW_BAD, DEAD_LETTER),
    /* No line, or one that cannot be read. */
    LINE(RETRY_ANY, RESUBMIT_COUNTED),
};

const struct retry_row *retry_rows(size_t *count)
{
    *count = ARRAY_LEN(rows);
    return rows;
}

/* ---- reading it */

static bool same_group(const struct retry_row *a, const struct retry_row *b)
{
    return a->step == b->step && a->class == b->class && a->when == b->when;
}

static bool row_fits(const struct retry_row *row, enum retry_step step, int class, unsigned when)
{
    return row->step == step && row->class == class && (row->when & ~when) == 0;
}

static const struct retry_row *first_row(enum retry_step step, int class, unsigned when)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (row_fits(&rows[i], step, class, when))
            return &rows[i];
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (row_fits(&rows[i], step, RETRY_ANY, when))
            return &rows[i];
    }
    abort(); /* each step has a row for anything else: test_retry */
}

/* The last row of a group. */
static bool is_last(const struct retry_row *row)
{
    return row + 1 == rows + ARRAY_LEN(rows) || !same_group(row, row + 1);
}

/* base * 2^n, at most the cap. */
static int64_t grown(const struct retry_row *row, unsigned n)
{
    int64_t ms = row->base_ms;

    for (unsigned i = 0; i < n && ms < row->cap_ms; i++)
        ms *= 2;
    return ms < row->cap_ms ? ms : row->cap_ms;
}

static int64_t own_wait(const struct retry_row *row, unsigned n, const struct retry_facts *facts)
{
    int64_t ms = grown(row, n);

    if ((row->flags & RETRY_POLLS) != 0 && facts->poll_ms > 0 && facts->poll_ms < POLL_UNIT_MS)
        ms = ms * facts->poll_ms / POLL_UNIT_MS;
    if ((row->flags & RETRY_JITTER) != 0)
        ms = (int64_t)((uint64_t)ms * facts->random >> 32);
    return ms;
}

/* Only a call can be told to come later; what has no wait is no call that is repeated. */
static void obey_server(const struct retry_row *row, const struct retry_facts *facts,
                        struct retry_decision *d)
{
    if (facts->server_wait_ms <= 0 || row->cap_ms == 0)
        return;
    d->wait_ms = facts->server_wait_ms;
    if (d->wait_ms > SERVER_PARK_MAX_MS)
        d->wait_ms = SERVER_PARK_MAX_MS;
    if (d->wait_ms > SERVER_MAX_MS)
        d->tell = true;
}

/*
 * What the provider puts off is told when it is more than once in a row, or for long. An outage and
 * a refused key are told as the provider's state; a queue that is full of own batches is no
 * trouble.
 */
static bool waits_long(enum retry_step step, enum provider_class class, unsigned tries,
                       int64_t wait_ms)
{
    if (step != RETRY_UPLOAD && step != RETRY_FILE_READY && step != RETRY_CREATE)
        return false;
    switch ((int)class) {
    case PROVIDER_NOT_SENT:
    case PROVIDER_AMBIGUOUS:
    case PROVIDER_AUTH:
    case PROVIDER_QUOTA_ENQUEUED: return false;
    default: return wait_ms > 0 && (wait_ms >= MOMENT_MS || tries >= TELL_AT);
    }
}

struct retry_decision retry_decide(enum retry_step step, enum provider_class class,
                                   const struct retry_facts *facts)
{
    const struct retry_row *row = first_row(step, (int)class, facts->when);
    unsigned n = (row->flags & RETRY_ROUNDS) != 0 ? facts->rounds : facts->tries;

    while (!is_last(row) && n >= row->tries) {
        n -= row->tries;
        row++;
    }
    if (facts->no_repeat && row->action == RETRY_AGAIN) {
        n = UINT32_MAX;
        if (!is_last(row))
            row++;
    }
    struct retry_decision d = {.action = row->action,
                               .wait_ms = own_wait(row, n, facts),
                               .tell = (row->flags & RETRY_TELL) != 0,
                               .lesson = n == 0 ? row->lesson : RETRY_NO_LESSON};
    obey_server(row, facts, &d);
    d.tell = d.tell || waits_long(step, class, facts->tries, d.wait_ms);
    return d;
}

enum retry_action retry_row_action(enum row_class class)
{
    return first_row(RETRY_ROW, (int)class, 0)->action;
}

/* ---- counting */

static const char *class_name(const struct retry_row *row)
{
    if (row->class == RETRY_ANY)
        return "any";
    return row->step == RETRY_ROW ? row_class_name((enum row_class)row->class)
                                  : provider_class_name((enum provider_class)row->class);
}

void retry_kind(enum retry_step step, enum provider_class class, unsigned when,
                char out[RETRY_KIND_SIZE])
{
    const struct retry_row *row = first_row(step, (int)class, when);
    int len = snprintf(out, RETRY_KIND_SIZE, "%s/%s", retry_step_name(row->step), class_name(row));

    if (row->when != 0)
        (void)snprintf(out + len, RETRY_KIND_SIZE - (size_t)len, "+%x", row->when);
}

bool retry_kind_is_of(const char *kind, enum retry_step step)
{
    const char *name = retry_step_name(step);
    size_t len = strlen(name);

    return strncmp(kind, name, len) == 0 && kind[len] == '/';
}

/* "kind:count kind:count": where the entry of @kind begins; NULL without one. */
static const char *entry_of(const char *counts, const char *kind)
{
    size_t len = strlen(kind);

    while (*counts != '\0') {
        if (strncmp(counts, kind, len) == 0 && counts[len] == ':')
            return counts;
        counts += strcspn(counts, " ");
        counts += strspn(counts, " ");
    }
    return NULL;
}

unsigned retry_count(const char *counts, const char *kind)
{
    const char *entry = entry_of(counts, kind);

    return entry == NULL ? 0 : (unsigned)strtoul(entry + strlen(kind) + 1, NULL, 10);
}

void retry_count_more(const char *counts, const char *kind, char out[RETRY_COUNTS_SIZE])
{
    const char *entry = entry_of(counts, kind);
    const char *joint = entry == NULL && counts[0] != '\0' ? " " : "";
    size_t before = entry == NULL ? strlen(counts) : (size_t)(entry - counts);

    (void)snprintf(out, RETRY_COUNTS_SIZE, "%.*s%s%s:%u%s", (int)before, counts, joint, kind,
                   retry_count(counts, kind) + 1, entry == NULL ? "" : entry + strcspn(entry, " "));
}

/* ---- words of refusals */

static bool says(const char *text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcasestr(text, *words) != NULL)
            return true;
    }
    return false;
}

bool retry_had_room(int64_t now_ms, int64_t ok_ms)
{
    return ok_ms > 0 && now_ms - ok_ms < ROOM_MS;
}

bool retry_is_too_big(enum provider_class class, long status, const char *code, const char *message)
{
    static const char *const codes[] = {"too_many_tasks", "too_large", "too_big", NULL};
    static const char *const words[] = {
        "too large", "too big",    "too many requests in", "too many lines",
        "file size", "size limit", "maximum size",         "exceeds the maximum",
        NULL};

    if (class != PROVIDER_INVALID_FILE)
        return false;
    return status == 413 || status == 435 || says(code, codes) || says(message, words);
}

bool retry_is_too_many(const char *code, const char *message)
{
    static const char *const words[] = {"too many", "too_many", NULL};

    return says(code, words) || says(message, words);
}

enum retry_queue retry_queue_of(const char *code, const char *message)
{
    static const char *const tokens[] = {"token", NULL};
    static const char *const requests[] = {"request", NULL};
    static const char *const batches[] = {"batch", "TaskRunning", "job", NULL};

    if (says(code, tokens) || says(message, tokens))
        return RETRY_QUEUE_TOKENS;
    if (says(code, batches) || says(message, batches))
        return RETRY_QUEUE_BATCHES;
    return says(message, requests) ? RETRY_QUEUE_REQUESTS : RETRY_QUEUE_TOKENS;
}

int64_t retry_grace_ms(int64_t poll_ms)
{
    return poll_ms > 0 && poll_ms < GRACE_MS / GRACE_POLLS ? poll_ms * GRACE_POLLS : GRACE_MS;
}
