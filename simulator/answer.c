#include "simulator/answer.h"

#include <string.h>

#include "simulator/text.h"
#include "simulator/validate.h"

#define CREATED "1700000000"

/* Different ids of one answer come from one hash and a number each. */
enum id_use { ID_LINE = 1, ID_REQUEST, ID_ANSWER, ID_MESSAGE, ID_ALIEN, ID_VECTOR };

uint64_t answer_body_hash(const struct answer_request *rq)
{
    uint64_t h = 0;

    for (int i = 0; i < 8; i++)
        h = h << 8 | rq->sha[i];
    return h;
}

static uint64_t id_hash(const struct answer_style *style, const struct answer_request *rq,
                        enum id_use use)
{
    return hash_mix(hash_mix(answer_body_hash(rq), style->seed), use);
}

static void put_id(struct buf *out, const char *prefix, uint64_t hash)
{
    unsigned char bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(hash >> (56 - 8 * i));
    text_put(out, prefix);
    text_hex(out, bytes, sizeof(bytes));
}

static void put_slice(struct buf *out, struct slice s)
{
    text_bytes(out, s.p, s.n);
}

static void put_model(struct buf *out, const struct line *line)
{
    text_put(out, ",\"model\":");
    if (slice_is_string(line->model))
        put_slice(out, line->model);
    else
        text_put(out, "null");
}

/* The answer's text as a JSON value; returns its tokens. */
static uint64_t put_content(struct buf *out, const struct answer_request *rq)
{
    const struct line *line = rq->line;

    if (line->sim_raw_content.p != NULL) {
        put_slice(out, line->sim_raw_content);
        return validate_tokens(line->sim_raw_content.n);
    }
    if (slice_is_string(line->sim_answer)) {
        put_slice(out, line->sim_answer);
        return validate_tokens(line->sim_answer.n - 2);
    }
    text_put(out, "\"sim:");
    text_hex(out, rq->sha, DIGEST_BYTES);
    text_put(out, "\"");
    return validate_tokens(4 + 2 * DIGEST_BYTES);
}

static void put_usage(struct buf *out, const char *in_name, const char *out_name,
                      struct answer_usage usage)
{
    text_put(out, ",\"usage\":{\"");
    text_put(out, in_name);
    text_put(out, "\":");
    text_u64(out, usage.input_tokens);
    if (out_name != NULL) {
        text_put(out, ",\"");
        text_put(out, out_name);
        text_put(out, "\":");
        text_u64(out, usage.output_tokens);
    }
    text_put(out, ",\"total_tokens\":");
    text_u64(out, usage.input_tokens + usage.output_tokens);
    text_put(out, "}");
}

