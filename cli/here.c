#include "cli/here.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/account.h"
#include "cli/local_run.h"
#include "cli/person.h"
#include "cli/recipe_here.h"
#include "cli/session.h"
#include "common/model/money.h"

#define ENDING        ".sheaf"
#define HERE_PATH_MAX 4096

struct cap {
    char currency[MONEY_CURRENCY_SIZE];
    int64_t nano; /* -1: none */
};

static void take_cap(const struct job_view *view, void *arg)
{
    struct cap *cap = arg;

    memcpy(cap->currency, view->currency, sizeof(cap->currency));
    cap->nano = view->max_cost_nano;
}

static bool keep_cap_of_rounds(struct options *o, struct session *session, const char *job,
                               struct err *err)
{
    struct buf text = BUF_INIT(256);
    bool ok = recipe_here_cap(session, job, &text, err) &&
              (text.len == 0 || options_set(o, "max-cost", text.data, err));

    buf_release(&text);
    return ok;
}

/* Who goes on with a job must not take its cap away. */
static bool keep_cap(struct options *o, struct session *session, const char *job, struct err *err)
{
    struct cap cap = {.nano = -1};
    char text[MONEY_TEXT_MAX];
    char money[MONEY_TEXT_MAX + MONEY_CURRENCY_SIZE];

    if (recipe_here_is_one(session, job))
        return keep_cap_of_rounds(o, session, job, err);
    if (!session_view(session, job, take_cap, &cap, err))
        return false;
    if (cap.nano < 0 || cap.currency[0] == '\0')
        return true;
    (void)snprintf(money, sizeof(money), "%s%s", money_format_exact(cap.nano, text), cap.currency);
    return options_set(o, "max-cost", money, err);
}

bool here_adopt_settings(struct invocation *call, struct session *session,
                         const struct operator_job *job, struct err *err)
{
    struct options *o = &call->options;
    const struct job_spec *spec = &job->finish.spec;
    struct account account;
    char number[32];

    if (!options_set(o, "provider", spec->provider, err) ||
        !options_set(o, "base-url", spec->base_url, err) ||
        (spec->model[0] != '\0' && !options_set(o, "model", spec->model, err)) ||
        !account_find(o, &account, err) ||
        !operator_check_account(session, job->name, &account, err))
        return false;
    (void)snprintf(number, sizeof(number), "%u", job->max_attempts);
    if (!options_set(o, "max-attempts", number, err) || !keep_cap(o, session, job->name, err))
        return false;
    (void)snprintf(number, sizeof(number), "%" PRIu64 "ms", job->poll_ms);
    if (options_origin(o, "poll-interval") == SETTING_FROM_DEFAULT &&
        !options_set(o, "poll-interval", number, err))
        return false;
    o->payload = spec->inline_payload ? PAYLOAD_INLINE : PAYLOAD_REF;
    return true;
}

/* "out.jsonl.sheaf" is the folder of out.jsonl. */
static const char *find_output(const struct session *session, char out[HERE_PATH_MAX])
{
    const char *folder = session_state_dir(session);
    size_t len = folder != NULL ? strlen(folder) : 0; /* with --redis there may be none */

    if (len <= strlen(ENDING) || strcmp(folder + len - strlen(ENDING), ENDING) != 0 ||
        folder[len - strlen(ENDING) - 1] == '/')
        return NULL;
    (void)snprintf(out, HERE_PATH_MAX, "%.*s", (int)(len - strlen(ENDING)), folder);
    return out;
}

static struct local_job local_job(const struct operator_job *job, const char *input,
                                  const char *output)
{
    return (struct local_job){.name = job->name,
                              .input = input,
                              .sink = job->finish.spec.sink,
                              .site = job->site,
                              .output = output,
                              .unwritten = "the results are safe: `sheaf results` writes them "
                                           "elsewhere"};
}

int here_run(struct invocation *call, struct session *session, const struct operator_job *job,
             const char *input)
{
    char path[HERE_PATH_MAX];
    struct err err = {0};
    struct local_job local = local_job(job, input, find_output(session, path));

    if (!local_run_redirect(call, session, &err))
        return verb_fail(call, &err, NULL);
    int code = recipe_here_is_one(session, job->name) ? recipe_here_run(call, session, &local)
                                                      : local_run(call, session, &local);
    if (local.output == NULL && (code == EXIT_CODE_OK || code == EXIT_CODE_SOME_FAILED))
        person_tell(call, "  `sheaf results %s --state-dir %s -o OUTPUT` writes the results",
                    job->name, session_state_dir(session));
    return code;
}

int here_complete(struct invocation *call, struct session *session, const struct operator_job *job)
{
    char path[HERE_PATH_MAX];

    if (recipe_here_is_one(session, job->name))
        return here_run(call, session, job, NULL);
    const struct local_job local = local_job(job, NULL, find_output(session, path));

    return local_run_publish(call, &job->finish, &local);
}

int here_publish(struct invocation *call, struct session *session, const struct operator_job *job)
{
    char path[HERE_PATH_MAX];
    const char *output = find_output(session, path);
    struct report report;
    struct err err = {0};
    bool adopted = false;

    if (recipe_here_is_one(session, job->name))
        return here_run(call, session, job, NULL);
    if (output == NULL)
        return EXIT_CODE_OK;
    if (!finish_publish(&job->finish, output, false, &report, &adopted, &err))
        return verb_fail(call, &err, "`sheaf results` writes the results elsewhere");
    finish_mark(&job->finish, &report);
    if (!adopted)
        person_tell(call, "  %s is written anew", output);
    report_release(&report);
    return EXIT_CODE_OK;
}
