#include "cli/core/status_print.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "common/base/buf.h"

#define OUTPUT_MAX (16u << 20) /* 10,000 jobs */

struct output {
    struct buf text;
    bool json;
};

static void print(const struct job_row *rows, size_t count, int64_t now_ms, void *arg)
{
    struct output *out = arg;

    if (out->json)
        status_print_list_json(rows, count, &out->text);
    else
        status_print_list(rows, count, now_ms, &out->text);
}

static int run(struct invocation *call)
{
    struct output out = {.text = BUF_INIT(OUTPUT_MAX), .json = call->options.json};
    struct err err = {0};
    struct session *session = session_open(&call->options, &err);
    bool ok = session != NULL && session_list(session, print, &out, &err);

    session_close(session);
    if (ok && out.text.len > 0)
        (void)fwrite(out.text.data, 1, out.text.len, stdout);
    buf_release(&out.text);
    return ok ? EXIT_CODE_OK : verb_fail(call, &err, NULL);
}

const struct verb cmd_list = {
    .name = "list",
    .usage = "",
    .summary = "list the jobs",
    .does = "Lists all jobs that Redis knows, oldest first. Nothing is printed when there is none.",
    .exits = "0, 9 Redis cannot be used",
    .example = "sheaf list --redis redis://10.0.0.5",
    .groups = OPT_COMMON | OPT_READ,
    .run = run,
};
