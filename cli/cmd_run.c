#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/core/nearest.h"
#include "cli/display.h"
#include "cli/job_lookup.h"
#include "cli/private_redis.h"
#include "cli/run.h"
#include "cli/session.h"
#include "cli/spool.h"
#include "cli/state_dir.h"
#include "cli/supervisor.h"
#include "cli/verb.h"
#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/merge/publish.h"
#include "common/provider/profile.h"

#define STOP_GRACE_MS 5000
#define GOES_ON       "the same command goes on where it was"

/* What is known before anything is created. */
struct plan {
    const char *input; /* as given */
    char path[4096];   /* absolute, can be read at an offset */
    char folder[4096]; /* the state directory */
    char sink[4096 + 8];
    char name[JOB_NAME_MAX + 1];
    char site[PROVIDER_ID_LEN + 1];
    const struct provider_profile *profile;
    struct job_spec spec; /* of the job if it was opened before, else only its name */
    bool opened;
    bool spooled;
};

static bool find_profile(struct plan *plan, const char *name, struct err *err)
{
    plan->profile = provider_profile_find(name);
    if (plan->profile != NULL)
        return true;
    const char *near = nearest_name(name, provider_profile_names());
    return err_set(err, ERR_USAGE, "there is no provider profile \"%s\"%s%s%s", name,
                   near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                   near != NULL ? "?" : "");
}

static bool name_job(struct plan *plan, const struct options *o, struct err *err)
{
    if (o->job != NULL && !job_name_is_valid(o->job))
        return err_set(err, ERR_USAGE, "--job: \"%s\" cannot be a job's name", o->job);
    if (o->job == NULL && strcmp(plan->input, "-") == 0)
        return err_set(err, ERR_USAGE, "standard input has no name: give the job one with --job");
    if (o->job != NULL)
        (void)snprintf(plan->name, sizeof(plan->name), "%s", o->job);
    else
        job_name_from_path(plan->input, plan->name);
    return true;
}

static bool place_state(struct plan *plan, const struct options *o, struct err *err)
{
    size_t len = strlen(o->state_dir != NULL ? o->state_dir : o->output);

    if (len + 64 > sizeof(plan->folder))
        return err_set(err, ERR_USAGE, "the path is too long");
    (void)snprintf(plan->folder, sizeof(plan->folder), "%s%s",
                   o->state_dir != NULL ? o->state_dir : o->output,
                   o->state_dir != NULL ? "" : ".sheaf");
    return true;
}

/* The job may have been opened before: its sink says so, whatever became of its Redis. */
static bool recall(struct plan *plan, struct err *err)
{
    struct err missing = {0};

    plan->opened = job_lookup_spec(plan->folder, plan->name, &plan->spec, &missing);
    if (plan->opened)
        return true;
    if (missing.kind != ERR_NO_JOB) {
        *err = missing;
        return false;
    }
    plan->spec = (struct job_spec){0};
    (void)snprintf(plan->spec.job, sizeof(plan->spec.job), "%s", plan->name);
    return true;
}

static bool check_key(const struct plan *plan, const struct options *o, struct err *err)
{
    char *key = NULL;

    if (plan->opened) /* it may have ended, and need none */
        return true;
    if (!options_api_key(o, plan->profile->key_names, &key, err))
        return false;
    explicit_bzero(key, strlen(key));
    free(key);
    return true;
}

/* "-y" must not eat the input. */
static bool keeps_input(const struct plan *plan, const struct publish_paths *paths, struct err *err)
{
    const char *const written[] = {paths->out, paths->errors, paths->report};
    struct stat input;
    struct stat other;

    if (strcmp(plan->input, "-") == 0 || stat(plan->input, &input) != 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(written); i++) {
        if (stat(written[i], &other) == 0 && other.st_dev == input.st_dev &&
            other.st_ino == input.st_ino)
            return err_set(err, ERR_USAGE, "%s is the input itself", written[i]);
    }
    return true;
}

