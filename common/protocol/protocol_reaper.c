/* The calls of the reaper: one round at a time over what lies at a provider. */

#include "common/protocol/protocol_reaper.h"

#include <stdlib.h>

#include "common/base/xmem.h"
#include "common/protocol/protocol_internal.h"
#include "common/protocol/protocol_reply.h"

static struct reap_note *read_notes(const struct redis_reply *list, size_t *count)
{
    *count = redis_reply_count(list) / 2;
    struct reap_note *notes = xcalloc(*count + 1, sizeof(*notes));

    for (size_t i = 0; i < *count; i++) {
        reply_copy(redis_reply_at(list, 2 * i), notes[i].id, sizeof(notes[i].id));
        notes[i].since_ms = redis_reply_int(list, 2 * i + 1, 0);
    }
    return notes;
}

static struct reap_job *read_jobs(const struct redis_reply *list, size_t *count)
{
    *count = redis_reply_count(list) / 2;
    struct reap_job *jobs = xcalloc(*count + 1, sizeof(*jobs));

    for (size_t i = 0; i < *count; i++) {
        reply_copy(redis_reply_at(list, 2 * i), jobs[i].ji, sizeof(jobs[i].ji));
        jobs[i].ended = reply_job_state(redis_reply_at(list, 2 * i + 1)) == JOB_FINAL;
    }
    return jobs;
}

static void deliver_claim(const struct protocol_result *r)
{
    struct reap_claimed claimed = {0};

    if (r->answer != PROTOCOL_OK) {
        r->done.reap_claim(r->answer, NULL, redis_reply_int(r->reply, 1, 0), r->err, r->arg);
        return;
    }
    struct reap_note *notes = read_notes(redis_reply_at(r->reply, 2), &claimed.note_count);
    struct reap_job *jobs = read_jobs(redis_reply_at(r->reply, 3), &claimed.job_count);
    claimed.now_ms = redis_reply_int(r->reply, 1, 0);
    claimed.notes = notes;
    claimed.jobs = jobs;
    r->done.reap_claim(r->answer, &claimed, 0, NULL, r->arg);
    free(notes);
    free(jobs);
}

struct protocol_call *protocol_reap_claim(struct protocol *p, const char *nonce, int64_t lease_ms,
                                          int64_t max_age_ms, protocol_reap_claim_fn done,
                                          void *arg)
{
    struct words w = {0};

    words_text(&w, protocol_account(p));
    words_text(&w, nonce);
    words_number(&w, lease_ms);
    words_number(&w, max_age_ms);
    return protocol_start(p, SCRIPT_REAP_CLAIM, &w, false, deliver_claim,
                          (union protocol_callback){.reap_claim = done}, arg);
}

static void deliver_look(const struct protocol_result *r)
{
    if (r->answer != PROTOCOL_OK) {
        r->done.reap_look(r->answer, NULL, 0, r->err, r->arg);
        return;
    }
    size_t count = redis_reply_count(r->reply) - 1;
    struct reap_record *records = xcalloc(count + 1, sizeof(*records));

    for (size_t i = 0; i < count; i++) {
        const struct redis_reply *row = redis_reply_at(r->reply, i + 1);

        records[i].exists = batch_state_parse(redis_reply_str(row, 0), &records[i].state);
        reply_copy(redis_reply_at(row, 1), records[i].file, sizeof(records[i].file));
    }
    r->done.reap_look(r->answer, records, count, NULL, r->arg);
    free(records);
}

struct protocol_call *protocol_reap_look(struct protocol *p, const char *nonce, int64_t lease_ms,
                                         const char *const *bids, size_t count,
                                         protocol_reap_look_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, protocol_account(p));
    words_text(&w, nonce);
    words_number(&w, lease_ms);
    for (size_t i = 0; i < count; i++)
        words_text(&w, bids[i]);
    return protocol_start(p, SCRIPT_REAP_LOOK, &w, false, deliver_look,
                          (union protocol_callback){.reap_look = done}, arg);
}

struct protocol_call *protocol_reap_done(struct protocol *p, const char *nonce, int64_t next_ms,
                                         const char *const *ids, size_t count, protocol_fn done,
                                         void *arg)
{
    struct words w = {0};

    words_text(&w, protocol_account(p));
    words_text(&w, nonce);
    words_number(&w, next_ms);
    for (size_t i = 0; i < count; i++)
        words_text(&w, ids[i]);
    return protocol_start(p, SCRIPT_REAP_DONE, &w, false, deliver_plain,
                          (union protocol_callback){.plain = done}, arg);
}
