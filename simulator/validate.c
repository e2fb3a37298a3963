#include "simulator/validate.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "simulator/hash.h"
#include "simulator/line.h"
#include "simulator/reader.h"
#include "simulator/text.h"

#define TEST_MODEL      "batch-test-model"
#define TEST_ENDPOINT   "/ds-test"
#define TEST_REQUESTS   100
#define TEST_BYTES      1000000
#define MODEL_CHARS     200
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

struct check {
    const struct validate_rules *rules;
    struct verdict *verdict;
    struct hashset ids;
    struct buf scratch;
    uint64_t requests, bytes;
};

/* What is wrong with a line. @message is JSON text without quotes. */
struct complaint {
    const char *code, *param;
    char message[400 + 2 * MODEL_CHARS];
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
    v->fails = true;
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

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

struct validate_rules validate_rules(const struct dialect_lines *lines, const char *endpoint,
                                     uint64_t max_requests)
{
    struct validate_rules rules = {lines, endpoint, max_requests, 0};

    if (strstr(endpoint, "/embeddings") != NULL && lines->max_embeddings != 0 &&
        lines->max_embeddings < max_requests)
        rules.max_requests = lines->max_embeddings;
    if (ends_with(endpoint, TEST_ENDPOINT)) {
        rules.max_requests = max_requests < TEST_REQUESTS ? max_requests : TEST_REQUESTS;
        rules.max_bytes = TEST_BYTES;
    }
    return rules;
}

static bool complain(struct complaint *c, const char *code, const char *param, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Always false. */
static bool complain(struct complaint *c, const char *code, const char *param, const char *fmt, ...)
{
    va_list ap;

    c->code = code;
    c->param = param;
    va_start(ap, fmt);
    (void)vsnprintf(c->message, sizeof(c->message), fmt, ap);
    va_end(ap);
    return false;
}

/* Whether a required member is there with the right type. */
static bool require(struct complaint *c, const char *name, struct slice value, bool fits,
                    const char *wanted)
{
    if (value.p == NULL)
        return complain(c, "missing_required_parameter", name, "Missing required parameter: '%s'.",
                        name);
    return fits ||
           complain(c, "invalid_type", name, "Invalid type for '%s': expected %s.", name, wanted);
}

static bool check_members(struct complaint *c, const struct line *l)
{
    bool object = l->body.p != NULL && l->body.p[0] == '{';

    return require(c, "custom_id", l->custom_id, slice_is_string(l->custom_id), "a string") &&
           require(c, "method", l->method, slice_is_string(l->method), "a string") &&
           require(c, "url", l->url, slice_is_string(l->url), "a string") &&
           require(c, "body", l->body, object, "an object");
}

/* Azure takes "/chat/completions" and "/v1/chat/completions" for the same. */
static const char *without_version(const char *path)
{
    return strncmp(path, "/v1/", 4) == 0 ? path + 3 : path;
}

static bool check_url(const struct validate_rules *rules, struct complaint *c, const struct line *l)
{
    const char *endpoint = rules->endpoint;

    if (slice_means(l->url, endpoint))
        return true;
    if (rules->lines->url_short && endpoint[0] == '/') {
        char longer[64];

        (void)snprintf(longer, sizeof(longer), "/v1%.50s", without_version(endpoint));
        if (slice_means(l->url, without_version(endpoint)) || slice_means(l->url, longer))
            return true;
    }
    return complain(c, rules->lines->url_code, "url",
                    "The URL provided for this request does not match the batch endpoint.");
}

static bool check_method(const struct validate_rules *rules, struct complaint *c,
                         const struct line *l)
{
    struct slice method = slice_inside(l->method);

    /* only of Groq is it known that, and how, it complains */
    if (!rules->lines->bad_are_skipped || slice_means(l->method, "POST"))
        return true;
    return complain(c, "invalid_method", "method",
                    "Invalid value: '%.*s'. Supported values are: 'POST'",
                    (int)(method.n < 20 ? method.n : 20), method.p);
}

static bool check_model(const struct validate_rules *rules, struct complaint *c,
                        const struct line *l)
{
    bool test = ends_with(rules->endpoint, TEST_ENDPOINT);

    if (!slice_is_string(l->model) || l->model.n == 2)
        return complain(c, "invalid_request", "body.model", "Model parameter is required.");
    if (!slice_means(l->model, VALIDATE_UNKNOWN_MODEL) && test == slice_means(l->model, TEST_MODEL))
        return true;
    struct slice name = slice_inside(l->model);
    return complain(c, "model_not_found", "body.model",
                    "The provided model '%.*s' is not supported by the Batch API.",
                    (int)(name.n < MODEL_CHARS ? name.n : 0), name.p);
}

static bool check_body(const struct validate_rules *rules, struct complaint *c,
                       const struct line *l)
{
    bool chat = strstr(rules->endpoint, "/chat/") != NULL;

    if (chat && (l->messages.p == NULL || l->messages.p[0] != '['))
        return complain(c, "invalid_request", "body.messages", "Messages parameter is required.");
    if (l->stream.p != NULL && l->stream.n == 4 && memcmp(l->stream.p, "true", 4) == 0)
        return complain(c, "streaming_unsupported", "body.stream",
                        "Chat Completions: Streaming is not supported in the Batch API.");
    return true;
}

static bool line_fits(const struct validate_rules *rules, struct complaint *c, const struct line *l)
{
    return check_members(c, l) && check_method(rules, c, l) && check_url(rules, c, l) &&
           check_model(rules, c, l) && check_body(rules, c, l);
}

bool validate_line(const struct validate_rules *rules, const struct line *line)
{
    struct complaint c;

    return line_fits(rules, &c, line);
}

static void add(struct check *c, const struct complaint *found, uint64_t line)
{
    bool failed = c->verdict->fails;

    verdict_add(c->verdict, found->code, found->param, line, found->message);
    if (c->rules->lines->bad_are_skipped)
        c->verdict->fails = failed;
}

/* What concerns a line and those before it; these fail a batch everywhere. */
static bool fits_others(struct check *c, const struct line *l, uint64_t line)
{
    struct verdict *v = c->verdict;
    struct slice name = slice_inside(l->model);
    struct complaint found;

    if (v->model.len == 0)
        text_bytes(&v->model, name.p, name.n);
    bool same = v->model.len == name.n && memcmp(v->model.data, name.p, name.n) == 0;
    if (!same && !c->rules->lines->many_models) {
        (void)complain(&found, "model_mismatch", "body.model",
                       "The model '%.*s' does not match the model '%.*s' of the requests before "
                       "it. A batch must have one model.",
                       (int)(name.n < MODEL_CHARS ? name.n : 0), name.p,
                       (int)(v->model.len < MODEL_CHARS ? v->model.len : 0), v->model.data);
    } else if (!hashset_add(&c->ids, slice_hash(l->custom_id, &c->scratch))) {
        (void)complain(&found, "duplicate_custom_id", "custom_id",
                       "The custom_id for this request is a duplicate of another request. The "
                       "custom_id parameter must be unique for each request in a batch.");
    } else {
        return true;
    }
    verdict_add(v, found.code, found.param, line, found.message);
    return false;
}

static void check_line(struct check *c, struct slice text, uint64_t line)
{
    size_t max = c->rules->lines->max_bytes;
    struct complaint found = {0};
    struct line l = {0};

    c->requests++;
    c->bytes += text.n + 1;
    if (max != 0 && text.n > max)
        (void)complain(&found, "line_too_long", NULL, "This line is longer than %zu bytes.", max);
    else if (!line_scan(text.p, text.n, &l))
        (void)complain(&found, "invalid_json_line", NULL,
                       "This line is not parseable as valid JSON.");
    else
        (void)line_fits(c->rules, &found, &l);
    if (found.code != NULL) {
        add(c, &found, line);
    } else if (fits_others(c, &l, line)) {
        c->verdict->total++;
        c->verdict->tokens += validate_tokens(l.body.n);
    }
}

static bool check_lines(struct check *c, int fd, struct err *err)
{
    struct reader reader;
    struct block block;
    bool ok;

    reader_init(&reader, fd);
    while ((ok = reader_next(&reader, &block, err)) && block.count != 0 &&
           c->requests <= c->rules->max_requests) {
        for (size_t i = 0; i < block.count; i++) {
            if (!line_is_blank(block.lines[i]))
                check_line(c, block.lines[i], block.first + i);
        }
    }
    reader_release(&reader);
    return ok;
}

/* One complaint about the whole file instead of those about its lines. */
static void replace(struct verdict *v, const char *code, const char *message)
{
    buf_clear(&v->errors);
    v->listed = 0;
    verdict_add(v, code, NULL, 0, message);
}

static void check_whole(struct check *c)
{
    struct verdict *v = c->verdict;
    char message[100];

    (void)snprintf(message, sizeof(message),
                   "The input file has too many requests. The limit is %" PRIu64 ".",
                   c->rules->max_requests);
    if (c->requests > c->rules->max_requests)
        replace(v, "too_many_tasks", message);
    else if (c->rules->max_bytes != 0 && c->bytes > c->rules->max_bytes)
        replace(v, "file_too_large", "The input file is too large for this endpoint.");
    else if (c->requests == 0)
        replace(v, "empty_file",
                "The input file is empty. Please ensure that the batch contains at least one "
                "request.");
    else if (v->total == 0)
        v->fails = true;
}

static bool has_mark(int fd)
{
    char start[sizeof(BYTE_ORDER_MARK) - 1];

    return pread(fd, start, sizeof(start), 0) == (ssize_t)sizeof(start) &&
           memcmp(start, BYTE_ORDER_MARK, sizeof(start)) == 0;
}

bool validate_batch(int fd, const struct validate_rules *rules, struct verdict *out,
                    struct err *err)
{
    struct check c = {.rules = rules, .verdict = out, .scratch = TEXT_INIT};

    if (rules->lines->bom_hides_model && has_mark(fd)) {
        verdict_add(out, "invalid_request", NULL, 0,
                    "Validation failed: A valid model deployment name couldn't be extracted from "
                    "the input file. Please ensure that each row in the input file has a valid "
                    "deployment name specified in the 'model' field, and that the deployment name "
                    "is consistent across all rows.");
        return true;
    }
    bool ok = check_lines(&c, fd, err);
    if (ok)
        check_whole(&c);
    hashset_release(&c.ids);
    buf_release(&c.scratch);
    return ok;
}
