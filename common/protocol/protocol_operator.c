/* The calls of an operator: holds, cancel, purge, and what a person wants to see. */

#include "common/protocol/protocol_internal.h"
#include "common/protocol/protocol_reply.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"

/* A call of up to three texts; NULL is the empty one. */
static struct protocol_call *call_texts(struct protocol *p, enum protocol_script script,
                                        const char *const *texts, size_t count, protocol_fn done,
                                        void *arg)
{
    struct words w = {0};

    for (size_t i = 0; i < count; i++)
        words_text(&w, texts[i]);
    return protocol_start(p, script, &w, false, deliver_plain,
                          (union protocol_callback){.plain = done}, arg);
}

struct protocol_call *protocol_job_hold(struct protocol *p, const char *job, const char *reason,
                                        const char *why, protocol_fn done, void *arg)
{
    const char *texts[] = {job, reason, why};

    return call_texts(p, SCRIPT_JOB_HOLD, texts, ARRAY_LEN(texts), done, arg);
}

struct protocol_call *protocol_job_resume(struct protocol *p, const char *job, const char *reason,
                                          protocol_fn done, void *arg)
{
    const char *texts[] = {job, reason};

    return call_texts(p, SCRIPT_JOB_RESUME, texts, ARRAY_LEN(texts), done, arg);
}

struct protocol_call *protocol_job_note(struct protocol *p, const char *job, const char *kind,
                                        const char *why, protocol_fn done, void *arg)
{
    const char *texts[] = {job, kind, why, ""};

    return call_texts(p, SCRIPT_JOB_NOTE, texts, ARRAY_LEN(texts), done, arg);
}

struct protocol_call *protocol_job_note_failed(struct protocol *p, const char *job,
                                               const char *kind, const char *why, protocol_fn done,
                                               void *arg)
{
    const char *texts[] = {job, kind, why, "1"};

    return call_texts(p, SCRIPT_JOB_NOTE, texts, ARRAY_LEN(texts), done, arg);
}

struct protocol_call *protocol_job_cancel(struct protocol *p, const char *job, uint32_t generation,
                                          uint32_t max, protocol_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, job);
    words_unsigned(&w, max);
    words_unsigned(&w, generation);
    return protocol_start(p, SCRIPT_JOB_CANCEL, &w, false, deliver_plain,
                          (union protocol_callback){.plain = done}, arg);
}

struct protocol_call *protocol_generation(struct protocol *p, const char *job, uint32_t generation,
                                          const struct part_generation *parts, size_t count,
                                          protocol_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, job);
    words_unsigned(&w, generation);
    for (size_t i = 0; i < count; i++) {
        words_unsigned(&w, parts[i].part);
        words_unsigned(&w, parts[i].generation);
    }
    return protocol_start(p, SCRIPT_GENERATION, &w, false, deliver_plain,
                          (union protocol_callback){.plain = done}, arg);
}

struct protocol_call *protocol_job_unpack(struct protocol *p, const char *job, const char *account,
                                          uint32_t max, protocol_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, job);
    words_text(&w, account);
    words_unsigned(&w, max);
    return protocol_start(p, SCRIPT_JOB_UNPACK, &w, false, deliver_plain,
                          (union protocol_callback){.plain = done}, arg);
}

struct protocol_call *protocol_job_purge(struct protocol *p, const char *job, protocol_fn done,
                                         void *arg)
{
    return call_texts(p, SCRIPT_JOB_PURGE, &job, 1, done, arg);
}

/* As the site's record spells them; "ok" is never stored. */
static const char *site_state_word(enum site_state state)
{
    switch (state) {
    case SITE_OK: return "ok";
    case SITE_DOWN: return "down";
    case SITE_AUTH: return "auth";
    }
    return "ok";
}

static void deliver_site(const struct protocol_result *r)
{
    r->done.site(r->answer, redis_reply_int(r->reply, 1, 0), r->err, r->arg);
}

struct protocol_call *protocol_site_note(struct protocol *p, const char *site,
                                         enum site_state state, const char *why,
                                         protocol_site_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, site);
    words_text(&w, site_state_word(state));
    words_text(&w, why);
    return protocol_start(p, SCRIPT_SITE_NOTE, &w, false, deliver_site,
                          (union protocol_callback){.site = done}, arg);
}

