#ifndef CLI_RECIPE_ROUNDS_H
#define CLI_RECIPE_ROUNDS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/finish.h"
#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/config/options.h"
#include "common/enrich/judge.h"

struct session;
struct sink;

/** One round of a recipe job: an ordinary job that has ended. */
struct recipe_round {
    struct finish finish;
    struct sink *sink;
};

/** The rounds from the first on. Zeroed: none. recipe_rounds_release() frees. */
struct recipe_rounds {
    struct recipe_round **items; /* each stays where it is */
    struct enrich_round *views;  /* the same, as they are judged */
    size_t count;
};

void recipe_rounds_release(struct recipe_rounds *rounds);

/** The next round, which has ended as @finish (copied) says; opens its sink. */
MUST_CHECK bool recipe_rounds_add(struct recipe_rounds *rounds, const struct finish *finish,
                                  struct err *err);

/** Whether the newest round was cancelled: no round comes after it. */
bool recipe_rounds_cancelled(const struct recipe_rounds *rounds);

/** When round 1 was begun and when the newest one ended. */
struct report_times recipe_rounds_times(const struct recipe_rounds *rounds);

/**
 * All rounds of @job that Redis knows. ERR_NO_JOB when there is no such job, ERR_TEMPORARY when the
 * newest one has not ended. Runs the loop.
 */
MUST_CHECK bool recipe_rounds_look(struct recipe_rounds *rounds, struct session *session,
                                   const char *job, struct err *err);

/** Put the file at @path into @sink as @name, if it is not there. Blocks. */
MUST_CHECK bool recipe_rounds_keep(struct sink *sink, const char *name, const char *path,
                                   struct err *err);

/** Room for what is left of a cap. */
#define RECIPE_CAP_TEXT_MAX 64

/** The money of a round. */
struct recipe_money {
    int64_t spent; /* by the other rounds, nano-units of what the provider bills in */
    char cap[RECIPE_CAP_TEXT_MAX]; /* what is left of --max-cost, as --max-cost takes it; "" none */
};

/**
 * What the other rounds of @job at @sink_url than @round have cost, later ones too (a round may be
 * sent again), and what that leaves of --max-cost. Once all of it is spent that is the smallest
 * amount: nothing is sent for it. ERR_USAGE when the cap is in a currency without a rate.
 */
MUST_CHECK bool recipe_rounds_money(const char *sink_url, const char *job, unsigned round,
                                    const struct options *o, struct recipe_money *out,
                                    struct err *err);

/** Whether the job of @spec is one with a recipe, or a round of one: *@is. */
MUST_CHECK bool recipe_rounds_is_one(const struct job_spec *spec, bool *is, struct err *err);

#endif
