#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/core/json_put.h"
#include "cli/core/resubmit_plan.h"
#include "cli/here.h"
#include "cli/job_lookup.h"
#include "cli/local_run.h"
#include "cli/operator.h"
#include "cli/person.h"
#include "cli/selection.h"
#include "cli/trail.h"
#include "cli/verb.h"
#include "common/base/xmem.h"
#include "common/merge/resubmit.h"
#include "common/model/money.h"
#include "common/provider/profile.h"
#include "common/sink/generation.h"
#include "common/sink/sink.h"

#define OUTPUT_MAX (16u << 20)

struct again {
    struct invocation *call;
    struct session *session;
    struct operator_job job;
    struct sink *sink;
    bool alone;   /* nobody else works on it: we do */
    bool written; /* false: all of the newest resubmission is merged, but not written */
    struct selection selection;
    struct resubmit_state state;
    struct resubmit *choice;
    const struct resubmit_counts *counts;
    struct resubmit_plan_lane *lanes;
    struct price_table prices;
    struct resubmit_plan_facts facts;
    struct resubmit_plan plan;
};

/* ---- what it would take */

static void make_plan(struct again *a, const struct provider_profile *profile)
{
    const struct resubmit_counts *n = a->counts;

    a->lanes = xcalloc(n->lane_count + 1, sizeof(*a->lanes)); /* none is known as well */
    for (size_t i = 0; i < n->lane_count; i++) {
        const struct resubmit_lane *l = &n->lanes[i];

        a->lanes[i] =
            (struct resubmit_plan_lane){l->model, l->label, l->requests, l->bytes, l->tokens};
    }
    a->facts = (struct resubmit_plan_facts){
        .job = a->job.name,
        .generation = a->state.under_way ? a->state.newest : a->state.newest + 1,
        .failed = n->failed,
        .invalid = n->invalid,
        .rows = n->rows,
        .windows = n->windows,
        .lanes = n->lanes_known ? a->lanes : NULL,
        .lane_count = n->lane_count,
        .lanes_why = n->lanes_why,
        .provider = profile->name,
        .prices = &a->prices,
        .max_requests = profile->limits.max_requests,
        .max_bytes = provider_max_bytes(profile),
        .ok = n->ok,
        .completion_tokens = n->completion_tokens,
    };
    resubmit_plan_make(&a->facts, &a->plan);
}

static bool choose(struct again *a, struct err *err)
{
    const struct finish *f = &a->job.finish;
    struct provider_profile_box box = {0};

    a->choice = resubmit_choose(a->sink, &f->spec, f->parts, a->job.windows, &a->state,
                                selection_wants, &a->selection, err);
    if (a->choice == NULL || !selection_check(&a->selection, a->sink, a->state.newest, err))
        return false;
    a->counts = resubmit_counts(a->choice);
    if (!price_table_load(&a->call->options.prices, &a->prices, err) ||
        !provider_profile_load(f->spec.provider, &a->call->options.providers, &box, err))
        return false;
    make_plan(a, &box.profile);
    provider_profile_release(&box);
    return true;
}

static void print_plan(struct again *a, FILE *to)
{
    struct buf text = BUF_INIT(OUTPUT_MAX);

    if (a->call->options.json) {
        json_put_raw(&text, "{\"schema\":1,\"causes\":");
        selection_print_json(&a->selection, &a->plan, &text);
        json_put_raw(&text, ",\"plan\":");
        resubmit_plan_print_json(&a->facts, &a->plan, &text);
        json_put_raw(&text, "}\n");
    } else {
        resubmit_plan_print(&a->facts, &a->plan, &text);
        selection_print(&a->selection, &a->plan, &text);
    }
    (void)fwrite(text.data, 1, text.len, to);
    (void)fflush(to);
    buf_release(&text);
}

static const char *cost(const struct again *a, char out[MONEY_TEXT_MAX])
{
    return a->plan.currency != NULL ? money_format(a->plan.currency, a->plan.nano, out) : NULL;
}

