#include "cli/core/run_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/units.h"
#include "common/model/money.h"

bool run_state_is_refusal(int code)
{
    return code == EXIT_CODE_USAGE || code == EXIT_CODE_AUTH || code == EXIT_CODE_INPUT ||
           code == EXIT_CODE_CONFLICT;
}

static bool stop(struct run_verdict *v, enum exit_code code, const char *hint)
{
    v->step = RUN_STOP;
    v->code = code;
    v->hint = hint;
    return true;
}

static bool judge_refusal(const struct run_failure *x, struct run_verdict *v)
{
    (void)snprintf(v->message, sizeof(v->message), "%s", x->said[0] != '\0' ? x->said : x->name);
    return stop(v, (enum exit_code)x->code,
                x->code == EXIT_CODE_CONFLICT ? "give another --job name or -o OUTPUT" : NULL);
}

/* What waits or is killed may go on for long; what else dies over and over may not. */
static bool is_over(const struct run_facts *f, bool waits)
{
    const struct run_failure *x = &f->failure;
    bool too_long = x->deaths > 1 && f->now_ms - x->since_ms > f->give_up_ms;

    return too_long || (!waits && x->faults >= RUN_MAX_DEATHS);
}

static bool judge_failure(const struct run_facts *f, struct run_verdict *v)
{
    const struct run_failure *x = &f->failure;

    if (x->name == NULL)
        return false;
    if (run_state_is_refusal(x->code))
        return judge_refusal(x, v);
    bool waits = x->code == EXIT_CODE_UNAVAILABLE || x->code == EXIT_CODE_PROVIDER;
    if (!is_over(f, waits))
        return false;
    (void)snprintf(v->message, sizeof(v->message), "%s ended %u times in a row (%s %d)%s%s",
                   x->name, x->deaths, x->code < 0 ? "signal" : "exit code",
                   x->code < 0 ? -x->code : x->code, x->said[0] != '\0' ? ": " : "", x->said);
    bool is_redis = strcmp(x->name, "redis-server") == 0;
    return stop(v, waits || is_redis ? EXIT_CODE_UNAVAILABLE : EXIT_CODE_UNEXPECTED,
                is_redis
                    ? "if its data is broken, remove redis/ in the state directory: the results "
                      "are in sink/, and the same command goes on"
                    : "sheaf.log in the state directory says more");
}

static bool judge_redis(const struct run_facts *f, struct run_verdict *v)
{
    char spent[UNITS_TEXT_MAX];

    if (f->sight == RUN_SIGHT_BROKEN) {
        (void)snprintf(v->message, sizeof(v->message), "Redis: %s", f->sight_why);
        return stop(v, EXIT_CODE_UNEXPECTED, NULL);
    }
    if (f->redis_down_ms == 0)
        return false;
    if (f->redis_refuses) {
        (void)snprintf(v->message, sizeof(v->message), "Redis: %s", f->redis_why);
        return stop(v, EXIT_CODE_UNAVAILABLE, "look at the URL, its password and its database");
    }
    if (f->redis_down_ms <= f->give_up_ms)
        return false;
    (void)snprintf(v->message, sizeof(v->message), "no Redis for %s: %s",
                   units_format_duration(f->redis_down_ms, spent), f->redis_why);
    return stop(v, EXIT_CODE_UNAVAILABLE, NULL);
}

static bool judge_provider(const struct run_facts *f, struct run_verdict *v)
{
    const struct job_view *view = f->view;
    int64_t down_ms = view->site_since_ms > 0 ? view->now_ms - view->site_since_ms : 0;
    char spent[UNITS_TEXT_MAX];

    if (view->site_state == SITE_AUTH || strcmp(view->hold, "auth") == 0) {
        const char *why = view->site_why[0] != '\0' ? view->site_why : view->why;

        (void)snprintf(v->message, sizeof(v->message), "the provider refuses the API key: %s", why);
        return stop(v, EXIT_CODE_AUTH, "set the right key; then the same command goes on");
    }
    if (view->site_state != SITE_DOWN || down_ms <= f->give_up_ms)
        return false;
    (void)snprintf(v->message, sizeof(v->message), "no use of the provider for %s: %s",
                   units_format_duration(down_ms, spent), view->site_why);
    return stop(v, EXIT_CODE_PROVIDER, NULL);
}

/* What is enough, with a cent more than is needed: "14.81CNY". */
static const char *cap_text(const struct job_view *view, int64_t spent_before,
                            char out[MONEY_TEXT_MAX])
{
    const int64_t cent = MONEY_UNIT / 100;
    int64_t total = spent_before;

    money_add(&total, view->spent_nano);
    money_add(&total, view->need_nano);
    (void)snprintf(out, MONEY_TEXT_MAX, "%" PRId64 ".%02" PRId64 "%s", (total / cent + 1) / 100,
                   (total / cent + 1) % 100, view->currency);
    return out;
}

/* What raising the cap would buy. */
static void advise_cap(const struct run_facts *f, struct run_verdict *v)
{
    const struct job_view *view = f->view;
    uint64_t left = view->requests - view->invalid - view->ok - view->bad;
    char cap[MONEY_TEXT_MAX];
    char cost[MONEY_TEXT_MAX];

    if (view->need_nano < 0 || view->currency[0] == '\0' || view->state == JOB_OPEN)
        return;
    money_format(view->currency, view->left_nano, cost);
    (void)snprintf(v->advice, sizeof(v->advice),
                   "%" PRIu64 " requests are left, for about %s: %s with --max-cost %s goes on to "
                   "the end",
                   left, cost, f->gives_cap ? "the same command" : "the `sheaf run` of this job",
                   cap_text(view, f->spent_before, cap));
}

