#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/account.h"
#include "cli/job_lookup.h"
#include "cli/local_run.h"
#include "cli/session.h"
#include "cli/spool.h"
#include "cli/state_dir.h"
#include "cli/trail.h"
#include "cli/verb.h"
#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/merge/publish.h"
#include "common/provider/profile.h"

/* What is known before anything is created. */
struct plan {
    const char *input; /* as given */
    char path[4096];   /* absolute, can be read at an offset */
    char folder[4096]; /* the state directory */
    char sink[4096 + 8];
    char name[JOB_NAME_MAX + 1];
    char site[PROVIDER_ID_LEN + 1];
    struct job_spec spec; /* of the job if it was opened before, else only its name */
    bool opened;
    bool spooled;
};

/* Who serves the job. */
static bool find_site(struct plan *plan, const struct options *o, struct err *err)
{
    struct provider_profile_box box = {0};

    if (!provider_profile_load(o->provider, &o->providers, &box, err))
        return false;
    bool ok = provider_check_base_url(&box.profile, o->base_url, err);
    if (ok)
        provider_site_id(&box.profile, o->base_url, plan->site);
    provider_profile_release(&box);
    return ok;
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
    struct account account;

    return plan->opened /* it may have ended, and need none */ || account_find(o, &account, err);
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
        !find_site(plan, o, err) || !place_state(plan, o, err) ||
        !spool_is_needed(plan->input, &plan->spooled, err))
        return false;
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

static int run_in_session(struct plan *plan, const struct invocation *call, struct session *session)
{
    struct buf what = BUF_INIT(TRAIL_WHAT_MAX);
    struct err err = {0};

    if (!settle_input(plan, call, session_state_dir(session), &err))
        return verb_fail(call, &err,
                         err.kind == ERR_CONFLICT ? "give another --job and -o OUTPUT" : NULL);
    (void)snprintf(plan->sink, sizeof(plan->sink), "dir:%s/sink", session_state_dir(session));
    trail_put_text(&what, "input", plan->input);
    trail_put_text(&what, "output", call->options.output);
    const struct local_job job = {.name = plan->name,
                                  .input = plan->path,
                                  .sink = plan->sink,
                                  .site = plan->site,
                                  .output = call->options.output,
                                  .overwrite = call->options.yes,
                                  .what = &what,
                                  .unwritten = "the results are safe; the same command goes on "
                                               "where it was"};
    int code = local_run(call, session, &job);
    buf_release(&what);
    return code;
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
    if (local_run_redirect(call, session, &err))
        code = run_in_session(plan, call, session);
    else
        code = verb_fail(call, &err, NULL);
    session_close(session);
    local_run_restore(call);
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