static void parse_site(const struct redis_reply *fields, struct job_view *view)
{
    const char *state = redis_reply_text(redis_reply_field(fields, "state"));

    view->site_state = SITE_OK;
    if (strcmp(state, site_state_word(SITE_DOWN)) == 0)
        view->site_state = SITE_DOWN;
    else if (strcmp(state, site_state_word(SITE_AUTH)) == 0)
        view->site_state = SITE_AUTH;
    view->site_why = redis_reply_text(redis_reply_field(fields, "why"));
    view->site_since_ms = redis_reply_number(redis_reply_field(fields, "since"), 0);
}

/* The lists of a view, made here and freed when it was delivered. */
struct view_lists {
    struct batch_view *batches;
    struct lane_view *lanes;
    struct account_view *accounts;
};

static void read_lists(const struct redis_reply *reply, struct job_view *view,
                       struct view_lists *lists)
{
    const struct redis_reply *batches = redis_reply_at(reply, 4);
    const struct redis_reply *lanes = redis_reply_at(reply, 5);
    const struct redis_reply *accounts = redis_reply_at(reply, 6);

    view->batches_view_count = redis_reply_count(batches);
    view->lane_count = redis_reply_count(lanes);
    view->account_count = redis_reply_count(accounts) / 2;
    lists->batches = xcalloc(view->batches_view_count + 1, sizeof(*lists->batches));
    lists->lanes = xcalloc(view->lane_count + 1, sizeof(*lists->lanes));
    lists->accounts = xcalloc(view->account_count + 1, sizeof(*lists->accounts));
    for (size_t i = 0; i < view->batches_view_count; i++)
        reply_batch_view(redis_reply_at(batches, i), &lists->batches[i]);
    for (size_t i = 0; i < view->lane_count; i++)
        reply_lane_view(redis_reply_at(lanes, i), &lists->lanes[i]);
    for (size_t i = 0; i < view->account_count; i++)
        reply_account_view(accounts, 2 * i, &lists->accounts[i]);
    view->batches_view = lists->batches;
    view->lanes = lists->lanes;
    view->accounts = lists->accounts;
}

static void deliver_view(const struct protocol_result *r)
{
    struct view_lists lists = {0};
    struct job_view view = {0};

    if (r->answer != PROTOCOL_OK) {
        r->done.view(r->answer, NULL, r->err, r->arg);
        return;
    }
    reply_job(redis_reply_at(r->reply, 2), redis_reply_int(r->reply, 1, 0), &view);
    view.parked_ms = redis_reply_int(r->reply, 7, 0);
    reply_job_money(redis_reply_at(r->reply, 8), &view);
    parse_site(redis_reply_at(r->reply, 3), &view);
    read_lists(r->reply, &view, &lists);
    r->done.view(r->answer, &view, NULL, r->arg);
    free(lists.batches);
    free(lists.lanes);
    free(lists.accounts);
}

struct protocol_call *protocol_job_view(struct protocol *p, const char *job, protocol_view_fn done,
                                        void *arg)
{
    struct words w = {0};

    words_text(&w, job);
    return protocol_start(p, SCRIPT_JOB_VIEW, &w, false, deliver_view,
                          (union protocol_callback){.view = done}, arg);
}

static void deliver_list(const struct protocol_result *r)
{
    struct job_row *rows = NULL;
    size_t count = 0;

    if (r->answer == PROTOCOL_OK) {
        count = redis_reply_count(r->reply) - 2;
        rows = xcalloc(count + 1, sizeof(*rows));
        for (size_t i = 0; i < count; i++)
            reply_job_row(redis_reply_at(r->reply, i + 2), &rows[i]);
    }
    r->done.list(r->answer, rows, count, redis_reply_int(r->reply, 1, 0), r->err, r->arg);
    free(rows);
}

struct protocol_call *protocol_job_list(struct protocol *p, protocol_list_fn done, void *arg)
{
    struct words w = {0};

    return protocol_start(p, SCRIPT_JOB_LIST, &w, false, deliver_list,
                          (union protocol_callback){.list = done}, arg);
}
