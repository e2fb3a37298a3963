#include "coordinator/submission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/units.h"
#include "common/base/xmem.h"
#include "common/daemon/refusal.h"
#include "common/daemon/split.h"
#include "common/loop/loop.h"
#include "coordinator/batch_file.h"
#include "coordinator/reaper.h"
#include "coordinator/stage.h"

#define BROKEN_WAIT_MS 60000
#define TOLD_FROM_MS   10000 /* shorter waits for a turn are told to nobody */
#define TELL_EVERY_MS  5000
#define ASK_AGAIN_MS \
    15000 /* what moves meanwhile takes a note back: it is asked, and told, again */

static void release(struct task *task)
{
    struct submission *s = (struct submission *)(void *)task;

    loop_timer_free(s->turn);
    batch_file_free(s->file);
    free(s->members);
}

void submission_lost(struct work *work)
{
    task_end((struct task *)(void *)work);
}

/* ---- time */

static void tell_of_limits(const struct submission *s, int64_t wait_ms)
{
    char why[128];
    char text[UNITS_TEXT_MAX];

    (void)snprintf(why, sizeof(why), "the next turn for %s is in %s, by the limits of the account",
                   protocol_rate_name(s->rate), units_format_duration(wait_ms, text));
    (void)protocol_job_note(s->task.daemon->protocol, s->task.work.job, TROUBLE_LIMITS, why, NULL,
                            NULL);
}

/* What moves meanwhile takes the note back, and this still waits: it is told again and again. */
static void await_turn(struct submission *s)
{
    int64_t left_ms = s->turn_mono_ms - clock_mono_ms();

    if (left_ms > TOLD_FROM_MS)
        tell_of_limits(s, left_ms);
    loop_timer_set(s->turn, left_ms < TELL_EVERY_MS ? left_ms : TELL_EVERY_MS);
}

/* Redis may have been rolled back meanwhile: a turn may be minutes away. */
static void on_turn(void *arg)
{
    struct submission *s = arg;
    int64_t paused_ms = daemon_paused_ms(s->task.daemon);

    if (paused_ms > 0)
        task_put_off(&s->task, paused_ms, "Redis was rolled back");
    else if (s->turn_mono_ms > clock_mono_ms())
        await_turn(s);
    else
        s->next(s);
}

void submission_soon(struct submission *s, int64_t wait_ms, void (*next)(struct submission *))
{
    s->next = next;
    s->turn_mono_ms = clock_mono_ms() + wait_ms;
    await_turn(s);
}

static void on_taken(enum protocol_answer answer, int64_t wait_ms, const struct err *err, void *arg)
{
    struct submission *s = arg;
    int64_t again_ms = wait_ms < ASK_AGAIN_MS ? wait_ms : ASK_AGAIN_MS;

    s->task.step = NULL;
    switch ((int)answer) {
    case PROTOCOL_OK: submission_soon(s, wait_ms, s->next); return;
    case PROTOCOL_BUSY:
        tell_of_limits(s, wait_ms);
        task_put_off(&s->task, again_ms, "many calls are waiting");
        return;
    case PROTOCOL_HELD:
        task_put_off_in_trouble(&s->task, again_ms, TROUBLE_QUOTA,
                                "the provider wants no such calls for now");
        return;
    default:
        task_put_off(&s->task, TASK_TROUBLE_WAIT_MS, err != NULL ? err->msg : "no turn");
        return;
    }
}

void submission_turn(struct submission *s, enum protocol_rate rate,
                     void (*next)(struct submission *))
{
    s->next = next;
    s->rate = rate;
    s->task.step = daemon_take_turn(s->task.daemon, rate, on_taken, s);
}

/* ---- moves */

void submission_runs(struct submission *s, const char *remote, int64_t created_ms,
                     const char *status, const char *cause)
{
    char created[24];
    int64_t first_poll = s->task.daemon->limits.poll_min_ms;
    const struct protocol_field fields[] = {
        {BATCH_F_REMOTE,  remote      },
        {BATCH_F_CREATED, created     },
        {BATCH_F_RUN_MS,  PROTOCOL_NOW},
        {BATCH_F_RSTATUS, status      },
        {BATCH_F_LOOKS,   ""          },
        {BATCH_F_RDONE,   ""          },
        {BATCH_F_RFAILED, ""          },
        {BATCH_F_ALARM,   ""          },
        {BATCH_F_STOP,    ""          },
    };

    (void)snprintf(created, sizeof(created), "%lld", (long long)created_ms);
    if (first_poll > s->task.poll_ms)
        first_poll = s->task.poll_ms;
    FAILPOINT("coordinator.created");
    task_move(&s->task, BATCH_RUN, PROTOCOL_WK, first_poll, fields, ARRAY_LEN(fields), cause);
}