/* All that can be refused without creating anything. */
static bool make_plan(struct plan *plan, const struct invocation *call, struct err *err)
{
    const struct options *o = &call->options;
    struct publish_paths paths;

    plan->input = call->args.items[0];
    if (o->output == NULL)
        return err_set(err, ERR_USAGE, "where to? Give -o OUTPUT");
    if (!publish_paths(o->output, &paths, err) || !name_job(plan, o, err) ||
        !find_profile(plan, o->provider, err) || !place_state(plan, o, err) ||
        !spool_is_needed(plan->input, &plan->spooled, err))
        return false;
    provider_site_id(plan->profile, o->base_url, plan->site);
    return keeps_input(plan, &paths, err) && recall(plan, err) &&
           publish_check(o->output, &plan->spec, o->yes, err) && check_key(plan, o, err);
}

/* The input as a file that the programs can read at an offset. Blocks while it is copied. */
static bool settle_input(struct plan *plan, const struct invocation *call, const char *state_dir,
                         struct err *err)
{
    struct state_dir dir = {.lock_fd = -1};
    char folder[4096];

    if (!plan->spooled) {
        char *real = realpath(plan->input, NULL);

        if (real == NULL || strlen(real) >= sizeof(plan->path))
            return err_set(err, ERR_INPUT, "%s: %s", plan->input, strerror(errno));
        (void)snprintf(plan->path, sizeof(plan->path), "%s", real);
        free(real);
        return true;
    }
    (void)snprintf(dir.path, sizeof(dir.path), "%s", state_dir);
    if (!call->options.quiet && call->options.progress != PROGRESS_JSON &&
        call->options.progress != PROGRESS_NONE)
        (void)fprintf(call->people, "reading %s\n",
                      strcmp(plan->input, "-") == 0 ? "standard input" : plan->input);
    return state_dir_sub(&dir, "spool", folder, err) &&
           spool_make(plan->input, folder, plan->name, plan->opened, plan->path, err);
}

static void print_summary(const struct invocation *call, const struct finish *f,
                          const struct report *report, bool adopted, int code)
{
    const struct options *o = &call->options;
    struct buf text = BUF_INIT(65536);

    if (o->quiet || o->progress == PROGRESS_NONE)
        return;
    if (o->progress == PROGRESS_JSON) {
        if (finish_print_json(f, report, o->output, code, &text))
            (void)fprintf(call->people, "%s\n", text.data);
    } else if (finish_print(f, report, o->output, adopted, &text)) {
        (void)fprintf(call->people, "%s", text.data);
    }
    buf_release(&text);
}

static int publish(const struct invocation *call, struct display *display, const struct finish *f)
{
    const struct options *o = &call->options;
    struct report report;
    struct err err = {0};
    bool adopted = false;

    display_state(display, "writing the output");
    bool ok = finish_publish(f, o->output, o->yes, &report, &adopted, &err);
    display_hide(display);
    if (!ok)
        return verb_fail(call, &err, "the results are safe; " GOES_ON);
    int code = report.failed > 0 ? EXIT_CODE_SOME_FAILED : EXIT_CODE_OK;
    print_summary(call, f, &report, adopted, code);
    report_release(&report);
    return code;
}

static int conclude(const struct invocation *call, struct display *display,
                    const struct run_result *result)
{
    const struct run_verdict *v = &result->verdict;

    if (result->signal > 0)
        return verb_fail_with(call, (enum exit_code)(EXIT_CODE_SIGNAL + result->signal), "stopped",
                              GOES_ON);
    if (v->step == RUN_FINISHED)
        return publish(call, display, &result->finish);
    return verb_fail_with(call, v->code, v->message, v->hint != NULL ? v->hint : GOES_ON);
}

