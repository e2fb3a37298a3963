#include "cli/core/status_print.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "common/base/buf.h"

#define OUTPUT_MAX (8u << 20)

struct output {
    struct buf text;
    bool json;
};

static void print(const struct job_view *view, void *arg)
{
    struct output *out = arg;

    if (out->json)
        status_print_json(view, &out->text);
    else
        status_print_text(view, &out->text);
}

static int run(struct invocation *call)
{
    struct output out = {.text = BUF_INIT(OUTPUT_MAX), .json = call->options.json};
    struct err err = {0};
    char job[JOB_NAME_MAX + 1];
    struct session *session = session_open(&call->options, &err);
    bool ok = session != NULL && session_pick_job(session, verb_arg(call, 0), job, &err) &&
              session_view(session, job, print, &out, &err);

    bool asked = session != NULL;
    session_close(session);
    if (ok)
        (void)fwrite(out.text.data, 1, out.text.len, stdout);
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
        "Shows one job as Redis knows it now: rows, batches, and what it waits for. JOB may be\n"
        "left out when there is only one.",
    .exits = "0 (also when rows failed), 5 no such job, 9 Redis cannot be used",
    .example = "sheaf status --state-dir out.jsonl.sheaf",
    .groups = OPT_COMMON | OPT_READ,
    .max_args = 1,
    .run = run,
};
