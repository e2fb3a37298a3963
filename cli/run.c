#include "cli/run.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/account.h"
#include "cli/cmdline.h"
#include "cli/core/json_put.h"
#include "cli/core/warn_at.h"
#include "cli/display.h"
#include "cli/log_tail.h"
#include "cli/person.h"
#include "cli/private_redis.h"
#include "cli/session.h"
#include "cli/supervisor.h"
#include "cli/trail.h"
#include "cli/watcher.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/loop/loop.h"
#include "common/model/money.h"
#include "common/protocol/protocol.h"
#include "common/redis/redis_conn.h"
#include "common/sink/generation.h"
#include "common/sink/sink.h"

#define TEXT_MAX    4096
#define LOOK_TTY_MS 200
#define LOOK_MS     500
#define TICK_MS     250
#define PRODUCER    "sheaf-producer"
#define UNPACK_STEP 100 /* batches: Redis serves nobody else meanwhile */

enum stage {
    STAGE_REDIS,  /* nothing is known yet */
    STAGE_CLEAR,  /* what earlier runs left is being taken back */
    STAGE_AT_WORK /* the programs run */
};

struct run {
    const struct run_job *job;
    struct run_result *result;
    struct supervisor *supervisor;
    struct watcher *watcher;
    struct loop_timer *timer;
    struct loop_signals *signals;
    enum stage stage;
    unsigned clearing;     /* calls under way */
    struct job_spec known; /* where the sink has the job: name, folder; ji "" when it is new */
    struct account account;
    uint64_t opens;     /* of the job, before its producer was started */
    int64_t created_ms; /* when the record was made then: a lost one is made anew */
    struct warn_at own_warn_at;
    struct warn_at *warn_at;
    uint32_t generation; /* of the newest resubmission in the sink */
    bool only_cut;       /* the job has ended: nothing but the input is to be looked at */
    bool over;
    enum run_producer producer;
    struct run_state state;
    struct log_tail log;
    bool starting_failed;
    struct err err;
};

/* Said in another way, or of this process alone. Quiet is the terminal, not the log. */
static const char *const our_own[] = {"redis",  "state-dir", "sink",     "payload",
                                      "job",    "wait",      "quiet",    "config",
                                      "output", "progress",  "max-cost", NULL};

static void end(struct run *run)
{
    run->over = true;
    (void)event_base_loopbreak(session_base(run->job->session));
}

static void add_common(const struct run *run, struct cmdline *w, unsigned groups)
{
    const struct options *o = &run->job->call->options;

    if (o->config != NULL)
        cmdline_add(w, "--config=%s", o->config);
    cmdline_add_options(w, o, groups, our_own);
}

static bool start_producer(struct run *run)
{
    const struct run_job *job = run->job;
    const char *max_cost = job->max_cost != NULL ? job->max_cost : job->call->options.max_cost;
    struct cmdline w = {0};

    if (job->input == NULL) {
        run->producer = RUN_PRODUCER_DONE;
        return true;
    }
    cmdline_add_program(&w, PRODUCER);
    cmdline_add(&w, "%s", job->input);
    cmdline_add(&w, "--job=%s", job->name);
    cmdline_add(&w, "--sink=%s", job->sink);
    cmdline_add(&w, "--payload=%s",
                job->call->options.payload == PAYLOAD_INLINE ? "inline" : "ref");
    if (max_cost != NULL)
        cmdline_add(&w, "--max-cost=%s", max_cost);
    add_common(run, &w, OPT_PRODUCER | OPT_COMMON);
    bool ok = supervisor_start(run->supervisor, PRODUCER, w.items, &run->err);
    cmdline_release(&w);
    return ok;
}

static bool start_daemons(struct run *run, const char *program, int64_t count)
{
    struct cmdline w = {0};
    char name[64];
    bool ok = true;

    cmdline_add_program(&w, program);
    add_common(run, &w, OPT_DAEMON | OPT_COMMON);
    for (int64_t i = 1; ok && i <= count; i++) {
        (void)snprintf(name, sizeof(name), "%s-%d", program, (int)i);
        ok = supervisor_start(run->supervisor, name, w.items, &run->err);
    }
    cmdline_release(&w);
    return ok;
}