static int ask(struct again *a)
{
    char price[MONEY_TEXT_MAX];
    char question[512];

    if (!a->call->options.quiet && !a->call->options.yes)
        print_plan(a, a->call->people);
    if (cost(a, price) != NULL)
        (void)snprintf(question, sizeof(question),
                       "Send %" PRIu64 " rows of job %s again, for about %s?", a->counts->rows,
                       a->job.name, price);
    else
        (void)snprintf(question, sizeof(question),
                       "Send %" PRIu64 " rows of job %s again? What it would cost is not known.",
                       a->counts->rows, a->job.name);
    return person_confirm(a->call, question);
}

/* ---- doing it */

static bool note(const struct again *a, struct err *err)
{
    const struct options *o = &a->call->options;
    struct buf what = BUF_INIT(TRAIL_WHAT_MAX);
    char price[MONEY_TEXT_MAX];

    trail_put_count(&what, "generation", a->facts.generation);
    trail_put_text(&what, "code", o->code);
    trail_put_text(&what, "shard", o->shard);
    trail_put_count(&what, "rows", a->counts->rows);
    if (a->plan.batches >= 0)
        trail_put_count(&what, "batches", (uint64_t)a->plan.batches);
    if (a->plan.input_tokens >= 0)
        trail_put_count(&what, "input_tokens", (uint64_t)a->plan.input_tokens);
    trail_put_text(&what, "about", cost(a, price));
    bool ok = trail_note(&a->job.finish.spec, "resubmit", &what, err);
    buf_release(&what);
    return ok;
}

static int refuse_another(const struct again *a, uint32_t number)
{
    char message[256];

    (void)snprintf(message, sizeof(message),
                   "resubmission %u of job \"%s\", of %" PRIu64 " other rows, %s: one at a time",
                   number, a->job.name, a->state.rows,
                   a->written ? "has not ended" : "is not in OUTPUT yet");
    return verb_fail_with(a->call, EXIT_CODE_CONFLICT, message,
                          a->alone ? "`sheaf run` with the job's input goes on with it"
                                   : "`sheaf wait` waits for it");
}

/* One at a time. With one under way nothing is published here: it is told whether it is the same.
 */
static bool may_begin(struct again *a, int *code)
{
    enum resubmit_published how = RESUBMIT_OTHER;
    uint32_t number = 0;
    struct err err = {0};

    if (!a->state.under_way || a->counts->rows == 0)
        return true;
    if (!resubmit_publish(a->choice, &how, &number, &err)) {
        *code = verb_fail(a->call, &err, NULL);
        return false;
    }
    if (how == RESUBMIT_OTHER)
        *code = refuse_another(a, number);
    return how != RESUBMIT_OTHER;
}

static void tell_sent(const struct again *a)
{
    char price[MONEY_TEXT_MAX];
    bool known = cost(a, price) != NULL;

    person_tell(a->call, "%" PRIu64 " rows of job %s are sent again%s%s", a->counts->rows,
                a->job.name, known ? ", for about " : "; what it costs is not known",
                known ? price : "");
}

static void tell_handed_over(const struct again *a, uint32_t number)
{
    person_tell(a->call,
                "  this is resubmission %u; `sheaf wait %s` waits for it, then `sheaf results %s "
                "-o OUTPUT` writes all results anew",
                number, a->job.name, a->job.name);
}

/* The sink has it: whoever comes next tells Redis and goes on with it. */
static int go_on(struct again *a, uint32_t number)
{
    struct err err = {0};

    if (!operator_tell_generation(a->session, a->sink, a->job.name, &err))
        return verb_fail(a->call, &err, "the same command again goes on");
    if (a->alone)
        return here_run(a->call, a->session, &a->job, NULL);
    tell_handed_over(a, number);
    return EXIT_CODE_OK;
}

