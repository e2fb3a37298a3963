#include "simulator/body.h"

#include <string.h>

#include "simulator/dialect.h"
#include "simulator/script.h"
#include "simulator/text.h"
#include "simulator/validate.h"

#define CREATED "1700000000"

uint64_t body_hash(const struct answer_style *style, const struct answer_request *rq,
                   enum body_id use)
{
    return hash_mix(hash_mix(answer_body_hash(rq), style->seed), use);
}

void body_put_id(struct buf *out, const char *prefix, uint64_t hash)
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

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The answer's text as a JSON value, before anything is done to it. */
static void put_plain_content(struct buf *out, const struct answer_style *style,
                              const struct answer_request *rq)
{
    const struct line *line = rq->line;
    struct buf text = TEXT_INIT;

    if (slice_is_string(line->sim_answer)) {
        put_slice(out, line->sim_answer);
    } else if (ends_with(style->endpoint, "/ds-test")) {
        text_put(out, "\"This is a test result.\"");
    } else if (style->script != NULL &&
               script_answer(style->script, hash_mix(style->seed, answer_body_hash(rq)),
                             line->body.p, line->body.n, &text)) {
        text_string(out, text.data != NULL ? text.data : "");
    } else {
        text_put(out, "\"sim:");
        text_hex(out, rq->sha, DIGEST_BYTES);
        text_put(out, "\"");
    }
    buf_release(&text);
}

/* The answer's text as a JSON value; returns its tokens. */
static uint64_t put_content(struct buf *out, const struct answer_style *style,
                            const struct answer_request *rq)
{
    size_t from = out->len;
    struct buf text = TEXT_INIT;

    if (rq->line->sim_raw_content.p != NULL) {
        put_slice(out, rq->line->sim_raw_content);
        return validate_tokens(rq->line->sim_raw_content.n);
    }
    put_plain_content(out, style, rq);
    if (rq->garble != GARBLE_NONE) {
        slice_decode((struct slice){out->data + from, out->len - from}, &text);
        garble_text(&text, rq->garble);
        out->len = from;
        text_string(out, text.data);
        buf_release(&text);
    }
    return validate_tokens(out->len - from - 2);
}