void submission_rebuild(struct submission *s, const char *cause, bool is_failure)
{
    char rounds[RETRY_COUNTS_SIZE];
    const struct protocol_field fields[] = {
        {BATCH_F_FILE,    ""    },
        {BATCH_F_FILE_MS, ""    },
        {BATCH_F_INTENT,  ""    },
        {BATCH_F_LOOKS,   ""    },
        {BATCH_F_ROUNDS,  rounds},
    };

    if (is_failure)
        retry_count_more(s->task.batch.rounds, s->task.kind, rounds);
    else
        memcpy(rounds, s->task.batch.rounds, sizeof(rounds));
    /* Given away: the next claim sees whether the job is held or cancelled by now. */
    task_move(&s->task, BATCH_BUILD, PROTOCOL_CO, 0, fields, ARRAY_LEN(fields), cause);
}

/* ---- what is done about failures */

/* The next holder does the same again; the end of a hold wakes it. */
static void try_later(struct submission *s, enum retry_step step, const struct retry_decision *d)
{
    const char *cause = provider_class_name(s->task.failure.class);
    char tries[16];
    const struct protocol_field fields[] = {
        {BATCH_F_TRIES,    tries                                  },
        {BATCH_F_TRIES_OF, s->task.batch.tries_of                 },
        {BATCH_F_WAITS,    d->action == RETRY_HOLD_LANE ? "1" : ""},
        {BATCH_F_INTENT,   ""                                     },
        {BATCH_F_LOOKS,    ""                                     },
    };
    /* Nothing is under way at the provider: the next holder may create with the same file. */
    size_t count = step == RETRY_CREATE ? ARRAY_LEN(fields) : ARRAY_LEN(fields) - 2;

    task_count_failure(&s->task);
    (void)snprintf(tries, sizeof(tries), "%u", s->task.batch.tries);
    task_move(&s->task, s->task.batch.state, PROTOCOL_CO, d->wait_ms, fields, count, cause);
}

static void give_up(struct submission *s, const struct provider_error *error)
{
    struct buf refused = REFUSAL_BUF;
    struct provider_error what = *error;

    if (what.class == PROVIDER_MODEL_UNSUPPORTED) /* all lines of a batch are of one model */
        what.line = -1;
    refusal_of_error(&what, &refused);
    task_end_batch(&s->task, task_failure_code(&what), false, refused.data);
    buf_release(&refused);
}

void submission_failed(struct submission *s, enum retry_step step,
                       const struct provider_error *error)
{
    const struct batch *b = &s->task.batch;
    int64_t age_ms = work_redis_now_ms(&s->task.work) - b->file_ms;
    bool young = age_ms < s->task.daemon->limits.visibility_lag_ms;
    struct retry_decision d = task_decide(&s->task, step, young ? RETRY_IF_YOUNG : 0, error);

    error = &s->task.failure;
    switch (d.action) {
    case RETRY_RESOLVE:
        if (step == RETRY_UPLOAD)
            submission_find_upload(s, d.wait_ms);
        else
            submission_resolve(s);
        return;
    case RETRY_REBUILD: submission_rebuild(s, "the input file is gone", true); return;
    case RETRY_SPLIT: split_batch(&s->task); return;
    case RETRY_DEAD_LETTER: give_up(s, error); return;
    case RETRY_STOP_LANE:
    case RETRY_RESUBMIT_FREE:
        task_end_batch(&s->task, task_failure_code(error), false, NULL);
        return;
    case RETRY_RESUBMIT_COUNTED:
        task_end_batch(&s->task, task_failure_code(error), true, NULL);
        return;
    case RETRY_REAP: reaper_wake(s->reaper); break;
    case RETRY_WAIT:
    case RETRY_AGAIN:
    case RETRY_SAME_FILE:
    case RETRY_HOLD_LANE:
    case RETRY_KEY:
    case RETRY_FETCH:
    case RETRY_CANCEL_BATCH: break;
    }
    try_later(s, step, &d);
}

/* ---- start */

static void dispatch(struct submission *s, const struct job_view *job)
{
    struct daemon *daemon = s->task.daemon;
    const struct batch *b = &s->task.batch;
    bool may_be_sent = b->state == BATCH_SUBMIT && b->intent_ms != 0;

    if (!may_be_sent && job->cancelled)
        task_end_batch(&s->task, "job_cancelled", false, NULL);
    else if (!may_be_sent && job->hold[0] != '\0')
        task_end_batch(&s->task, "job_held", false, NULL); /* its place is for others meanwhile */
    else if (!may_be_sent && daemon_paused_ms(daemon) > 0)
        task_put_off(&s->task, daemon_paused_ms(daemon), "Redis was rolled back");
    else if (b->state == BATCH_BUILD)
        submission_build(s);
    else if (may_be_sent)
        submission_resolve(s);
    else
        submission_create_if_ready(s);
}

void submission_start(struct crew *crew, struct reaper *reaper, struct claim *claim,
                      const char *nonce)
{
    struct submission *s = xcalloc(1, sizeof(*s));

    if (!task_begin(&s->task, crew, claim, nonce))
        return;
    s->task.release = release;
    s->reaper = reaper;
    s->turn = loop_timer_new(s->task.daemon->base, on_turn, s);
    if (s->task.batch.state != BATCH_BUILD && s->task.batch.state != BATCH_SUBMIT)
        task_put_off(&s->task, BROKEN_WAIT_MS, "not a coordinator's state");
    else
        dispatch(s, &claim->job);
}
