#include "cli/run_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/account.h"
#include "cli/core/warn_at.h"
#include "cli/job_lookup.h"
#include "cli/session.h"
#include "cli/spool.h"
#include "cli/state_dir.h"
#include "common/base/attr.h"
#include "common/merge/publish.h"
#include "common/model/money.h"
#include "common/model/price_table.h"

/* Who serves the job. */
static bool find_site(struct run_plan *plan, const struct options *o, struct err *err)
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

static bool name_job(struct run_plan *plan, const struct options *o, struct err *err)
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

static bool place_state(struct run_plan *plan, const struct options *o, struct err *err)
{
    size_t len = strlen(o->state_dir != NULL ? o->state_dir : plan->output);

    if (len + 64 > sizeof(plan->folder))
        return err_set(err, ERR_USAGE, "the path is too long");
    (void)snprintf(plan->folder, sizeof(plan->folder), "%s%s",
                   o->state_dir != NULL ? o->state_dir : plan->output,
                   o->state_dir != NULL ? "" : ".sheaf");
    return true;
}

/* The job may have been opened before: its sink says so, whatever became of its Redis. */
static bool recall(struct run_plan *plan, struct err *err)
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

static bool check_key(const struct run_plan *plan, const struct options *o, struct err *err)
{
    struct account account;

    return plan->opened /* it may have ended, and need none */ || account_find(o, &account, err);
}

/* "-y" must not eat the input. */
static bool keeps_input(const struct run_plan *plan, const struct publish_paths *paths,
                        struct err *err)
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

/* What is wrong with prices and caps is said before anything is started. */
static bool check_money(const struct options *o, struct err *err)
{
    struct price_table prices = {0};
    struct warn_at warn_at;
    char currency[MONEY_CURRENCY_SIZE];
    int64_t nano = 0;

    if (!price_table_load(&o->prices, &prices, err))
        return false;
    price_table_release(&prices);
    if (o->max_cost != NULL && !money_parse(o->max_cost, currency, &nano, err))
        return err_wrap(err, "--max-cost");
    return o->warn_at == NULL || warn_at_parse(o->warn_at, &warn_at, err);
}

/* To keep a copy of a compressed file is for who must read it at an offset. */
static bool must_spool(const char *input, bool compressed, bool *spooled, struct err *err)
{
    struct stat st;

    if (compressed && strcmp(input, "-") != 0 && stat(input, &st) == 0 &&
        (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) {
        *spooled = false;
        return true;
    }
    return spool_is_needed(input, spooled, err);
}

bool run_plan_make(struct run_plan *plan, const struct options *o, const char *input,
                   const char *output, bool compressed, struct err *err)
{
    struct publish_paths paths;

    plan->input = input;
    plan->output = output;
    if (!check_money(o, err) || !publish_paths(output, &paths, err) || !name_job(plan, o, err) ||
        !find_site(plan, o, err) || !place_state(plan, o, err) ||
        !must_spool(input, compressed, &plan->spooled, err))
        return false;
    return keeps_input(plan, &paths, err) && recall(plan, err) &&
           publish_check(output, &plan->spec, o->yes, err) && check_key(plan, o, err);
}

static bool find_input(struct run_plan *plan, struct err *err)
{
    char *real = realpath(plan->input, NULL);

    if (real == NULL || strlen(real) >= sizeof(plan->path)) {
        free(real);
        return err_set(err, ERR_INPUT, "%s: %s", plan->input, strerror(errno));
    }
    (void)snprintf(plan->path, sizeof(plan->path), "%s", real);
    free(real);
    return true;
}

static bool copy_input(struct run_plan *plan, const struct invocation *call,
                       const struct session *session, struct err *err)
{
    struct state_dir dir = {.lock_fd = -1};
    char folder[RUN_PATH_MAX];

    (void)snprintf(dir.path, sizeof(dir.path), "%s", session_state_dir(session));
    if (!call->options.quiet && call->options.progress != PROGRESS_JSON &&
        call->options.progress != PROGRESS_NONE)
        (void)fprintf(call->people, "reading %s\n",
                      strcmp(plan->input, "-") == 0 ? "standard input" : plan->input);
    return state_dir_sub(&dir, "spool", folder, err) &&
           spool_make(plan->input, folder, plan->name, plan->opened, plan->path, err);
}

bool run_plan_settle_input(struct run_plan *plan, const struct invocation *call,
                           const struct session *session, struct err *err)
{
    (void)snprintf(plan->sink, sizeof(plan->sink), "dir:%s/sink", session_state_dir(session));
    return plan->spooled ? copy_input(plan, call, session, err) : find_input(plan, err);
}

const char *run_plan_hint(const struct err *err)
{
    if (err->kind == ERR_CONFLICT)
        return "give another -o OUTPUT, or -y to replace it";
    if (err->kind == ERR_AUTH)
        return "to rehearse without a key: `sheaf simulate`, and any key";
    return NULL;
}