/* Of all rounds together, which share one cap. */
static void put_cap(const struct run_facts *f, struct run_verdict *v)
{
    const struct job_view *view = f->view;
    int64_t spent = f->spent_before;
    int64_t cap = spent;
    char text[2][MONEY_TEXT_MAX];

    money_add(&spent, view->spent_nano);
    money_add(&cap, view->max_cost_nano < 0 ? 0 : view->max_cost_nano);
    (void)snprintf(v->message, sizeof(v->message),
                   "the spend cap is reached: %s of %s is spent, and the next requests may cost "
                   "more than is left",
                   money_format(view->currency, spent, text[0]),
                   money_format(view->currency, cap, text[1]));
}

static bool judge_hold(const struct run_facts *f, struct run_verdict *v)
{
    const struct job_view *view = f->view;

    if (strcmp(view->hold, "input_changed") == 0) {
        (void)snprintf(v->message, sizeof(v->message),
                       "the input is not what the job was made of%s%s",
                       view->why[0] != '\0' ? ": " : "", view->why);
        return stop(v, EXIT_CODE_CONFLICT, "put the input back, or give another --job and -o");
    }
    if (strcmp(view->hold, "budget") != 0 || !f->is_opened)
        return false;
    put_cap(f, v);
    advise_cap(f, v);
    return stop(v, EXIT_CODE_BUDGET,
                f->gives_cap ? "the same command with a higher --max-cost goes on"
                             : "the `sheaf run` of this job with a higher --max-cost goes on");
}

/* Nothing has moved for too long, and why is known. */
static bool judge_trouble(const struct run_facts *f, struct run_verdict *v)
{
    static const char put_back[] = "put it back; then the same command goes on";
    static const char settle[] = "when that is settled, the same command goes on";
    static const char own_key[] = "use its key; or --account, when the key is a new one of it";
    static const struct {
        const char *kind;
        enum exit_code code;
        const char *what, *hint;
    } kinds[] = {
        {TROUBLE_QUOTA,   EXIT_CODE_PROVIDER,    "the provider takes no more",      NULL    },
        {TROUBLE_INPUT,   EXIT_CODE_INPUT,       "the input cannot be read",        put_back},
        {TROUBLE_DISK,    EXIT_CODE_UNAVAILABLE, "the disk cannot be used",         NULL    },
        {TROUBLE_FILES,   EXIT_CODE_PROVIDER,    "a result file cannot be fetched", NULL    },
        {TROUBLE_LANE,    EXIT_CODE_PROVIDER,    "the provider refuses some of it", settle  },
        {TROUBLE_ACCOUNT, EXIT_CODE_CONFLICT,    "batches of another account wait", own_key },
    };
    const struct job_view *view = f->view;
    int64_t lasts_ms = view->now_ms - view->trouble_since_ms;
    char spent[UNITS_TEXT_MAX];

    if (view->trouble[0] == '\0' || lasts_ms <= f->give_up_ms)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].kind, view->trouble) != 0)
            continue;
        (void)snprintf(v->message, sizeof(v->message), "%s for %s: %s", kinds[i].what,
                       units_format_duration(lasts_ms, spent), view->trouble_why);
        return stop(v, kinds[i].code, kinds[i].hint);
    }
    return false;
}

static void judge_end(struct run_state *state, const struct run_facts *f, struct run_verdict *v)
{
    if (state->final_ms == 0)
        state->final_ms = f->now_ms;
    if (f->producer != RUN_PRODUCER_DONE)
        return; /* it may yet find that the input is another one */
    if (f->view->batches_view_count == 0 || f->now_ms - state->final_ms >= RUN_TIDY_MS)
        v->step = RUN_FINISHED;
}

/* Redis was rolled back to a time before this run gave its cap: it gives it again. */
static bool judge_old_cap(struct run_state *state, const struct run_facts *f, struct run_verdict *v)
{
    if (f->producer != RUN_PRODUCER_DONE || f->is_opened || strcmp(f->view->hold, "budget") != 0) {
        state->held_ms = 0;
        return false;
    }
    if (state->held_ms == 0)
        state->held_ms = f->now_ms;
    if (f->now_ms - state->held_ms < RUN_OPEN_MS)
        return false;
    state->held_ms = 0;
    v->step = RUN_CUT_AGAIN;
    return true;
}

/* Redis was rolled back to a time when the input was not cut to its end. */
static void judge_rollback(struct run_state *state, const struct run_facts *f,
                           struct run_verdict *v)
{
    if (f->producer != RUN_PRODUCER_DONE || f->view->state != JOB_OPEN) {
        state->open_ms = 0;
        return;
    }
    if (state->open_ms == 0)
        state->open_ms = f->now_ms;
    if (f->now_ms - state->open_ms < RUN_OPEN_MS)
        return;
    state->open_ms = 0;
    v->step = RUN_CUT_AGAIN;
}

void run_state_look(struct run_state *state, const struct run_facts *f, struct run_verdict *v)
{
    *v = (struct run_verdict){.step = RUN_GO_ON};
    if (judge_failure(f, v) || judge_redis(f, v))
        return;
    if (f->sight == RUN_SIGHT_NO_JOB && f->producer == RUN_PRODUCER_DONE)
        v->step = RUN_CUT_AGAIN;
    if (f->sight != RUN_SIGHT_JOB)
        return;
    if (f->view->state == JOB_FINAL) {
        judge_end(state, f, v);
        return;
    }
    state->final_ms = 0;
    if (!judge_provider(f, v) && !judge_hold(f, v) && !judge_trouble(f, v) &&
        !judge_old_cap(state, f, v))
        judge_rollback(state, f, v);
}