static void start_programs(struct run *run)
{
    const struct options *o = &run->job->call->options;
    bool ok = start_producer(run);

    run->stage = STAGE_AT_WORK;
    if (ok && !run->only_cut)
        ok = start_daemons(run, "sheaf-coordinator", o->coordinators) &&
             start_daemons(run, "sheaf-worker", o->workers);
    if (ok)
        return;
    run->starting_failed = true;
    end(run);
}

static void on_cleared(enum protocol_answer answer, const struct err *err, void *arg)
{
    struct run *run = arg;

    if (answer == PROTOCOL_FAILED)
        log_warn("ev=not_cleared reason=%s", log_text(err->msg));
    if (--run->clearing == 0)
        start_programs(run);
}

static void on_site_cleared(enum protocol_answer answer, int64_t since_ms, const struct err *err,
                            void *arg)
{
    (void)since_ms;
    on_cleared(answer, err, arg);
}

static void unpack(struct run *run);

static void on_unpacked(enum protocol_answer answer, const struct err *err, void *arg)
{
    struct run *run = arg;

    if (answer == PROTOCOL_MORE)
        unpack(run);
    else
        on_cleared(answer, err, run);
}

/* What could not be uploaded, by a wrong key perhaps, is not bound to that key's account. */
static void unpack(struct run *run)
{
    (void)protocol_job_unpack(session_protocol(run->job->session), run->job->name, run->account.id,
                              UNPACK_STEP, on_unpacked, run);
}

/*
 * What an earlier run was told of the key, the provider and the input need not be so any more.
 * Whoever sees it again says so again.
 */
static void clear_the_past(struct run *run)
{
    struct protocol *protocol = session_protocol(run->job->session);
    const char *job = run->job->name;

    run->stage = STAGE_CLEAR;
    run->clearing = 5;
    unpack(run);
    (void)protocol_site_note(protocol, run->job->site, SITE_OK, "", on_site_cleared, run);
    (void)protocol_job_resume(protocol, job, "auth", on_cleared, run);
    (void)protocol_job_resume(protocol, job, "input_changed", on_cleared, run);
    (void)protocol_job_note(protocol, job, NULL, NULL, on_cleared, run);
}

/* Nobody here would ever work on a job that belongs to another provider or address. */
static bool check_site(struct run *run, const struct job_view *view)
{
    struct finish f;

    if (view == NULL || strcmp(view->site, run->job->site) == 0)
        return true;
    if (!finish_from_view(&f, view, &run->err))
        return false;
    return err_set(&run->err, ERR_CONFLICT,
                   "job \"%s\" was started with --provider %s --base-url %s; go on with these, or "
                   "give another --job and -o",
                   view->job, f.spec.provider, f.spec.base_url);
}

/* What the sink knows of the job: nothing of one that is new. */
static bool look_at_sink(struct run *run)
{
    const struct run_job *job = run->job;
    struct job_spec *spec = &run->known;
    struct err err = {0};

    if (!sink_find(job->sink, job->name, spec->ji, &err)) {
        run->err = err;
        return err.kind == ERR_NO_JOB;
    }
    (void)snprintf(spec->job, sizeof(spec->job), "%s", job->name);
    (void)snprintf(spec->sink, sizeof(spec->sink), "%s", job->sink);
    struct sink *sink = sink_open(spec->sink, spec->job, spec->ji, false, &run->err);
    bool ok = sink != NULL && generations_find_newest(sink, &run->generation, &run->err);
    sink_close(sink);
    return ok;
}

/* A job that is new is noted by its producer, which makes its folder. */
static bool note(struct run *run)
{
    return run->job->what == NULL || run->known.ji[0] == '\0' ||
           trail_note(&run->known, "run", run->job->what, &run->err);
}

/* A resubmission that is in the sink, but not in Redis yet, is told by the producer. */
static bool has_all_generations(const struct run *run, const struct job_view *view)
{
    return view->generation >= run->generation;
}

