#include "cli/job_lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/operator.h"
#include "cli/session.h"
#include "common/base/buf.h"
#include "common/sink/job_doc.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define DOC_MAX 65536

struct taken {
    struct finish *finish;
    struct err err;
    bool ok;
};

static void take(const struct job_view *view, void *arg)
{
    struct taken *taken = arg;

    taken->ok = finish_from_view(taken->finish, view, &taken->err);
}

static bool ask(struct session *session, const char *given, struct finish *f, struct err *err)
{
    struct taken taken = {.finish = f};
    char job[JOB_NAME_MAX + 1];

    if (!session_pick_job(session, given, job, err) || !operator_catch_up_with(session, job, err) ||
        !session_view(session, job, take, &taken, err))
        return false;
    if (!taken.ok && err != NULL)
        *err = taken.err;
    return taken.ok;
}

bool job_lookup(const struct invocation *call, struct finish *f, struct err *err)
{
    struct session *session = session_open(&call->options, err);
    bool ok = session != NULL && ask(session, verb_arg(call, 0), f, err);

    session_close(session);
    return ok;
}

bool job_lookup_spec(const char *state_dir, const char *job, struct job_spec *spec, struct err *err)
{
    struct buf text = BUF_INIT(DOC_MAX);
    char url[4096 + 16];
    char ji[JOB_JI_LEN + 1];
    char *real = realpath(state_dir, NULL);
    struct sink *sink = NULL;

    if (real == NULL)
        return err_set(err, ERR_NO_JOB, "%s: %s", state_dir, strerror(errno));
    (void)snprintf(url, sizeof(url), "dir:%.4000s/sink", real);
    free(real);
    if (sink_find(url, job, ji, err))
        sink = sink_open(url, job, ji, false, err);
    bool ok = sink != NULL && sink_read(sink, LAYOUT_JOB, &text, err) &&
              job_doc_parse(text.data, text.len, spec, err);
    sink_close(sink);
    buf_release(&text);
    return ok;
}

const char *job_lookup_hint(const struct invocation *call, const struct err *err)
{
    const char *job = verb_arg(call, 0);
    struct job_spec spec;

    if (err->kind != ERR_NO_JOB)
        return NULL;
    if (job != NULL && call->options.state_dir != NULL &&
        job_lookup_spec(call->options.state_dir, job, &spec, NULL))
        return "its results are safe, but Redis has lost the job: the same `sheaf run` as before "
               "brings it back";
    return "`sheaf list` shows the jobs";
}

bool job_lookup_in_sink(const struct invocation *call, struct finish *f, struct err *err)
{
    const char *job = verb_arg(call, 0);

    if (job_lookup(call, f, err))
        return true;
    if (err->kind != ERR_NO_JOB || job == NULL || call->options.state_dir == NULL)
        return false;
    *f = (struct finish){0};
    return job_lookup_spec(call->options.state_dir, job, &f->spec, err);
}
