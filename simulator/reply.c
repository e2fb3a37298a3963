#include "simulator/reply.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/xmem.h"
#include "simulator/dialect.h"
#include "simulator/text.h"

void reply_init(struct reply *r)
{
    *r = (struct reply){.body = TEXT_INIT, .fd = -1, .cut = UINT64_MAX};
}

void reply_release(struct reply *r)
{
    buf_release(&r->body);
    for (size_t i = 0; i < r->header_count; i++)
        free(r->headers[i].value);
    r->header_count = 0;
    if (r->fd >= 0)
        (void)close(r->fd);
    r->fd = -1;
}

void reply_clear(struct reply *r)
{
    reply_release(r);
    reply_init(r);
}

struct buf *reply_json(struct reply *r, unsigned status)
{
    r->status = status;
    r->type = "application/json";
    buf_clear(&r->body);
    return &r->body;
}

void reply_header(struct reply *r, const char *name, const char *fmt, ...)
{
    char value[256];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(value, sizeof(value), fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < r->header_count; i++) {
        if (strcmp(r->headers[i].name, name) == 0) {
            free(r->headers[i].value);
            r->headers[i].value = xstrdup(value);
            return;
        }
    }
    if (r->header_count < REPLY_HEADERS_MAX)
        r->headers[r->header_count++] = (struct reply_header){name, xstrdup(value)};
}

void reply_header_duration(struct reply *r, const char *name, uint64_t ms)
{
    if (ms >= 60000)
        reply_header(r, name, "%" PRIu64 "m%" PRIu64 "s", ms / 60000, ms % 60000 / 1000);
    else if (ms >= 1000)
        reply_header(r, name, "%" PRIu64 "s", ms / 1000);
    else
        reply_header(r, name, "%" PRIu64 "ms", ms);
}

static const char *openai_type(const struct problem *p)
{
    if (p->status >= 500)
        return "server_error";
    if (p->code != NULL && strcmp(p->code, "insufficient_quota") == 0)
        return "insufficient_quota";
    return p->status == 429 ? "requests" : "invalid_request_error";
}

static void put_openai(struct buf *out, const struct problem *p, const char *message)
{
    text_put(out, "{\"error\":{\"message\":");
    text_string(out, message);
    text_f(out, ",\"type\":\"%s\",\"param\":", openai_type(p));
    text_string_or_null(out, p->param);
    text_put(out, ",\"code\":");
    text_string_or_null(out, p->code);
    text_put(out, "}}\n");
}

static void put_zhipu(struct buf *out, const struct problem *p, bool soft, const char *message)
{
    const char *code = p->zhipu_code;

    if (code == NULL)
        code = p->status >= 500 ? "500" : "1210";
    text_f(out, "%s\"code\":\"%s\",\"message\":", soft ? "{" : "{\"error\":{", code);
    text_string(out, message);
    text_put(out, soft ? "}\n" : "}}\n");
}

/* Doubleword: text, but JSON when there is no capacity, with two waits that differ. */
static void put_plain(struct reply *r, const struct problem *p, const char *message)
{
    if (p->status != 429) {
        r->type = "text/plain; charset=utf-8";
        text_put(&r->body, message);
        return;
    }
    text_put(&r->body, "{\"error\":\"too_many_requests\",\"message\":");
    text_string(&r->body, message);
    text_put(&r->body, ",\"retry_after_seconds\":30}");
    r->retry_after_s = 60;
}

void reply_problem(struct reply *r, const struct dialect *dialect, struct problem p,
                   const char *fmt, ...)
{
    char message[1024];
    struct buf *out = reply_json(r, p.status);
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    switch (dialect->problem) {
    case DIALECT_PROBLEM_OPENAI: put_openai(out, &p, message); return;
    case DIALECT_PROBLEM_ZHIPU: put_zhipu(out, &p, r->soft, message); return;
    case DIALECT_PROBLEM_PLAIN: put_plain(r, &p, message); return;
    }
}