/* What may be done here: false with the reason in run->err. Sets only_cut. */
static bool may_begin(struct run *run, const struct job_view *view)
{
    struct err err = {0};

    if (!look_at_sink(run))
        return false;
    bool final = view != NULL && view->state == JOB_FINAL && has_all_generations(run, view);
    if (!final && !check_site(run, view))
        return false;
    run->only_cut = final && view->batches_view_count == 0;
    if (run->only_cut)
        return true;
    if (!account_find(&run->job->call->options, &run->account, &err)) {
        run->only_cut = final; /* remote files stay, but the results are there */
        run->err = err;
        return final;
    }
    return (view == NULL || account_check(&run->account, view, &run->err)) && (final || note(run));
}

/* Redis has answered for the first time. @view is NULL when it does not know the job. */
static void begin(struct run *run, const struct job_view *view)
{
    run->opens = view != NULL ? view->opens : 0;
    run->created_ms = view != NULL ? view->created_ms : 0;
    run->starting_failed = !may_begin(run, view);
    if (run->starting_failed)
        end(run);
    else if (run->only_cut)
        start_programs(run);
    else
        clear_the_past(run);
}

static void finished(struct run *run, const struct job_view *view)
{
    struct run_verdict *v = &run->result->verdict;
    struct err err = {0};

    if (!finish_from_view(&run->result->finish, view, &err)) {
        *v = (struct run_verdict){.step = RUN_STOP, .code = EXIT_CODE_UNEXPECTED};
        (void)snprintf(v->message, sizeof(v->message), "%s", err.msg);
    }
    end(run);
}

static void cut_again(struct run *run)
{
    log_warn("ev=cut_again job=%s", log_text(run->job->name));
    if (run->job->input == NULL) {
        run->starting_failed =
            !err_set(&run->err, ERR_UNAVAILABLE,
                     "Redis has lost the job, and its input is not at hand: give INPUT");
        end(run);
        return;
    }
    run->producer = RUN_PRODUCER_WORKS;
    supervisor_again(run->supervisor, PRODUCER);
}

/* The cap, if there is one, is what this run gave. */
static bool is_opened(const struct run *run, const struct job_view *view)
{
    return run->job->input == NULL ||
           (view != NULL && (view->opens > run->opens || view->created_ms != run->created_ms));
}

static void judge(struct run *run, enum run_sight sight, const struct job_view *view,
                  const char *why)
{
    struct redis_conn *conn = session_conn(run->job->session);
    int64_t now_ms = clock_mono_ms();
    int64_t down_since_ms = redis_conn_down_since_ms(conn);
    struct run_facts facts = {
        .now_ms = now_ms,
        .redis_down_ms = down_since_ms < 0 ? 0 : now_ms - down_since_ms,
        .redis_why = redis_conn_last_error(conn)->msg,
        .redis_refuses = redis_conn_last_error(conn)->kind == ERR_PERMANENT,
        .sight = sight,
        .sight_why = why,
        .view = view,
        .producer = run->producer,
        .is_opened = is_opened(run, view),
        .gives_cap = strcmp(run->job->call->verb->name, "run") == 0,
        .spent_before = run->job->spent_before,
        .failure = supervisor_failure(run->supervisor),
        .give_up_ms = run->job->call->options.give_up_ms,
    };

    if (run->over)
        return;
    run_state_look(&run->state, &facts, &run->result->verdict);
    switch (run->result->verdict.step) {
    case RUN_GO_ON: break;
    case RUN_CUT_AGAIN: cut_again(run); break;
    case RUN_FINISHED: finished(run, view); break;
    case RUN_STOP: end(run); break;
    }
}

static void tell_program(const struct run *run, const struct job_view *view, unsigned percent,
                         int64_t spent, int64_t cap)
{
    struct buf text = BUF_INIT(TEXT_MAX);

    json_put_raw(&text, "{\"message_type\":\"warning\",\"schema\":1,\"job\":");
    json_put_text(&text, run->job->name);
    json_put_raw(&text, ",\"currency\":");
    json_put_text(&text, view->currency);
    json_put_raw_fmt(&text,
                     ",\"spent_percent\":%u,\"spent_nano\":%" PRId64 ",\"cap_nano\":%" PRId64 "}\n",
                     percent, spent, cap);
    (void)fputs(text.data, run->job->call->people);
    (void)fflush(run->job->call->people);
    buf_release(&text);
}