/* What others work on needs nothing; here the work begins again, which is noted as `run` does. */
static int join(struct again *a)
{
    struct err err = {0};

    if (a->alone && !note(a, &err))
        return verb_fail(a->call, &err, NULL);
    person_tell(a->call,
                "resubmission %u of job %s is under way already, with the same %" PRIu64 " rows",
                a->state.newest, a->job.name, a->counts->rows);
    return go_on(a, a->state.newest);
}

/* Killed before it wrote OUTPUT: nothing is sent, so nothing is asked. */
static bool lacks_output_only(const struct again *a)
{
    return a->alone && !a->written && a->job.finish.state == JOB_FINAL &&
           a->job.generation >= a->state.newest;
}

static int complete(struct again *a)
{
    person_tell(a->call, "resubmission %u of job %s has ended already: only its OUTPUT is written",
                a->state.newest, a->job.name);
    return here_complete(a->call, a->session, &a->job);
}

/* With its file in the sink it is decided. */
static int send_again(struct again *a)
{
    enum resubmit_published how = RESUBMIT_OTHER;
    uint32_t number = 0;
    struct err err = {0};

    if (!note(a, &err))
        return verb_fail(a->call, &err, NULL);
    if (!resubmit_publish(a->choice, &how, &number, &err))
        return verb_fail(a->call, &err, "the same command again goes on");
    if (how == RESUBMIT_OTHER) /* this very moment: how many rows it has was not read */
        return resubmit_look(a->sink, &a->state, &err) ? refuse_another(a, number)
                                                       : verb_fail(a->call, &err, NULL);
    tell_sent(a);
    return go_on(a, number);
}

/* Of a job with a recipe: each round has rows of its own. */
static void tell_of_rounds(const struct again *a)
{
    struct operator_job *later = xcalloc(1, sizeof(*later));
    char base[JOB_NAME_MAX + 1];
    bool found = job_round_parse(a->job.name, base) == 1;

    for (unsigned round = 2; found && round <= JOB_ROUND_MAX; round++) {
        if (operator_look_at_round(a->session, base, round, later, &found, NULL) && found &&
            later->failed > 0)
            person_tell(a->call,
                        "%" PRIu64 " rows failed in round %u: `sheaf resubmit %s` sends them again",
                        later->failed, round, later->name);
    }
    free(later);
}

static int tell_nothing(struct again *a)
{
    const struct resubmit_counts *n = a->counts;
    uint64_t could = n->failed > n->invalid ? n->failed - n->invalid : 0;

    if (could == 0 && n->invalid == 0)
        person_tell(a->call, "job %s: no row failed: nothing is sent again", a->job.name);
    else if (could == 0)
        person_tell(a->call,
                    "job %s: nothing is sent again: the %" PRIu64
                    " failed rows are lines that cannot be sent",
                    a->job.name, n->invalid);
    else
        person_tell(a->call,
                    "job %s: nothing is sent again: none of the %" PRIu64
                    " failed rows is meant by --code and --shard",
                    a->job.name, could);
    tell_of_rounds(a);
    /* one that was killed before it wrote OUTPUT */
    return a->alone && a->state.newest > 0 ? here_publish(a->call, a->session, &a->job)
                                           : EXIT_CODE_OK;
}

static bool input_is_here(const struct again *a, struct err *err)
{
    const struct job_spec *spec = &a->job.finish.spec;

    return spec->inline_payload || access(spec->source, R_OK) == 0 ||
           err_set(err, ERR_INPUT, "%s: %s", spec->source, strerror(errno));
}

static int resubmit(struct again *a)
{
    const struct options *o = &a->call->options;
    struct err err = {0};
    int code;

    if (!choose(a, &err))
        return verb_fail(a->call, &err,
                         err.kind == ERR_USAGE ? "`sheaf failures` shows the causes" : NULL);
    if (!may_begin(a, &code))
        return code;
    if (o->plan || (o->json && a->counts->rows == 0)) {
        print_plan(a, stdout);
        return EXIT_CODE_OK;
    }
    if (a->counts->rows == 0)
        return tell_nothing(a);
    if (lacks_output_only(a))
        return complete(a);
    if (a->alone &&
        (!input_is_here(a, &err) || !here_adopt_settings(a->call, a->session, &a->job, &err)))
        return verb_fail(a->call, &err, "nothing was changed");
    if (a->state.under_way)
        return join(a);
    code = ask(a);
    return code == EXIT_CODE_OK ? send_again(a) : code;
}

