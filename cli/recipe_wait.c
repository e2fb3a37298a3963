#include "cli/recipe_wait.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/following.h"
#include "cli/operator.h"
#include "cli/recipe_kept.h"
#include "cli/session.h"
#include "common/base/clock.h"
#include "common/base/xmem.h"
#include "common/enrich/enrich_report.h"

/* What the rounds come to when all that there are have ended. */
struct outcome {
    bool known;                    /* it is a job with a recipe, and its sink is at hand */
    bool goes_on;                  /* somebody works on it here: a round may follow */
    uint64_t open;                 /* answers that may be asked for once more */
    uint64_t failed;               /* that will not */
    char newest[JOB_NAME_MAX + 1]; /* a round that has not ended; "" none */
};

static bool is_answered(int code)
{
    return code == EXIT_CODE_OK || code == EXIT_CODE_SOME_FAILED;
}

static bool judge(struct session *session, const char *job, struct outcome *out, struct err *err)
{
    struct recipe_kept *k = xcalloc(1, sizeof(*k));
    struct enrich_open open = {0};
    struct enrich_report report = {0};
    bool ok = recipe_kept_open(session, job, k, err);

    if (ok) {
        bool closed = recipe_rounds_cancelled(&k->rounds);

        ok = enrich_judge(&k->recipe, k->rounds.views, k->rounds.count, &open, err) &&
             enrich_report_collect(&k->recipe, k->rounds.views, k->rounds.count, closed, NULL,
                                   &report, err);
        out->open = closed ? 0 : open.pairs;
        recipe_kept_release(k);
    }
    if (ok) {
        out->known = true;
        out->failed = enrich_report_failed(&report);
        enrich_report_release(&report);
    }
    free(k);
    return ok;
}

/* A sink that is not here is no failure: then Redis' word is all there is. */
static void look(struct invocation *call, const char *given, struct outcome *out)
{
    struct operator_job *job = xcalloc(1, sizeof(*job));
    struct operator_job *newest = xcalloc(1, sizeof(*newest));
    struct session *session = session_open(&call->options, NULL);
    char base[JOB_NAME_MAX + 1];
    bool has_recipe = false;

    *out = (struct outcome){0};
    if (session != NULL && operator_look(session, given, job, NULL) &&
        job_round_parse(job->name, base) == 1 &&
        recipe_rounds_is_one(&job->finish.spec, &has_recipe, NULL) && has_recipe) {
        *newest = *job;
        out->goes_on = session_is_guest(session);
        if (operator_go_to_newest(session, newest, NULL) && newest->finish.state != JOB_FINAL)
            (void)snprintf(out->newest, sizeof(out->newest), "%s", newest->name);
        else if (!judge(session, job->name, out, NULL))
            out->goes_on = false;
    }
    session_close(session);
    free(job);
    free(newest);
}

static int conclude(const struct invocation *call, const struct outcome *outcome, int code)
{
    char message[128];

    if (!outcome->known)
        return code;
    if (outcome->open == 0)
        return outcome->failed > 0 ? EXIT_CODE_SOME_FAILED : EXIT_CODE_OK;
    (void)snprintf(message, sizeof(message),
                   "%" PRIu64 " answers are not valid and may be asked for once more",
                   outcome->open);
    return verb_fail_with(call, EXIT_CODE_NOT_YET, message,
                          "the same `sheaf submit` or `sheaf run` as before does so");
}

int recipe_wait_run(struct invocation *call, const char *job, enum option_progress form,
                    int64_t timeout_ms)
{
    static const struct timespec moment = {.tv_nsec = 500000000};
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    struct outcome outcome;
    int code = following_run(call, job, form, timeout_ms);

    while (is_answered(code)) {
        int64_t left_ms = deadline_ms - clock_mono_ms();

        look(call, job, &outcome);
        if (timeout_ms > 0 && left_ms <= 0)
            break;
        if (outcome.newest[0] != '\0')
            code = following_run(call, outcome.newest, form, timeout_ms > 0 ? left_ms : 0);
        else if (outcome.goes_on && outcome.open > 0)
            (void)nanosleep(&moment, NULL); /* its next round is being made */
        else
            return conclude(call, &outcome, code);
    }
    return is_answered(code)
               ? verb_fail_with(call, EXIT_CODE_NOT_YET, "the job has not ended in time",
                                "it goes on; wait again when you like")
               : code;
}