/* A share of the cap is spent that the user wants to hear of: of all rounds together. */
static void warn_of_spending(struct run *run, const struct job_view *view)
{
    int64_t spent = run->job->spent_before;
    int64_t cap = spent;
    char text[2][MONEY_TEXT_MAX];

    if (view->max_cost_nano < 0 || !is_opened(run, view))
        return;
    money_add(&spent, view->spent_nano);
    money_add(&cap, view->max_cost_nano);
    unsigned percent = warn_at_due(run->warn_at, spent, cap);
    if (percent == 0)
        return;
    display_hide(run->job->display);
    if (run->job->call->options.progress == PROGRESS_JSON) {
        tell_program(run, view, percent, spent, cap);
        return;
    }
    person_tell(run->job->call, "job %s has spent %s of %s: %u %% of its cap", run->job->name,
                money_format(view->currency, spent, text[0]),
                money_format(view->currency, cap, text[1]), percent);
}

static void on_look(enum watcher_sight sight, const struct job_view *view, const struct err *err,
                    void *arg)
{
    struct run *run = arg;

    if (sight == WATCHER_JOB) {
        warn_of_spending(run, view);
        display_show(run->job->display, view, run->stage == STAGE_AT_WORK ? NULL : "starting");
    }
    if (run->stage == STAGE_REDIS && (sight == WATCHER_JOB || sight == WATCHER_NO_JOB))
        begin(run, view);
    else if (sight == WATCHER_BROKEN)
        judge(run, RUN_SIGHT_BROKEN, NULL, err->msg);
    else if (sight == WATCHER_JOB && !has_all_generations(run, view))
        return;
    else if (run->stage == STAGE_AT_WORK && sight != WATCHER_SILENT)
        judge(run, sight == WATCHER_JOB ? RUN_SIGHT_JOB : RUN_SIGHT_NO_JOB, view, "");
}

static void on_tick(void *arg)
{
    struct run *run = arg;
    const struct run_job *job = run->job;

    loop_timer_set(run->timer, TICK_MS);
    if (job->call->options.verbose) {
        display_hide(job->display);
        log_tail_copy(&run->log, job->call->people);
    }
    if (!redis_conn_is_up(session_conn(job->session)))
        display_state(job->display,
                      run->stage == STAGE_REDIS ? "starting" : "waiting: no answer from Redis");
    judge(run, RUN_SIGHT_NONE, NULL, "");
}

static bool on_exit_of(const char *name, int status, void *arg)
{
    struct run *run = arg;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);

    if (strcmp(name, PRODUCER) == 0 && code == 0) {
        run->producer = RUN_PRODUCER_DONE;
        return false;
    }
    return strcmp(name, PRIVATE_REDIS_NAME) == 0 || !run_state_is_refusal(code);
}

static void on_signal(int signo, void *arg)
{
    struct run *run = arg;

    run->result->signal = signo;
    end(run);
}

bool run_job(const struct run_job *job, struct run_result *result, struct err *err)
{
    struct event_base *base = session_base(job->session);
    bool is_tty = display_form(job->display) == PROGRESS_TTY;
    const char *warn_at = job->call->options.warn_at;
    struct run run = {.job = job, .result = result, .supervisor = session_supervisor(job->session)};

    *result = (struct run_result){0};
    run.warn_at = job->warn_at != NULL ? job->warn_at : &run.own_warn_at;
    if (job->warn_at == NULL && warn_at != NULL && !warn_at_parse(warn_at, run.warn_at, err))
        return false;
    log_tail_init(&run.log, session_log_fd(job->session));
    supervisor_on_exit(run.supervisor, on_exit_of, &run);
    run.signals = loop_signals_new(base, on_signal, &run);
    run.timer = loop_timer_new(base, on_tick, &run);
    loop_timer_set(run.timer, 0);
    run.watcher = watcher_new(base, session_protocol(job->session), job->name,
                              is_tty ? LOOK_TTY_MS : LOOK_MS, on_look, &run);
    while (!run.over)
        (void)event_base_dispatch(base);
    watcher_free(run.watcher);
    loop_timer_free(run.timer);
    loop_signals_free(run.signals);
    supervisor_on_exit(run.supervisor, NULL, NULL);
    display_hide(job->display);
    if (job->call->options.verbose)
        log_tail_copy(&run.log, job->call->people);
    if (run.starting_failed && err != NULL)
        *err = run.err;
    return !run.starting_failed;
}
