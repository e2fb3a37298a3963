#ifndef WORKER_CORE_POLL_JUDGE_H
#define WORKER_CORE_POLL_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/provider/profile.h"
#include "common/provider/provider_error.h"
#include "common/provider/remote.h"
#include "common/provider/retry.h"

/** What is known when a poll was answered. Times are milliseconds. */
struct poll_facts {
    const struct remote_batch *batch;
    const struct provider_limits *limits;
    const char *known_status; /* the provider's word at the poll before, "" before the first */
    int64_t in_status_ms;     /* since that word was first heard */
    int64_t age_ms;           /* since the remote batch became known */
    int64_t file_age_ms;      /* since its file was uploaded */
    int64_t stopped_ms; /* since the provider took its cancel as it was stuck; -1: it did not */
    int64_t grace_ms;   /* retry_grace_ms() */
    bool files_empty;   /* the files that it names were looked at: they say nothing */
};

/** What a poll shows, as common/provider/retry.h wants to be asked about it. */
struct poll_judgement {
    bool stale;           /* older than what was heard before, which it is judged by */
    enum retry_step step; /* POLL: all is well, it goes on; STUCK, FAILED, ENDED */
    unsigned when;
    struct provider_error what; /* class and words; line is the first that is named */
};

/**
 * Whether the files of an ended batch, @bytes long, tell of requests. A batch that failed and says
 * why may name two without a byte (Azure), or repeat its complaint in the error file: then it
 * is judged by its errors.
 */
bool poll_files_tell(const struct remote_batch *batch, const int64_t bytes[2]);

/**
 * Pure. A status may only go forward: validating, queued, running, finalizing or cancelling, any
 * end. One that goes back is no news, but time goes on: what was heard before is then what may last
 * too long. A word that is not known says nothing, and is suspicious after as long as validating.
 */
void poll_judge(const struct poll_facts *facts, struct poll_judgement *out);

#endif