static struct answer_usage put_chat(struct buf *out, const struct answer_style *style,
                                    const struct answer_request *rq)
{
    struct answer_usage usage = {validate_tokens(rq->line->body.n), 0};

    put_id(out, "{\"id\":\"chatcmpl-", id_hash(style, rq, ID_ANSWER));
    text_put(out, "\",\"object\":\"chat.completion\",\"created\":" CREATED);
    put_model(out, rq->line);
    text_put(out, ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
    usage.output_tokens = put_content(out, rq);
    text_put(out, "},\"finish_reason\":\"stop\"}]");
    put_usage(out, "prompt_tokens", "completion_tokens", usage);
    text_put(out, ",\"system_fingerprint\":null}");
    return usage;
}

static struct answer_usage put_completion(struct buf *out, const struct answer_style *style,
                                          const struct answer_request *rq)
{
    struct answer_usage usage = {validate_tokens(rq->line->body.n), 0};

    put_id(out, "{\"id\":\"cmpl-", id_hash(style, rq, ID_ANSWER));
    text_put(out, "\",\"object\":\"text_completion\",\"created\":" CREATED);
    put_model(out, rq->line);
    text_put(out, ",\"choices\":[{\"index\":0,\"text\":");
    usage.output_tokens = put_content(out, rq);
    text_put(out, ",\"logprobs\":null,\"finish_reason\":\"stop\"}]");
    put_usage(out, "prompt_tokens", "completion_tokens", usage);
    text_put(out, "}");
    return usage;
}

static struct answer_usage put_response(struct buf *out, const struct answer_style *style,
                                        const struct answer_request *rq)
{
    struct answer_usage usage = {validate_tokens(rq->line->body.n), 0};

    put_id(out, "{\"id\":\"resp_", id_hash(style, rq, ID_ANSWER));
    text_put(out, "\",\"object\":\"response\",\"created_at\":" CREATED
                  ",\"status\":\"completed\",\"error\":null");
    put_model(out, rq->line);
    put_id(out, ",\"output\":[{\"type\":\"message\",\"id\":\"msg_", id_hash(style, rq, ID_MESSAGE));
    text_put(out, "\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":["
                  "{\"type\":\"output_text\",\"annotations\":[],\"text\":");
    usage.output_tokens = put_content(out, rq);
    text_put(out, "}]}]");
    put_usage(out, "input_tokens", "output_tokens", usage);
    text_put(out, "}");
    return usage;
}

/* Eight numbers between -0.5 and 0.5 with six digits, from the hash and the input's index. */
static void put_vector(struct buf *out, uint64_t hash)
{
    for (unsigned i = 0; i < 8; i++) {
        uint64_t h = hash_mix(hash, i);

        text_f(out, "%s%s0.%06u", i == 0 ? "" : ",", (h & 1) != 0 ? "-" : "",
               (unsigned)((h >> 1) % 500000));
    }
}

static struct answer_usage put_embeddings(struct buf *out, const struct answer_style *style,
                                          const struct answer_request *rq)
{
    struct answer_usage usage = {validate_tokens(rq->line->body.n), 0};
    size_t inputs = slice_count_inputs(rq->line->input);

    text_put(out, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < inputs; i++) {
        text_f(out, "%s{\"object\":\"embedding\",\"index\":%zu,\"embedding\":[", i == 0 ? "" : ",",
               i);
        put_vector(out, hash_mix(id_hash(style, rq, ID_VECTOR), i));
        text_put(out, "]}");
    }
    text_put(out, "]");
    put_model(out, rq->line);
    put_usage(out, "prompt_tokens", NULL, usage);
    text_put(out, "}");
    return usage;
}

static struct answer_usage put_moderation(struct buf *out, const struct answer_style *style,
                                          const struct answer_request *rq)
{
    put_id(out, "{\"id\":\"modr-", id_hash(style, rq, ID_ANSWER));
    text_put(out, "\"");
    put_model(out, rq->line);
    text_put(out, ",\"results\":[{\"flagged\":false,\"categories\":{},\"category_scores\":{}}]}");
    return (struct answer_usage){validate_tokens(rq->line->body.n), 0};
}

static struct answer_usage put_body(struct buf *out, const struct answer_style *style,
                                    const struct answer_request *rq)
{
    static const struct {
        const char *end;
        struct answer_usage (*put)(struct buf *out, const struct answer_style *style,
                                   const struct answer_request *rq);
    } kinds[] = {
        {"/chat/completions", put_chat      },
        {"/completions",      put_completion},
        {"/responses",        put_response  },
        {"/embeddings",       put_embeddings},
        {"/moderations",      put_moderation}
    };
    size_t len = strlen(style->endpoint);

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t n = strlen(kinds[i].end);

        if (len >= n && strcmp(style->endpoint + len - n, kinds[i].end) == 0)
            return kinds[i].put(out, style, rq);
    }
    return put_chat(out, style, rq);
}

/* Everything before the answer's body. */
static void open_line(struct buf *out, const struct answer_style *style,
                      const struct answer_request *rq, struct slice custom_id, unsigned status)
{
    if (style->profile == PROFILE_ZHIPU) {
        text_put(out, "{\"response\":{\"status_code\":");
        text_u64(out, status);
        text_put(out, ",\"body\":");
        return;
    }
    put_id(out, "{\"id\":\"batch_req_", id_hash(style, rq, ID_LINE));
    text_put(out, "\",\"custom_id\":");
    put_slice(out, custom_id);
    text_put(out, ",\"response\":{\"status_code\":");
    text_u64(out, status);
    put_id(out, ",\"request_id\":\"req_", id_hash(style, rq, ID_REQUEST));
    text_put(out, "\",\"body\":");
}

/* Zhipu: "custom_id" and "id" come last, and the id is the batch's. */
static void put_zhipu_tail(struct buf *out, const struct answer_style *style,
                           struct slice custom_id)
{
    text_put(out, ",\"custom_id\":");
    put_slice(out, custom_id);
    text_put(out, ",\"id\":\"");
    text_put(out, style->batch_id);
    text_put(out, "\"}\n");
}

static void close_line(struct buf *out, const struct answer_style *style, struct slice custom_id)
{
    text_put(out, "}");
    if (style->profile == PROFILE_ZHIPU)
        put_zhipu_tail(out, style, custom_id);
    else
        text_put(out, ",\"error\":null}\n");
}

/* Zhipu gives the request id inside the body. */
static void put_zhipu_request_id(struct buf *out, const struct answer_style *style,
                                 const struct answer_request *rq)
{
    out->len--; /* the body's closing brace */
    put_id(out, ",\"request_id\":\"", id_hash(style, rq, ID_REQUEST));
    text_put(out, "\"}");
}

static struct answer_usage put_success(struct buf *out, const struct answer_style *style,
                                       const struct answer_request *rq, struct slice custom_id)
{
    open_line(out, style, rq, custom_id, 200);
    struct answer_usage usage = put_body(out, style, rq);
    if (style->profile == PROFILE_ZHIPU)
        put_zhipu_request_id(out, style, rq);
    close_line(out, style, custom_id);
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

    put_id(&name, "\"alien-", id_hash(style, rq, ID_ALIEN));
    text_put(&name, "\"");
    (void)put_success(out, style, rq, (struct slice){name.data, name.len});
    buf_release(&name);
}

void answer_failure(struct buf *out, const struct answer_style *style,
                    const struct answer_request *rq, unsigned status, const char *code,
                    const char *message)
{
    open_line(out, style, rq, rq->line->custom_id, status);
    text_f(out, "{\"error\":{\"message\":\"%s\",\"type\":\"%s\",\"param\":null,\"code\":\"%s\"}}",
           message, status >= 500 ? "server_error" : "invalid_request_error", code);
    close_line(out, style, rq->line->custom_id);
}

void answer_unexecuted(struct buf *out, const struct answer_style *style,
                       const struct answer_request *rq, const char *code, const char *message)
{
    if (style->profile == PROFILE_ZHIPU) {
        text_f(out, "{\"response\":null,\"error\":{\"code\":\"%s\",\"message\":\"%s\"}", code,
               message);
        put_zhipu_tail(out, style, rq->line->custom_id);
        return;
    }
    put_id(out, "{\"id\":\"batch_req_", id_hash(style, rq, ID_LINE));
    text_put(out, "\",\"custom_id\":");
    put_slice(out, rq->line->custom_id);
    text_f(out, ",\"response\":null,\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}\n", code,
           message);
}
