#include "simulator/plan.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "simulator/edit.h"
#include "simulator/faults.h"
#include "simulator/limits.h"
#include "simulator/quantity.h"
#include "simulator/request.h"
#include "simulator/sim.h"
#include "simulator/text.h"

#define NO_QUOTA "You exceeded your current quota, please check your plan and billing details."
#define TROUBLE  "The server had an error while processing your request. Sorry about that!"
#define CONFLICT "The request conflicts with the current state of the resource."
#define OVERLOAD "The engine is currently overloaded, please try again later."

#define TOO_OFTEN "您当前使用该API的频率过高，请降低频率"
#define DAY_OVER  "该API已达今日调用次数限额"
#define ALL_USED  "已达到使用上限，您的限额将在 2026-12-31 23:59:59 重置"
#define NO_CREDIT "Insufficient credits. Please add credits to continue."
#define BILLING   "Billing hard limit has been reached."

/*
 * What an error says when the fault does not: the row with its code, else the
 * first one with its status. What the codes of digits mean is from Zhipu's list
 * of error codes (docs.bigmodel.cn); the words are ours.
 */
static const struct known {
    unsigned status;
    const char *code, *zhipu_code;
    const char *message;
} known[] = {
    {400, NULL,                         "1210", "Invalid request."                           },
    {400, "billing_hard_limit_reached", "1113", BILLING                                      },
    {401, "invalid_api_key",            "1000", "Incorrect API key provided."                },
    {402, NULL,                         "1113", NO_CREDIT                                    },
    {403, NULL,                         "1220", "You do not have access to this resource."   },
    {404, NULL,                         "1214", "The requested resource could not be found." },
    {408, NULL,                         "1200", "The request timed out."                     },
    {409, NULL,                         "1214", CONFLICT                                     },
    {413, NULL,                         "1214", "The request body is too large."             },
    {417, NULL,                         "1214", "Expectation failed."                        },
    {429, "rate_limit_exceeded",        "1302", "Rate limit reached. Please try again in 1s."},
    {429, "insufficient_quota",         "1113", NO_QUOTA                                     },
    {429, "1303",                       "1303", TOO_OFTEN                                    },
    {429, "1304",                       "1304", DAY_OVER                                     },
    {429, "1308",                       "1308", ALL_USED                                     },
    {500, NULL,                         "500",  TROUBLE                                      },
    {503, NULL,                         "1305", OVERLOAD                                     },
};

static const struct known *known_by_code(const char *code)
{
    for (size_t i = 0; code != NULL && i < ARRAY_LEN(known); i++) {
        if ((known[i].code != NULL && strcmp(known[i].code, code) == 0) ||
            strcmp(known[i].zhipu_code, code) == 0)
            return &known[i];
    }
    return NULL;
}

static const struct known *known_by_status(unsigned status)
{
    const struct known *server = &known[0];

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i].status == status)
            return &known[i];
        if (known[i].status == 500)
            server = &known[i];
    }
    return status >= 500 ? server : &known[0];
}

/* What @fault says, completed. Texts are borrowed from it. */
static struct problem problem_of(const struct fault *fault, const char **message)
{
    const char *code = fault_text(fault, KEY_CODE);
    const char *text = fault_text(fault, KEY_MESSAGE);
    unsigned status = (unsigned)fault->number;
    const struct known *by_code = known_by_code(code);
    const struct known *row = by_code != NULL ? by_code : known_by_status(status);
    const char *zhipu_code = code == NULL || by_code != NULL ? row->zhipu_code : code;

    *message = text != NULL ? text : row->message;
    return problem(status, NULL, code != NULL ? code : row->code, zhipu_code);
}

static void answer_html(struct reply *r, unsigned status, const char *title)
{
    text_f(reply_json(r, status),
           "<html>\r\n<head><title>%u %s</title></head>\r\n<body>\r\n"
           "<center><h1>%u %s</h1></center>\r\n</body>\r\n</html>\r\n",
           status, title, status, title);
    r->type = "text/html";
}

/* A member at the end of a JSON object of ours; other bodies stay as they are. */
static void put_body_wait(struct buf *body, const char *seconds)
{
    static const char end[] = "}\n";
    size_t n = sizeof(end) - 1;

    if (seconds == NULL || body->len < n || strcmp(body->data + body->len - n, end) != 0)
        return;
    body->len -= n;
    text_f(body, ",\"retry_after_seconds\":%s}\n", seconds);
}

static void fill_body(struct request *rq, const struct fault *fault)
{
    struct reply *r = &rq->reply;
    const char *kind = fault_text(fault, KEY_BODY);
    const char *message;
    struct problem p = problem_of(fault, &message);

    kind = kind != NULL ? kind : "json";
    if (strcmp(kind, "html") == 0) {
        answer_html(r, p.status, p.status == 502 ? "Bad Gateway" : "Error");
    } else if (strcmp(kind, "text") == 0) {
        text_f(reply_json(r, p.status), "%s\n", message);
        r->type = "text/plain";
    } else if (strcmp(kind, "empty") == 0) {
        (void)reply_json(r, p.status);
    } else if (strcmp(kind, "flat") == 0) {
        text_put(reply_json(r, p.status), "{\"code\":");
        text_string(&r->body, p.zhipu_code != NULL ? p.zhipu_code : "500");
        text_put(&r->body, ",\"message\":");
        text_string(&r->body, message);
        text_put(&r->body, "}\n");
    } else if (strcmp(kind, "half") == 0 && fault->at == STAGE_AFTER) {
        r->status = p.status;
        r->body.len /= 2;
    } else {
        request_problem(rq, p, "%s", message);
        if (strcmp(kind, "half") == 0)
            r->body.len /= 2;
    }
}

