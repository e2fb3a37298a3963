#include "simulator/limits.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/clock.h"
#include "simulator/options.h"
#include "simulator/request.h"
#include "simulator/sim.h"
#include "simulator/text.h"
#include "simulator/validate.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   INT64_C(3600000)

/* What the headers say where no limit was declared. */
#define NOMINAL_REQUESTS 10000
#define NOMINAL_TOKENS   2000000

static const struct {
    enum fault_route route;
    int64_t span_ms;
    const char *name; /* in the ledger */
    const char *what; /* in a refusal */
    const char *per;
} rates_known[RATE_COUNT] = {
    [RATE_UPLOADS] = {ROUTE_UPLOADS, MINUTE_MS, "uploads_per_min",  "uploads of files", "minute"},
    [RATE_CREATES] = {ROUTE_CREATES, HOUR_MS,   "creates_per_hour", "batches",          "hour"  },
    [RATE_POLLS] = {ROUTE_POLLS,   MINUTE_MS, "polls_per_min",    "requests",         "minute"},
};

void limits_init(struct rate rates[RATE_COUNT], const struct options *opt)
{
    const uint64_t limits[RATE_COUNT] = {opt->uploads_per_min, opt->creates_per_hour,
                                         opt->polls_per_min};

    for (size_t i = 0; i < RATE_COUNT; i++) {
        rates[i].limit = limits[i];
        rates[i].asked.span_ms = rates[i].taken.span_ms = rates_known[i].span_ms;
    }
}

void limits_release(struct rate rates[RATE_COUNT])
{
    for (size_t i = 0; i < RATE_COUNT; i++) {
        window_release(&rates[i].asked);
        window_release(&rates[i].taken);
    }
}

