#include "cli/local_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/display.h"
#include "cli/private_redis.h"
#include "cli/run.h"
#include "cli/session.h"
#include "cli/supervisor.h"
#include "common/model/price_table.h"

#define STOP_GRACE_MS 5000
#define GOES_ON       "the same command goes on where it was"
#define BEGINS_ANEW   "a sample is not gone on with: the same command tries it anew"

bool local_run_redirect(struct invocation *call, const struct session *session, struct err *err)
{
    int fd = dup(STDERR_FILENO);
    FILE *people = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (people == NULL || dup2(session_log_fd(session), STDERR_FILENO) < 0)
        return err_set(err, ERR_INTERNAL, "standard error: %s", strerror(errno));
    call->people = people;
    return true;
}

void local_run_restore(struct invocation *call)
{
    if (call->people == stderr)
        return;
    (void)fflush(stderr);
    (void)dup2(fileno(call->people), STDERR_FILENO);
    (void)fclose(call->people);
    call->people = stderr;
}

static void print_summary(const struct invocation *call, const struct finish *f,
                          const struct report *report, const char *output, bool adopted, int code)
{
    const struct options *o = &call->options;
    struct buf text = BUF_INIT(65536);

    if (o->quiet || o->progress == PROGRESS_NONE)
        return;
    if (o->progress == PROGRESS_JSON) {
        if (finish_print_json(f, report, output, code, &text))
            (void)fprintf(call->people, "%s\n", text.data);
    } else if (finish_print(f, report, output, adopted, &text)) {
        (void)fprintf(call->people, "%s", text.data);
    }
    buf_release(&text);
}

static int publish(const struct invocation *call, struct display *display, const struct finish *f,
                   const struct local_job *job)
{
    struct price_table prices = {0};
    struct finish priced = *f;
    struct report report;
    struct err err = {0};
    bool adopted = false;
    bool ok;

    if (!price_table_load(&call->options.prices, &prices, &err))
        return verb_fail(call, &err, NULL);
    priced.times.prices = &prices;
    if (job->output != NULL) {
        display_state(display, "writing the output");
        ok = finish_publish(&priced, job->output, job->overwrite, &report, &adopted, &err);
    } else {
        ok = finish_collect(f, &report, &err);
    }
    display_hide(display);
    if (!ok) {
        price_table_release(&prices);
        return verb_fail(call, &err, job->unwritten);
    }
    finish_mark(f, &report);
    int code = report.failed > 0 ? EXIT_CODE_SOME_FAILED : EXIT_CODE_OK;
    print_summary(call, &priced, &report, job->output, adopted, code);
    report_release(&report);
    price_table_release(&prices);
    return code;
}

/* LOCAL_RUN_ENDED, or why it has not. */
static int conclude(const struct invocation *call, const struct run_result *result, bool is_trial)
{
    const struct run_verdict *v = &result->verdict;
    const char *preset = is_trial ? BEGINS_ANEW : GOES_ON;
    const char *hint = v->hint != NULL ? v->hint : preset;

    if (result->signal > 0)
        return verb_fail_with(call, (enum exit_code)(EXIT_CODE_SIGNAL + result->signal), "stopped",
                              preset);
    if (v->step == RUN_FINISHED)
        return LOCAL_RUN_ENDED;
    return verb_fail_with(call, v->code, v->message,
                          v->advice[0] != '\0' && !is_trial ? v->advice : hint);
}

int local_run_publish(const struct invocation *call, const struct finish *f,
                      const struct local_job *job)
{
    struct display *display = display_new(call->people, PROGRESS_NONE, job->name);
    int code = publish(call, display, f, job);

    display_free(display);
    return code;
}

enum option_progress local_run_form(const struct options *o)
{
    if (o->quiet)
        return PROGRESS_NONE;
    return o->verbose && o->progress == PROGRESS_AUTO ? PROGRESS_PLAIN
                                                      : (enum option_progress)o->progress;
}

static int work(const struct invocation *call, struct session *session, const struct local_job *job,
                struct display *display, struct finish *finish)
{
    struct run_result result;
    struct err err = {0};
    const struct run_job run = {.call = call,
                                .session = session,
                                .display = display,
                                .name = job->name,
                                .input = job->input,
                                .sink = job->sink,
                                .site = job->site,
                                .max_cost = job->max_cost,
                                .warn_at = job->warn_at,
                                .spent_before = job->spent_before,
                                .what = job->what};

    /* not an argument: it may hold a password, and arguments are for all to see */
    (void)setenv("SHEAF_REDIS", session_redis_url(session), 1); /* NOLINT(concurrency-mt-unsafe) */
    /* batch files of 200 MB do not belong into a /tmp that may be memory */
    (void)setenv("TMPDIR", session_state_dir(session), 0); /* NOLINT(concurrency-mt-unsafe) */
    bool ok = run_job(&run, &result, &err);
    supervisor_stop(session_supervisor(session), PRIVATE_REDIS_NAME, STOP_GRACE_MS);
    *finish = result.finish;
    return ok ? conclude(call, &result, job->is_trial) : verb_fail(call, &err, NULL);
}

int local_run_to_end(const struct invocation *call, struct session *session,
                     const struct local_job *job, struct finish *finish)
{
    struct display *display = display_new(call->people, local_run_form(&call->options), job->name);
    int code = work(call, session, job, display, finish);

    display_free(display);
    return code;
}

int local_run(const struct invocation *call, struct session *session, const struct local_job *job)
{
    struct display *display = display_new(call->people, local_run_form(&call->options), job->name);
    struct finish finish;
    int code = work(call, session, job, display, &finish);

    if (code == LOCAL_RUN_ENDED)
        code = publish(call, display, &finish, job);
    display_free(display);
    return code;
}
