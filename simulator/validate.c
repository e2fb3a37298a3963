#include "simulator/validate.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/err.h"
#include "simulator/hash.h"
#include "simulator/line.h"
#include "simulator/reader.h"
#include "simulator/text.h"

#define UNKNOWN_MODEL "no-such-model"

struct check {
    const char *endpoint;
    uint64_t max_requests;
    struct verdict *verdict;
    struct hashset ids;
    struct buf scratch;
    struct buf message;
};

void verdict_init(struct verdict *v)
{
    *v = (struct verdict){.errors = TEXT_INIT, .model = TEXT_INIT};
}

void verdict_release(struct verdict *v)
{
    buf_release(&v->errors);
    buf_release(&v->model);
}

void verdict_add(struct verdict *v, const char *code, const char *param, uint64_t line,
                 const char *message)
{
    if (v->listed++ >= VALIDATE_ERRORS_MAX)
        return;
    text_f(&v->errors,
           "%s{\"code\":\"%s\",\"message\":\"%s\",\"param\":", v->errors.len == 0 ? "" : ",", code,
           message);
    text_string_or_null(&v->errors, param);
    text_put(&v->errors, ",\"line\":");
    if (line == 0)
        text_put(&v->errors, "null}");
    else
        text_f(&v->errors, "%" PRIu64 "}", line);
}

uint64_t validate_tokens(size_t body_bytes)
{
    return (body_bytes + 3) / 4;
}

/* Whether a required member is there with the right type; else its error is added. */
static bool require(struct check *c, const char *name, struct slice value, bool fits,
                    const char *wanted, uint64_t line)
{
    if (value.p != NULL && fits)
        return true;
    buf_clear(&c->message);
    if (value.p == NULL)
        text_f(&c->message, "Missing required parameter: '%s'.", name);
    else
        text_f(&c->message, "Invalid type for '%s': expected %s.", name, wanted);
    verdict_add(c->verdict, value.p == NULL ? "missing_required_parameter" : "invalid_type", name,
                line, c->message.data);
    return false;
}

static bool check_members(struct check *c, const struct line *l, uint64_t line)
{
    bool object = l->body.p != NULL && l->body.p[0] == '{';

    return require(c, "custom_id", l->custom_id, slice_is_string(l->custom_id), "a string", line) &&
           require(c, "method", l->method, slice_is_string(l->method), "a string", line) &&
           require(c, "url", l->url, slice_is_string(l->url), "a string", line) &&
           require(c, "body", l->body, object, "an object", line);
}

static bool check_model(struct check *c, const struct line *l, uint64_t line)
{
    struct verdict *v = c->verdict;

    if (!slice_is_string(l->model) || l->model.n == 2) {
        verdict_add(v, "invalid_request", "body.model", line, "Model parameter is required.");
        return false;
    }
    struct slice name = slice_inside(l->model);
    if (slice_means(l->model, UNKNOWN_MODEL)) {
        verdict_add(v, "model_not_found", "body.model", line,
                    "The provided model '" UNKNOWN_MODEL "' is not supported by the Batch API.");
        return false;
    }
    if (v->model.len == 0)
        text_bytes(&v->model, name.p, name.n);
    if (v->model.len == name.n && memcmp(v->model.data, name.p, name.n) == 0)
        return true;
    buf_clear(&c->message);
    text_f(&c->message,
           "The model '%.*s' does not match the model '%s' of the requests before it. A batch "
           "must have one model.",
           (int)(name.n < 200 ? name.n : 200), name.p, v->model.data);
    verdict_add(v, "model_mismatch", "body.model", line,
                name.n < 200 ? c->message.data : "A batch must have one model.");
    return false;
}

static bool is_chat(const char *endpoint)
{
    return strstr(endpoint, "/chat/completions") != NULL;
}

static bool check_body(struct check *c, const struct line *l, uint64_t line)
{
    struct verdict *v = c->verdict;

    if (!slice_means(l->url, c->endpoint)) {
        verdict_add(v, "invalid_url", "url", line,
                    "The URL provided for this request does not match the batch endpoint.");
        return false;
    }
    if (!check_model(c, l, line))
        return false;
    if (is_chat(c->endpoint) && (l->messages.p == NULL || l->messages.p[0] != '[')) {
        verdict_add(v, "invalid_request", "body.messages", line, "Messages parameter is required.");
        return false;
    }
    if (l->stream.p != NULL && l->stream.n == 4 && memcmp(l->stream.p, "true", 4) == 0) {
        verdict_add(v, "streaming_unsupported", "body.stream", line,
                    "Chat Completions: Streaming is not supported in the Batch API.");
        return false;
    }
    return true;
}

