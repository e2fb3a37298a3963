#include "cli/cancel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cmdline.h"
#include "cli/core/json_put.h"
#include "cli/session.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/sink/generation.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"
#include "common/sink/sink_trail.h"

#define MARK_MAX_BYTES 4096
#define LOOK_MS        500
#define QUIET_LOOKS    10 /* so many without a new window: nobody cuts any more */

static void write_mark(struct buf *out)
{
    struct sink_trail_actor actor;
    char when[32];
    int64_t now_ms = clock_unix_ms();
    time_t now = (time_t)(now_ms / 1000);
    struct tm utc;

    sink_trail_actor(&actor);
    (void)gmtime_r(&now, &utc);
    (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_put_raw_fmt(out, "{\"version\":1,\"at\":\"%s\",\"at_ms\":%" PRId64 ",\"user\":", when,
                     now_ms);
    json_put_text(out, actor.user);
    json_put_raw(out, ",\"host\":");
    json_put_text(out, actor.host);
    json_put_raw(out, "}\n");
}

static bool publish_mark(struct sink *sink, uint32_t *generation, struct err *err)
{
    struct buf text = BUF_INIT(MARK_MAX_BYTES);
    char name[LAYOUT_NAME_MAX];

    write_mark(&text);
    bool ok =
        generations_find_newest(sink, generation, err) &&
        sink_publish(sink, layout_cancelled(name, *generation), text.data, text.len, NULL, err);
    buf_release(&text);
    return ok;
}

bool cancel_mark(const struct operator_job *job, uint32_t *generation, struct err *err)
{
    const struct job_spec *spec = &job->finish.spec;
    struct sink *sink = sink_open(spec->sink, spec->job, spec->ji, false, err);
    bool ok = sink != NULL && publish_mark(sink, generation, err);

    sink_close(sink);
    return ok;
}

/* Two producers at once help each other, so nobody has to know whether one still works. */
static bool run_producer(const struct invocation *call, const struct session *s,
                         const struct operator_job *job, const char *input, int *code,
                         struct err *err)
{
    const struct job_spec *spec = &job->finish.spec;
    struct cmdline w = {0};

    /* not an argument: it may hold a password, and arguments are for all to see */
    (void)setenv("SHEAF_REDIS", session_redis_url(s), 1); /* NOLINT(concurrency-mt-unsafe) */
    cmdline_add_program(&w, "sheaf-producer");
    cmdline_add(&w, "%s", input);
    cmdline_add(&w, "--job=%s", spec->job);
    cmdline_add(&w, "--sink=%s", spec->sink);
    cmdline_add(&w, "--payload=%s", spec->inline_payload ? "inline" : "ref");
    cmdline_add(&w, "--provider=%s", spec->provider);
    cmdline_add(&w, "--poll-interval=%" PRIu64 "ms", job->poll_ms);
    cmdline_add(&w, "--max-attempts=%u", job->max_attempts);
    if (spec->model[0] != '\0')
        cmdline_add(&w, "--model=%s", spec->model);
    if (options_origin(&call->options, "log-level") == SETTING_FROM_DEFAULT &&
        !call->options.verbose)
        cmdline_add(&w, "--log-level=warn");
    bool ok = cmdline_run(&w, code, err);
    cmdline_release(&w);
    return ok;
}

/* *@moves: a producer registers windows, or has come to the end meanwhile. */
static bool watch_cut(struct session *s, struct operator_job *job, bool *moves, struct err *err)
{
    static const struct timespec moment = {.tv_nsec = LOOK_MS * 1000000L};
    uint32_t windows = job->windows;

    *moves = false;
    for (int i = 0; i < QUIET_LOOKS && !*moves; i++) {
        (void)nanosleep(&moment, NULL);
        if (!operator_look(s, job->name, job, err))
            return false;
        *moves = job->windows != windows || job->finish.state != JOB_OPEN;
    }
    return true;
}

static enum cancel_cut seal(struct session *s, struct operator_job *job, struct err *err)
{
    enum protocol_answer answer;

    do {
        if (!operator_look(s, job->name, job, err) ||
            !operator_seal(s, job->name, job->windows, &answer, err))
            return CANCEL_CUT_FAILED;
    } while (answer == PROTOCOL_CURSOR); /* somebody has put another one */
    return answer == PROTOCOL_OK ? CANCEL_CUT_STOPPED : CANCEL_CUT_WHOLE;
}

enum cancel_cut cancel_finish_cut(const struct invocation *call, struct session *s,
                                  struct operator_job *job, const char *input, bool alone,
                                  int *code, struct err *err)
{
    const struct job_spec *spec = &job->finish.spec;
    bool moves = false;

    *code = EXIT_CODE_OK;
    if (job->finish.state != JOB_OPEN)
        return CANCEL_CUT_WHOLE;
    if (input != NULL)
        return run_producer(call, s, job, input, code, err) && *code == EXIT_CODE_OK
                   ? CANCEL_CUT_WHOLE
                   : CANCEL_CUT_FAILED;
    if (!alone && !watch_cut(s, job, &moves, err))
        return CANCEL_CUT_FAILED;
    if (moves)
        return CANCEL_CUT_WHOLE;
    if (spec->inline_payload)
        return seal(s, job, err);
    err_set(err, ERR_INPUT,
            "%s is not here: it is cancelled, but ends only when all of its input "
            "is registered",
            spec->source);
    return CANCEL_CUT_FAILED;
}