static int run_in_session(struct plan *plan, const struct invocation *call, struct session *session)
{
    const struct options *o = &call->options;
    struct run_result result;
    struct err err = {0};
    int code;

    if (!settle_input(plan, call, session_state_dir(session), &err))
        return verb_fail(call, &err,
                         err.kind == ERR_CONFLICT ? "give another --job and -o OUTPUT" : NULL);
    (void)snprintf(plan->sink, sizeof(plan->sink), "dir:%s/sink", session_state_dir(session));
    /* not an argument: it may hold a password, and arguments are for all to see */
    (void)setenv("SHEAF_REDIS", session_redis_url(session), 1); /* NOLINT(concurrency-mt-unsafe) */
    /* batch files of 200 MB do not belong into a /tmp that may be memory */
    (void)setenv("TMPDIR", session_state_dir(session), 0); /* NOLINT(concurrency-mt-unsafe) */

    enum option_progress form = (enum option_progress)o->progress;
    if (o->quiet)
        form = PROGRESS_NONE;
    else if (o->verbose && form == PROGRESS_AUTO)
        form = PROGRESS_PLAIN;
    struct display *display = display_new(call->people, form, plan->name);
    const struct run_job job = {.call = call,
                                .session = session,
                                .display = display,
                                .name = plan->name,
                                .input = plan->path,
                                .sink = plan->sink,
                                .site = plan->site};
    bool ok = run_job(&job, &result, &err);
    supervisor_stop(session_supervisor(session), PRIVATE_REDIS_NAME, STOP_GRACE_MS);
    code = ok ? conclude(call, display, &result) : verb_fail(call, &err, NULL);
    display_free(display);
    return code;
}

/* From now on what is logged goes where the children's logs go; people are told on the old one. */
static bool redirect_log(struct invocation *call, int log_fd, struct err *err)
{
    int fd = dup(STDERR_FILENO);
    FILE *people = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (people == NULL || dup2(log_fd, STDERR_FILENO) < 0)
        return err_set(err, ERR_INTERNAL, "standard error: %s", strerror(errno));
    call->people = people;
    return true;
}

static void restore_log(struct invocation *call)
{
    if (call->people == stderr)
        return;
    (void)fflush(stderr);
    (void)dup2(fileno(call->people), STDERR_FILENO);
    (void)fclose(call->people);
    call->people = stderr;
}

static int run_plan(struct plan *plan, struct invocation *call)
{
    struct err err = {0};
    struct session *session = session_open_for_run(&call->options, plan->folder, &err);
    int code;

    if (session == NULL)
        return verb_fail(call, &err,
                         err.kind == ERR_CONFLICT ? "wait for it, or watch it with "
                                                    "`sheaf watch --state-dir`"
                                                  : NULL);
    if (redirect_log(call, session_log_fd(session), &err))
        code = run_in_session(plan, call, session);
    else
        code = verb_fail(call, &err, NULL);
    session_close(session);
    restore_log(call);
    return code;
}

static const char *hint_for(const struct err *err)
{
    if (err->kind == ERR_CONFLICT)
        return "give another -o OUTPUT, or -y to replace it";
    if (err->kind == ERR_AUTH)
        return "to rehearse without a key: `sheaf simulate`, and any key";
    return NULL;
}

static int run(struct invocation *call)
{
    struct plan *plan = xcalloc(1, sizeof(*plan));
    struct err err = {0};
    int code =
        make_plan(plan, call, &err) ? run_plan(plan, call) : verb_fail(call, &err, hint_for(&err));

    free(plan);
    return code;
}

const struct verb cmd_run = {
    .name = "run",
    .usage = "INPUT -o OUTPUT",
    .summary = "run a whole job on this host, with one command",
    .does =
        "Sends every request of INPUT through the provider's Batch API and writes the results to\n"
        "OUTPUT, in input order; failures go to OUTPUT's errors file, numbers to its report.\n"
        "The same command again goes on where it was; a finished job is reported, not redone.",
    .exits =
        "0 every row has a result, 2 usage, 3 some rows failed, 4 the key is refused, 6 spend\n"
        "cap, 8 no provider for --give-up, 9 Redis, disk or sink cannot be used, 11 INPUT cannot\n"
        "be read, 12 conflict, 130 or 143 stopped by a signal",
    .example = "sheaf run in.jsonl -o out.jsonl --max-batches 4",
    .groups = OPT_COMMON | OPT_RUN,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