static void check_line(struct check *c, struct slice text, uint64_t line)
{
    struct line l;

    c->verdict->total++;
    if (!line_scan(text.p, text.n, &l)) {
        verdict_add(c->verdict, "invalid_json_line", NULL, line,
                    "This line is not parseable as valid JSON.");
        return;
    }
    if (!check_members(c, &l, line) || !check_body(c, &l, line))
        return;
    c->verdict->tokens += validate_tokens(l.body.n);
    if (!hashset_add(&c->ids, slice_hash(l.custom_id, &c->scratch)))
        verdict_add(c->verdict, "duplicate_custom_id", "custom_id", line,
                    "The custom_id for this request is a duplicate of another request. The "
                    "custom_id parameter must be unique for each request in a batch.");
}

static bool check_lines(struct check *c, int fd, struct err *err)
{
    struct reader reader;
    struct block block;
    bool ok;

    reader_init(&reader, fd);
    while ((ok = reader_next(&reader, &block, err)) && block.count != 0 &&
           c->verdict->total <= c->max_requests) {
        for (size_t i = 0; i < block.count; i++) {
            if (!line_is_blank(block.lines[i]))
                check_line(c, block.lines[i], block.first + i);
        }
    }
    reader_release(&reader);
    return ok;
}

bool validate_batch(int fd, const char *endpoint, uint64_t max_requests, struct verdict *out,
                    struct err *err)
{
    struct check c = {.endpoint = endpoint,
                      .max_requests = max_requests,
                      .verdict = out,
                      .scratch = TEXT_INIT,
                      .message = TEXT_INIT};
    bool ok = check_lines(&c, fd, err);

    if (ok && out->total > max_requests) {
        buf_clear(&out->errors);
        out->listed = 0;
        buf_clear(&c.message);
        text_f(&c.message, "The input file has too many requests. The limit is %" PRIu64 ".",
               max_requests);
        verdict_add(out, "too_many_tasks", NULL, 0, c.message.data);
    }
    if (ok && out->total == 0)
        verdict_add(out, "empty_file", NULL, 0, "The input file has no requests.");
    hashset_release(&c.ids);
    buf_release(&c.scratch);
    buf_release(&c.message);
    return ok;
}

bool validate_first_line(int fd)
{
    struct reader reader;
    struct block block;
    struct line line;
    bool fits = false;

    reader_init(&reader, fd);
    while (reader_next(&reader, &block, NULL) && block.count != 0) {
        size_t i = 0;

        fits = true;
        while (i < block.count && line_is_blank(block.lines[i]))
            i++;
        if (i < block.count) {
            fits = line_scan(block.lines[i].p, block.lines[i].n, &line);
            break;
        }
    }
    reader_release(&reader);
    return fits;
}

static bool zhipu_line(struct slice text, uint64_t number, const char **code, struct err *err)
{
    struct line l;

    *code = "1210";
    if (!line_scan(text.p, text.n, &l))
        return err_set(err, ERR_PERMANENT, "API 调用参数有误: line %" PRIu64 " is not JSON",
                       number);
    if (slice_means(l.model, UNKNOWN_MODEL))
        return err_set(err, ERR_PERMANENT, "模型名称错误: " UNKNOWN_MODEL);
    *code = "1214";
    size_t n = slice_is_string(l.custom_id) ? slice_inside(l.custom_id).n : 0;
    if (n < 6 || n > 64)
        return err_set(err, ERR_PERMANENT,
                       "custom_id 参数非法: line %" PRIu64 ", 6 to 64 characters", number);
    return true;
}

bool validate_zhipu_upload(int fd, const char **code, struct err *err)
{
    struct reader reader;
    struct block block;
    bool ok;

    reader_init(&reader, fd);
    *code = "1210";
    while ((ok = reader_next(&reader, &block, err)) && block.count != 0) {
        for (size_t i = 0; ok && i < block.count; i++)
            ok = line_is_blank(block.lines[i]) ||
                 zhipu_line(block.lines[i], block.first + i, code, err);
        if (!ok)
            break;
    }
    reader_release(&reader);
    return ok;
}