static const char *finish_reason(const struct answer_request *rq)
{
    return rq->garble == GARBLE_CUT_OFF ? "length" : "stop";
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

static struct answer_usage put_openai_chat(struct buf *out, const struct answer_style *style,
                                           const struct answer_request *rq)
{
    struct answer_usage usage = {validate_tokens(rq->line->body.n), 0};

    body_put_id(out, "{\"id\":\"chatcmpl-", body_hash(style, rq, BODY_ID_ANSWER));
    text_put(out, "\",\"object\":\"chat.completion\",\"created\":" CREATED);
    put_model(out, rq->line);
    text_put(out, ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
    usage.output_tokens = put_content(out, style, rq);
    text_f(out, ",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"%s\"}]",
           finish_reason(rq));
    put_usage(out, "prompt_tokens", "completion_tokens", usage);
    text_put(out, ",\"system_fingerprint\":\"fp_simulator\"}");
    return usage;
}

/*
 * As in the samples of Zhipu's and Alibaba's Batch guides: the usage first;
 * Zhipu without "object", its request id in the body; DashScope without a role.
 */
static struct answer_usage put_usage_first_chat(struct buf *out, const struct answer_style *style,
                                                const struct answer_request *rq)
{
    bool zhipu = style->dialect->results.line == DIALECT_LINE_ZHIPU;
    struct answer_usage usage = {validate_tokens(rq->line->body.n), 0};
    struct buf content = TEXT_INIT;

    usage.output_tokens = put_content(&content, style, rq);
    text_put(out, "{\"created\":" CREATED);
    put_usage(out, "prompt_tokens", "completion_tokens", usage);
    put_model(out, rq->line);
    if (zhipu)
        text_f(out, ",\"id\":\"%llu\"", (unsigned long long)body_hash(style, rq, BODY_ID_ANSWER));
    else
        body_put_id(out, ",\"id\":\"chatcmpl-", body_hash(style, rq, BODY_ID_ANSWER));
    text_put(out, zhipu ? "" : "\"");
    text_f(out, ",\"choices\":[{\"finish_reason\":\"%s\",\"index\":0,\"message\":{",
           finish_reason(rq));
    text_put(out, style->dialect->results.no_role ? "" : "\"role\":\"assistant\",");
    text_put(out, "\"content\":");
    text_bytes(out, content.data, content.len);
    text_put(out, "}}]");
    text_put(out, zhipu ? "}" : ",\"object\":\"chat.completion\"}");
    buf_release(&content);
    return usage;
}

static struct answer_usage put_chat(struct buf *out, const struct answer_style *style,
                                    const struct answer_request *rq)
{
    if (style->dialect->results.usage_first)
        return put_usage_first_chat(out, style, rq);
    return put_openai_chat(out, style, rq);
}

static struct answer_usage put_completion(struct buf *out, const struct answer_style *style,
                                          const struct answer_request *rq)
{
    struct answer_usage usage = {validate_tokens(rq->line->body.n), 0};

    body_put_id(out, "{\"id\":\"cmpl-", body_hash(style, rq, BODY_ID_ANSWER));
    text_put(out, "\",\"object\":\"text_completion\",\"created\":" CREATED);
    put_model(out, rq->line);
    text_put(out, ",\"choices\":[{\"index\":0,\"text\":");
    usage.output_tokens = put_content(out, style, rq);
    text_put(out, ",\"logprobs\":null,\"finish_reason\":\"stop\"}]");
    put_usage(out, "prompt_tokens", "completion_tokens", usage);
    text_put(out, "}");
    return usage;
}

static void put_response_usage(struct buf *out, struct answer_usage usage)
{
    text_put(out, ",\"usage\":{\"input_tokens\":");
    text_u64(out, usage.input_tokens);
    text_put(out, ",\"input_tokens_details\":{\"cached_tokens\":0},\"output_tokens\":");
    text_u64(out, usage.output_tokens);
    text_put(out, ",\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":");
    text_u64(out, usage.input_tokens + usage.output_tokens);
    text_put(out, "}");
}

static struct answer_usage put_response(struct buf *out, const struct answer_style *style,
                                        const struct answer_request *rq)
{
    struct answer_usage usage = {validate_tokens(rq->line->body.n), 0};

    body_put_id(out, "{\"id\":\"resp_", body_hash(style, rq, BODY_ID_ANSWER));
    text_put(out, "\",\"object\":\"response\",\"created_at\":" CREATED
                  ",\"status\":\"completed\",\"error\":null,\"incomplete_details\":null"
                  ",\"instructions\":null,\"metadata\":{}");
    put_model(out, rq->line);
    body_put_id(out, ",\"output\":[{\"type\":\"message\",\"id\":\"msg_",
                body_hash(style, rq, BODY_ID_MESSAGE));
    text_put(out, "\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":["
                  "{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":");
    usage.output_tokens = put_content(out, style, rq);
    text_put(out, "}]}],\"parallel_tool_calls\":true,\"previous_response_id\":null"
                  ",\"temperature\":1,\"text\":{\"format\":{\"type\":\"text\"}}"
                  ",\"tool_choice\":\"auto\",\"tools\":[],\"top_p\":1,\"truncation\":\"disabled\"");
    put_response_usage(out, usage);
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
        put_vector(out, hash_mix(body_hash(style, rq, BODY_ID_VECTOR), i));
        text_put(out, "]}");
    }
    text_put(out, "]");
    put_model(out, rq->line);
    put_usage(out, "prompt_tokens", NULL, usage);
    text_put(out, "}");
    return usage;
}

/* One member a category of OpenAI's moderation models, all with @value. */
static void put_categories(struct buf *out, const char *member, const char *value)
{
    static const char *const names[] = {"harassment",
                                        "harassment/threatening",
                                        "hate",
                                        "hate/threatening",
                                        "illicit",
                                        "illicit/violent",
                                        "self-harm",
                                        "self-harm/instructions",
                                        "self-harm/intent",
                                        "sexual",
                                        "sexual/minors",
                                        "violence",
                                        "violence/graphic"};

    text_f(out, ",\"%s\":{", member);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        text_f(out, "%s\"%s\":%s", i == 0 ? "" : ",", names[i], value);
    text_put(out, "}");
}

static struct answer_usage put_moderation(struct buf *out, const struct answer_style *style,
                                          const struct answer_request *rq)
{
    size_t inputs = slice_count_inputs(rq->line->input);

    body_put_id(out, "{\"id\":\"modr-", body_hash(style, rq, BODY_ID_ANSWER));
    text_put(out, "\"");
    put_model(out, rq->line);
    text_put(out, ",\"results\":[");
    for (size_t i = 0; i < inputs; i++) {
        text_put(out, i == 0 ? "{\"flagged\":false" : ",{\"flagged\":false");
        put_categories(out, "categories", "false");
        put_categories(out, "category_scores", "0.0001");
        put_categories(out, "category_applied_input_types", "[\"text\"]");
        text_put(out, "}");
    }
    text_put(out, "]}");
    return (struct answer_usage){validate_tokens(rq->line->body.n), 0};
}

struct answer_usage body_write(struct buf *out, const struct answer_style *style,
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

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (ends_with(style->endpoint, kinds[i].end))
            return kinds[i].put(out, style, rq);
    }
    return put_chat(out, style, rq);
}
