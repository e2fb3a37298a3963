#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/core/status_print.h"
#include "cli/finish.h"
#include "cli/operator.h"
#include "cli/person.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/sink/sink.h"
#include "common/sink/sink_trail.h"

#define OUTPUT_MAX (16u << 20)
#define TRAIL_MAX  (8u << 20)

struct output {
    struct buf text;
    bool json;
};

/* The newest actions of a trail. */
struct actions {
    struct status_action last[STATUS_MAX_ACTIONS];
    size_t total;
};

static bool take_action(const struct sink_trail_entry *entry, void *arg, struct err *err)
{
    struct actions *actions = arg;

    (void)err;
    if (actions->total >= STATUS_MAX_ACTIONS)
        memmove(actions->last, actions->last + 1,
                (STATUS_MAX_ACTIONS - 1) * sizeof(actions->last[0]));
    size_t at =
        actions->total < STATUS_MAX_ACTIONS ? actions->total : (size_t)STATUS_MAX_ACTIONS - 1;
    struct status_action *a = &actions->last[at];
    (void)snprintf(a->at, sizeof(a->at), "%s", entry->at);
    (void)snprintf(a->who, sizeof(a->who), "%s", entry->who);
    (void)snprintf(a->verb, sizeof(a->verb), "%s", entry->verb);
    (void)snprintf(a->what, sizeof(a->what), "%s", entry->what);
    actions->total++;
    return true;
}

static void print_text(const struct job_view *view, struct sink *sink, struct buf *out)
{
    struct actions actions = {0};

    status_print_text(view, out);
    if (sink == NULL || !sink_trail_read(sink, take_action, &actions, NULL))
        return;
    status_print_actions(actions.last,
                         actions.total < STATUS_MAX_ACTIONS ? actions.total : STATUS_MAX_ACTIONS,
                         actions.total, out);
}

static void print_json(const struct job_view *view, struct sink *sink, struct buf *out)
{
    struct buf trail = BUF_INIT(TRAIL_MAX);
    bool has_trail = sink != NULL && sink_trail_put_json(sink, 0, &trail, NULL);

    status_print_json(view, has_trail ? trail.data : NULL, out);
    buf_release(&trail);
}

/* The trail is shown where the sink is. */
static void print(const struct job_view *view, void *arg)
{
    struct output *out = arg;
    struct finish f;
    struct sink *sink = NULL;

    if (finish_from_view(&f, view, NULL))
        sink = sink_open(f.spec.sink, f.spec.job, f.spec.ji, false, NULL);
    if (out->json)
        print_json(view, sink, &out->text);
    else
        print_text(view, sink, &out->text);
    sink_close(sink);
}

/* Of a job with a recipe that has ended: a later round may be what is meant. */
static void tell_of_rounds(const struct invocation *call, struct session *session, const char *job)
{
    struct operator_job *newest = xcalloc(1, sizeof(*newest));

    if (!call->options.json && operator_look(session, job, newest, NULL) &&
        operator_go_to_newest(session, newest, NULL) && strcmp(newest->name, job) != 0)
        person_tell(call, "its newest round is %s, which %s", newest->name,
                    newest->finish.state == JOB_FINAL ? "has ended"
                    : newest->hold[0] != '\0'         ? "is held"
                                                      : "is under way");
    free(newest);
}

static int run(struct invocation *call)
{
    struct output out = {.text = BUF_INIT(OUTPUT_MAX), .json = call->options.json};
    struct err err = {0};
    char job[JOB_NAME_MAX + 1];
    struct session *session = session_open(&call->options, &err);
    bool ok = session != NULL && session_pick_job(session, verb_arg(call, 0), job, &err);

    if (ok && !operator_catch_up_with(session, job, &err))
        err = (struct err){0}; /* what Redis knows is shown in any case */
    ok = ok && session_view(session, job, print, &out, &err);

    bool asked = session != NULL;
    if (ok) {
        (void)fwrite(out.text.data, 1, out.text.len, stdout);
        (void)fflush(stdout);
        tell_of_rounds(call, session, job);
    }
    session_close(session);
    buf_release(&out.text);
    return ok ? EXIT_CODE_OK
              : verb_fail(call, &err,
                          err.kind == ERR_NO_JOB || (err.kind == ERR_USAGE && asked)
                              ? "`sheaf list` shows the jobs"
                              : NULL);
}

const struct verb cmd_status = {
    .name = "status",
    .usage = "[JOB]",
    .summary = "show how far a job is",
    .does =
        "Shows one job as Redis knows it now: rows, batches, lanes with what the provider has\n"
        "taught and what holds them, and what it waits for; and, where its sink is at hand, who\n"
        "did what to it last. JOB may be left out when there is only one.",
    .exits = "0 (also when rows failed), 5 no such job, 9 Redis cannot be used",
    .example = "sheaf status --state-dir out.jsonl.sheaf",
    .groups = OPT_COMMON | OPT_READ,
    .max_args = 1,
    .run = run,
};