/* Retry-After: the text as it is; "date+5s" and "date-5s" are an HTTP date. */
static void put_retry_after(struct reply *r, const char *text)
{
    static const char date[] = "date";
    size_t n = sizeof(date) - 1;
    int64_t by = 0;
    struct tm tm;
    char out[64];

    if (strncmp(text, date, n) != 0 || (text[n] != '+' && text[n] != '-') ||
        !quantity_duration(text + n + 1, &by)) {
        reply_header(r, "Retry-After", "%s", text);
        return;
    }
    time_t at = (time_t)((clock_unix_ms() + (text[n] == '-' ? -by : by)) / 1000);
    if (gmtime_r(&at, &tm) != NULL && strftime(out, sizeof(out), "%a, %d %b %Y %H:%M:%S GMT", &tm))
        reply_header(r, "Retry-After", "%s", out);
}

static void put_headers(struct request *rq, const struct fault *fault)
{
    struct reply *r = &rq->reply;
    const char *after = fault_text(fault, KEY_RETRY_AFTER);
    const char *after_ms = fault_text(fault, KEY_RETRY_AFTER_MS);
    const char *should = fault_text(fault, KEY_SHOULD_RETRY);

    if (after != NULL)
        put_retry_after(r, after);
    if (after_ms != NULL)
        reply_header(r, "retry-after-ms", "%s", after_ms);
    if (should != NULL)
        reply_header(r, "x-should-retry", "%s", should);
    if (r->status >= 300 && r->status < 400)
        reply_header(r, "Location", "%s/moved", rq->sim->content_url);
}

static void answer_status(struct request *rq, const struct fault *fault)
{
    bool half = fault->at == STAGE_AFTER && fault_text(fault, KEY_BODY) != NULL &&
                strcmp(fault_text(fault, KEY_BODY), "half") == 0;

    if (!half)
        reply_clear(&rq->reply);
    fill_body(rq, fault);
    put_body_wait(&rq->reply.body, fault_text(fault, KEY_RETRY_AFTER_SECONDS));
    put_headers(rq, fault);
}

static enum reply_end end_of(const struct fault *fault)
{
    switch ((enum fault_drop)fault->choice) {
    case DROP_CLOSE: return REPLY_CLOSE;
    case DROP_RESET: return REPLY_RESET;
    case DROP_SILENT: return REPLY_SILENT;
    case DROP_HALF: return REPLY_HALF;
    }
    return REPLY_WHOLE;
}

static void put_spent(struct reply *r, uint64_t ms)
{
    reply_header(r, "x-ratelimit-remaining-requests", "0");
    reply_header_duration(r, "x-ratelimit-reset-requests", ms);
    reply_header(r, "x-ratelimit-remaining-tokens", "0");
    reply_header_duration(r, "x-ratelimit-reset-tokens", ms);
}

/* What one fault does to the request; false when it replaces the answer. */
static bool apply(struct request *rq, const struct fault *fault)
{
    switch ((unsigned)fault->id) {
    case FAULT_STATUS: answer_status(rq, fault); return false;
    case FAULT_DROP:
        if (rq->reply.status == 0)
            request_problem(rq, problem(500, NULL, NULL, "500"), "Sorry about that!");
        rq->reply.end = end_of(fault);
        return false;
    case FAULT_DELAY: rq->until_ms = clock_mono_ms() + (int64_t)fault->number; return true;
    case FAULT_SET:
        edit_member(&rq->reply.body, fault_arg(fault), fault_text(fault, KEY_TO));
        return true;
    case FAULT_OMIT: edit_member(&rq->reply.body, fault_arg(fault), NULL); return true;
    case FAULT_RATE_HEADERS: put_spent(&rq->reply, fault->number); return true;
    default: return true;
    }
}

/* Let all faults of this stage do their work; false when one has replaced the answer. */
static bool meet(struct request *rq, enum fault_stage at)
{
    struct fault struck[FAULTS_ROUTED_MAX];
    struct fault_occasion occasion = {rq->api, at, rq->reused};

    sim_lock(rq->sim);
    size_t n = faults_meet(&rq->sim->faults, &occasion, struck);
    sim_unlock(rq->sim);
    for (size_t i = 0; i < n; i++) {
        if (!apply(rq, &struck[i]))
            return false;
    }
    return true;
}

bool plan_head(struct request *rq)
{
    return meet(rq, STAGE_HEAD);
}

bool plan_before(struct request *rq)
{
    return meet(rq, STAGE_BEFORE);
}

void plan_after(struct request *rq)
{
    bool accepted = rq->reply.status >= 200 && rq->reply.status < 300;

    if (!accepted || meet(rq, STAGE_AFTER) || rq->api != ROUTE_CREATES)
        return;
    sim_lock(rq->sim);
    rq->sim->creates_lost++;
    sim_unlock(rq->sim);
}

void plan_answer(struct request *rq)
{
    limits_put_headers(rq);
    (void)meet(rq, STAGE_ANSWER);
}