static int refuse_unended(const struct again *a)
{
    char message[256];

    (void)snprintf(message, sizeof(message),
                   "job \"%s\" has not ended: what fails meanwhile is tried again by itself",
                   a->job.name);
    return verb_fail_with(a->call, EXIT_CODE_NOT_YET, message,
                          a->alone ? "`sheaf run` goes on with it" : "`sheaf wait` waits for it");
}

/* A resubmission is under way until OUTPUT has it: the same choice completes it. */
static bool look_at_output(struct again *a, struct err *err)
{
    a->written = true;
    if (a->state.newest == 0 || a->state.under_way ||
        (!a->alone && !session_is_guest(a->session))) /* a cluster writes none by itself */
        return true;
    if (!finish_is_marked(a->sink, a->state.newest, &a->written, err))
        return false;
    a->state.under_way = !a->written;
    return true;
}

static int look(struct again *a)
{
    const struct job_spec *spec = &a->job.finish.spec;
    struct err err = {0};

    a->sink = sink_open(spec->sink, spec->job, spec->ji, false, &err);
    if (a->sink == NULL || !resubmit_look(a->sink, &a->state, &err) || !look_at_output(a, &err))
        return verb_fail(a->call, &err, NULL);
    if (a->job.finish.state != JOB_FINAL && !a->state.under_way)
        return refuse_unended(a);
    return resubmit(a);
}

static int run(struct invocation *call)
{
    struct again *a = xcalloc(1, sizeof(*a));
    struct err err = {0};
    int code;

    a->call = call;
    if (!selection_parse(&a->selection, &call->options, &err)) {
        code = verb_fail(call, &err, NULL);
    } else {
        a->session = session_open(&call->options, &err);
        a->alone = a->session != NULL && session_supervisor(a->session) != NULL;
        code = a->session != NULL && operator_look(a->session, verb_arg(call, 0), &a->job, &err)
                   ? look(a)
                   : verb_fail(call, &err, job_lookup_hint(call, &err));
    }
    resubmit_free(a->choice);
    sink_close(a->sink);
    session_close(a->session);
    local_run_restore(call);
    selection_release(&a->selection);
    price_table_release(&a->prices);
    free(a->lanes);
    free(a);
    return code;
}

const struct verb cmd_resubmit = {
    .name = "resubmit",
    .usage = "JOB [--code C]... [--shard N-N]... [--plan] [-y]",
    .summary = "send failed rows of a job again",
    .does =
        "Sends rows that failed again, and replaces their error rows by what comes home; rows\n"
        "that have a result stay as they are and are not paid again. Without --code and --shard\n"
        "every failed row is meant, but lines that cannot be sent. --plan only says what it would\n"
        "take: rows, batches, tokens, and the price where it is known. On a state directory\n"
        "without a `sheaf run` the work is done here, and OUTPUT is replaced as a whole; in a\n"
        "cluster its workers do it, and `sheaf results` writes OUTPUT.",
    .exits = "0 nothing to send, or handed over; on a state directory 0 or 3 as run; 2 usage, not\n"
             "confirmed, or a --code that no row failed with; 4 no key, or it is refused, 5 no\n"
             "such job, 7 the job has not ended, 9 Redis, disk or sink cannot be used, 11 the\n"
             "input cannot be read, 12 another resubmission is under way, or the batches of this\n"
             "one are of another account",
    .example = "sheaf resubmit in.jsonl --state-dir out.jsonl.sheaf --code 500 --plan",
    .groups = OPT_COMMON | OPT_CHANGE | OPT_RESUBMIT,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
