#include "simulator/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "simulator/text.h"

void reply_init(struct reply *r)
{
    *r = (struct reply){.body = TEXT_INIT, .fd = -1, .cut = UINT64_MAX};
}

void reply_release(struct reply *r)
{
    buf_release(&r->body);
    if (r->fd >= 0)
        (void)close(r->fd);
    r->fd = -1;
}

struct buf *reply_json(struct reply *r, unsigned status)
{
    r->status = status;
    r->type = "application/json";
    buf_clear(&r->body);
    return &r->body;
}

static const char *openai_type(const struct problem *p)
{
    if (p->status >= 500)
        return "server_error";
    if (p->code != NULL && strcmp(p->code, "insufficient_quota") == 0)
        return "insufficient_quota";
    return p->status == 429 ? "requests" : "invalid_request_error";
}

void reply_problem(struct reply *r, enum profile profile, struct problem p, const char *fmt, ...)
{
    char message[1024];
    struct buf *out = reply_json(r, p.status);
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    if (profile == PROFILE_ZHIPU) {
        const char *code = p.zhipu_code;

        if (code == NULL)
            code = p.status >= 500 ? "500" : "1210";
        text_f(out, "{\"error\":{\"code\":\"%s\",\"message\":", code);
        text_string(out, message);
        text_put(out, "}}\n");
        return;
    }
    text_put(out, "{\"error\":{\"message\":");
    text_string(out, message);
    text_f(out, ",\"type\":\"%s\",\"param\":", openai_type(&p));
    text_string_or_null(out, p.param);
    text_put(out, ",\"code\":");
    text_string_or_null(out, p.code);
    text_put(out, "}}\n");
}
