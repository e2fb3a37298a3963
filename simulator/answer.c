#include "simulator/answer.h"

#include "simulator/body.h"
#include "simulator/dialect.h"
#include "simulator/text.h"

uint64_t answer_body_hash(const struct answer_request *rq)
{
    uint64_t h = 0;

    for (int i = 0; i < 8; i++)
        h = h << 8 | rq->sha[i];
    return h;
}

static bool is_zhipu(const struct answer_style *style)
{
    return style->dialect->results.line == DIALECT_LINE_ZHIPU;
}

static void put_slice(struct buf *out, struct slice s)
{
    text_bytes(out, s.p, s.n);
}

/* The line's start, up to and with its custom_id; with Zhipu that comes last. */
static void put_head(struct buf *out, const struct answer_style *style,
                     const struct answer_request *rq, struct slice custom_id)
{
    text_put(out, "{");
    if (is_zhipu(style))
        return;
    if (style->dialect->results.line == DIALECT_LINE_OPENAI) {
        body_put_id(out, "\"id\":\"batch_req_", body_hash(style, rq, BODY_ID_LINE));
        text_put(out, "\",");
    }
    text_put(out, "\"custom_id\":");
    put_slice(out, custom_id);
    text_put(out, ",");
}

/* Zhipu: "custom_id" and "id" come last, and the id is the batch's. */
static void put_tail(struct buf *out, const struct answer_style *style, struct slice custom_id)
{
    if (is_zhipu(style)) {
        text_put(out, ",\"custom_id\":");
        put_slice(out, custom_id);
        text_put(out, ",\"id\":\"");
        text_put(out, style->batch_id);
        text_put(out, "\"");
    }
    text_put(out, "}\n");
}

static void put_request_id(struct buf *out, const struct answer_style *style,
                           const struct answer_request *rq, const char *member)
{
    body_put_id(out, member, body_hash(style, rq, BODY_ID_REQUEST));
    text_put(out, "\"");
}

static void put_status(struct buf *out, unsigned status)
{
    text_put(out, "\"status_code\":");
    text_u64(out, status);
}

/* Everything before the answer's body. */
static void open_line(struct buf *out, const struct answer_style *style,
                      const struct answer_request *rq, struct slice custom_id, unsigned status)
{
    put_head(out, style, rq, custom_id);
    text_put(out, "\"response\":{");
    if (style->dialect->results.line != DIALECT_LINE_AZURE) {
        put_status(out, status);
        if (!is_zhipu(style))
            put_request_id(out, style, rq, ",\"request_id\":\"req_");
        text_put(out, ",");
    }
    text_put(out, "\"body\":");
}

/* Everything after it. */
static void close_line(struct buf *out, const struct answer_style *style,
                       const struct answer_request *rq, struct slice custom_id, unsigned status)
{
    if (style->dialect->results.line == DIALECT_LINE_AZURE) {
        put_request_id(out, style, rq, ",\"request_id\":\"");
        text_put(out, ",");
        put_status(out, status);
    }
    text_put(out, is_zhipu(style) ? "}" : "},\"error\":null");
    put_tail(out, style, custom_id);
}

static struct answer_usage put_success(struct buf *out, const struct answer_style *style,
                                       const struct answer_request *rq, struct slice custom_id)
{
    open_line(out, style, rq, custom_id, 200);
    struct answer_usage usage = body_write(out, style, rq);
    if (is_zhipu(style)) {
        out->len--; /* the body's closing brace: the request id goes inside */
        put_request_id(out, style, rq, ",\"request_id\":\"");
        text_put(out, "}");
    }
    close_line(out, style, rq, custom_id, 200);
    return usage;
}

struct answer_usage answer_success(struct buf *out, const struct answer_style *style,
                                   const struct answer_request *rq)
{
    return put_success(out, style, rq, rq->line->custom_id);
}

void answer_alien(struct buf *out, const struct answer_style *style,
                  const struct answer_request *rq)
{
    struct buf name = TEXT_INIT;

    body_put_id(&name, "\"alien-", body_hash(style, rq, BODY_ID_ALIEN));
    text_put(&name, "\"");
    (void)put_success(out, style, rq, (struct slice){name.data, name.len});
    buf_release(&name);
}

/* Zhipu's own code for an HTTP status. */
static const char *zhipu_code(unsigned status, const char *code)
{
    if (strcmp(code, "content_filter") == 0)
        return "1301";
    if (status >= 500)
        return "500";
    return status == 429 ? "1302" : "1210";
}

/* A line with an error instead of a response. @http 0: there was no answer. */
static void put_error(struct buf *out, const struct answer_style *style,
                      const struct answer_request *rq, const char *code, const char *message,
                      unsigned http)
{
    bool bare = style->dialect->results.failure == DIALECT_FAILURE_BARE;

    put_head(out, style, rq, rq->line->custom_id);
    text_f(out, "%s\"error\":{\"code\":\"%s\",\"message\":\"", bare ? "" : "\"response\":null,",
           code);
    if (http != 0)
        text_f(out, "HTTP %u: ", http);
    text_f(out, "%s\"}", message);
    put_tail(out, style, rq->line->custom_id);
}

void answer_failure(struct buf *out, const struct answer_style *style,
                    const struct answer_request *rq, unsigned status, const char *code,
                    const char *message)
{
    if (style->dialect->results.failure != DIALECT_FAILURE_RESPONSE) {
        put_error(out, style, rq, code, message, status);
        return;
    }
    open_line(out, style, rq, rq->line->custom_id, status);
    if (is_zhipu(style))
        text_f(out, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", zhipu_code(status, code),
               message);
    else
        text_f(out,
               "{\"error\":{\"message\":\"%s\",\"type\":\"%s\",\"param\":null,\"code\":\"%s\"}}",
               message, status >= 500 ? "server_error" : "invalid_request_error", code);
    close_line(out, style, rq, rq->line->custom_id, status);
}

void answer_unexecuted(struct buf *out, const struct answer_style *style,
                       const struct answer_request *rq, const char *code, const char *message)
{
    put_error(out, style, rq, code, message, 0);
}

void answer_nothing(struct buf *out, const struct answer_style *style,
                    const struct answer_request *rq)
{
    put_head(out, style, rq, rq->line->custom_id);
    text_put(out, "\"response\":{\"status_code\":0,\"request_id\":\"\",\"body\":{}}");
    text_put(out, is_zhipu(style) ? "" : ",\"error\":null");
    put_tail(out, style, rq->line->custom_id);
}