static bool rate_of(const struct request *rq, size_t *out)
{
    for (size_t i = 0; i < RATE_COUNT; i++) {
        if (rates_known[i].route == rq->api) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* How long the request has to wait; 0: it passes, and is counted. Needs the lock. */
static int64_t take(struct rate *rate)
{
    int64_t now = clock_mono_ms();
    int64_t wait = rate->limit != 0 ? window_wait_ms(&rate->taken, rate->limit, now) : 0;

    window_add(&rate->asked, now);
    if (wait > 0)
        rate->refused++;
    else
        window_add(&rate->taken, now);
    return wait;
}

bool limits_pass(struct request *rq)
{
    size_t id;

    if (!rate_of(rq, &id))
        return true;
    sim_lock(rq->sim);
    struct rate *rate = &rq->sim->rates[id];
    int64_t wait = take(rate);
    uint64_t limit = rate->limit;
    sim_unlock(rq->sim);
    if (wait <= 0)
        return true;
    int64_t seconds = (wait + 999) / 1000;
    request_problem(rq, problem(429, NULL, "rate_limit_exceeded", "1302"),
                    "Rate limit reached for %s: limit %" PRIu64 " per %s. Please try again in "
                    "%" PRId64 "s.",
                    rates_known[id].what, limit, rates_known[id].per, seconds);
    rq->reply.retry_after_s = (unsigned)seconds;
    return false;
}

/* Prompt tokens and requests that live batches of the model hold. */
static void queued(const struct sim *sim, const char *model, uint64_t *tokens, uint64_t *requests)
{
    *tokens = *requests = 0;
    for (size_t i = 0; i < sim->batches.count; i++) {
        const struct sim_batch *b = sim->batches.list[i];

        if (batch_status_is_final(b->status) || b->model == NULL ||
            (model != NULL && strcmp(b->model, model) != 0))
            continue;
        *tokens += (uint64_t)b->tokens;
        *requests += (uint64_t)b->total;
    }
}

void limits_put_headers(struct request *rq)
{
    const struct options *opt = rq->sim->opt;
    struct reply *r = &rq->reply;
    uint64_t tokens_max = opt->enqueued_tokens != 0 ? opt->enqueued_tokens : NOMINAL_TOKENS;
    uint64_t limit = NOMINAL_REQUESTS;
    uint64_t left = NOMINAL_REQUESTS - 1;
    uint64_t tokens;
    uint64_t requests;
    int64_t reset = 6;
    size_t id;

    if (!opt->rate_headers)
        return;
    sim_lock(rq->sim);
    if (rate_of(rq, &id) && rq->sim->rates[id].limit != 0) {
        struct window *taken = &rq->sim->rates[id].taken;
        int64_t now = clock_mono_ms();

        limit = rq->sim->rates[id].limit;
        left = limit - window_count(taken, now);
        reset = left < limit ? window_wait_ms(taken, 1, now) : 0;
    }
    queued(rq->sim, NULL, &tokens, &requests);
    sim_unlock(rq->sim);
    reply_header(r, "x-ratelimit-limit-requests", "%" PRIu64, limit);
    reply_header(r, "x-ratelimit-remaining-requests", "%" PRIu64, left);
    reply_header_duration(r, "x-ratelimit-reset-requests", (uint64_t)reset);
    reply_header(r, "x-ratelimit-limit-tokens", "%" PRIu64, tokens_max);
    reply_header(r, "x-ratelimit-remaining-tokens", "%" PRIu64,
                 tokens < tokens_max ? tokens_max - tokens : 0);
    reply_header_duration(r, "x-ratelimit-reset-tokens", tokens != 0 ? (uint64_t)MINUTE_MS : 0);
}

bool limits_store(struct request *rq, uint64_t bytes)
{
    struct sim *sim = rq->sim;
    uint64_t files = 0;
    uint64_t stored = 0;

    if (sim->opt->max_files == 0 && sim->opt->max_storage == 0)
        return true;
    for (size_t i = 0; i < sim->files.count; i++) {
        files += strcmp(sim->files.list[i]->purpose, "batch") == 0;
        stored += (uint64_t)sim->files.list[i]->bytes;
    }
    if (sim->opt->max_files != 0 && files >= sim->opt->max_files) {
        sim->stores_refused++;
        request_problem(rq, problem(400, NULL, "file_count_exceeded", "1214"),
                        "The number of files has reached its limit of %" PRIu64
                        ". Delete files that are not needed any more.",
                        sim->opt->max_files);
        return false;
    }
    if (sim->opt->max_storage != 0 && stored + bytes > sim->opt->max_storage) {
        sim->stores_refused++;
        request_problem(rq, problem(400, NULL, "storage_limit_exceeded", "1214"),
                        "The storage limit of %" PRIu64 " bytes would be exceeded by this file.",
                        sim->opt->max_storage);
        return false;
    }
    return true;
}

bool limits_live(struct request *rq)
{
    struct sim *sim = rq->sim;

    if (sim->opt->max_live == 0 || batches_live(&sim->batches) < sim->opt->max_live)
        return true;
    sim->lives_refused++;
    request_problem(rq, problem(429, NULL, "rate_limit_exceeded", "1302"),
                    "Too many live batches. The limit is %" PRIu64 ".", sim->opt->max_live);
    return false;
}

bool limits_queue(const struct sim *sim, const struct verdict *v, struct buf *message)
{
    const struct options *opt = sim->opt;
    uint64_t tokens;
    uint64_t requests;
    const char *model = v->model.data != NULL ? v->model.data : "";

    if (opt->enqueued_tokens == 0 && opt->enqueued_requests == 0)
        return true;
    queued(sim, model, &tokens, &requests);
    bool fits_tokens = opt->enqueued_tokens == 0 || tokens + v->tokens <= opt->enqueued_tokens;
    bool fits = opt->enqueued_requests == 0 || requests + v->total <= opt->enqueued_requests;
    if (fits_tokens && fits)
        return true;
    text_f(message,
           "Enqueued %s limit reached for %s in organization org-simulator. Limit: %" PRIu64
           " enqueued %ss. Please try again once some in_progress batches have been completed.",
           fits_tokens ? "request" : "token", model,
           fits_tokens ? opt->enqueued_requests : opt->enqueued_tokens,
           fits_tokens ? "request" : "token");
    return false;
}

void limits_write(const struct rate rates[RATE_COUNT], struct buf *out)
{
    for (size_t i = 0; i < RATE_COUNT; i++)
        text_f(out, ",\"peak_%s\":%" PRIu64 ",\"refused_%s\":%" PRIu64, rates_known[i].name,
               rates[i].asked.peak, rates_known[i].name, rates[i].refused);
}
