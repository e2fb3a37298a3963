#include "simulator/intake.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/err.h"
#include "simulator/line.h"
#include "simulator/reader.h"
#include "simulator/utf8.h"
#include "simulator/validate.h"

/* One file being checked. Blank lines count for Zhipu, not for Doubleword. */
struct intake {
    const struct dialect *dialect;
    struct intake_refusal *out;
    uint64_t offset;   /* of the line in the file */
    uint64_t requests; /* up to the line, it included */
};

static bool refuse(struct intake_refusal *out, unsigned status, const char *zhipu_code,
                   const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Always false. */
static bool refuse(struct intake_refusal *out, unsigned status, const char *zhipu_code,
                   const char *fmt, ...)
{
    va_list ap;

    out->status = status;
    out->zhipu_code = zhipu_code;
    va_start(ap, fmt);
    (void)vsnprintf(out->message, sizeof(out->message), fmt, ap);
    va_end(ap);
    return false;
}

static bool check_zhipu(const struct intake *in, struct slice text, uint64_t number)
{
    const struct dialect_lines *d = &in->dialect->lines;
    struct line l;

    if (!line_scan(text.p, text.n, &l))
        return refuse(in->out, 400, "1210", "API 调用参数有误: line %" PRIu64 " is not JSON",
                      number);
    if (slice_means(l.model, VALIDATE_UNKNOWN_MODEL))
        return refuse(in->out, 400, "1210",
                      "模型名称错误，batch 支持的模型：glm-4-flash,glm-4-plus,glm-4.5-air,"
                      "glm-5-turbo,glm-5.1,embedding-3");
    size_t n = slice_is_string(l.custom_id) ? slice_inside(l.custom_id).n : 0;
    if (n < d->id_min || n > d->id_max)
        return refuse(in->out, 400, "1214",
                      "custom_id 参数非法: line %" PRIu64 ", %zu to %zu characters", number,
                      d->id_min, d->id_max);
    return true;
}

/* The offset of the first byte that is not UTF-8; @text.n when all are. */
static size_t first_bad_byte(struct slice text)
{
    size_t i = 0;

    while (i < text.n) {
        size_t n = utf8_len(text.p + i, text.p + text.n);

        if (n == 0)
            break;
        i += n;
    }
    return i;
}

static const char *missing_member(const struct line *l)
{
    if (!slice_is_string(l->custom_id))
        return "custom_id";
    if (!slice_is_string(l->method))
        return "method";
    if (!slice_is_string(l->url))
        return "url";
    return l->body.p == NULL ? "body" : NULL;
}

/* A custom_id goes into an HTTP header: printable ASCII. */
static bool check_id(const struct intake *in, struct slice id)
{
    size_t max = in->dialect->lines.id_max;

    if (id.n < in->dialect->lines.id_min || id.n > max)
        return refuse(in->out, 400, NULL,
                      "Failed to transform request on line %" PRIu64 ": custom_id is %zu "
                      "characters, the maximum is %zu",
                      in->requests, id.n, max);
    for (size_t i = 0; i < id.n; i++) {
        if (id.p[i] < 0x20 || id.p[i] > 0x7e || id.p[i] == '\\')
            return refuse(in->out, 400, NULL,
                          "Failed to transform request on line %" PRIu64 ": custom_id is not a "
                          "valid HTTP header value",
                          in->requests);
    }
    return true;
}

static bool check_url(const struct intake *in, struct slice url)
{
    const char *const *names = in->dialect->batches.endpoints;

    for (size_t i = 0; names[i] != NULL; i++) {
        if (slice_means(url, names[i]))
            return true;
    }
    struct slice text = slice_inside(url);
    return refuse(in->out, 400, NULL,
                  "Failed to transform request on line %" PRIu64 ": Unsupported URL path '%.*s'.",
                  in->requests, (int)(text.n < 100 ? text.n : 100), text.p);
}

static bool check_transform(const struct intake *in, const struct line *l)
{
    struct slice model = slice_inside(l->model);

    if (!check_id(in, slice_inside(l->custom_id)) || !check_url(in, l->url))
        return false;
    if (!slice_means(l->method, "POST"))
        return refuse(in->out, 400, NULL,
                      "Failed to transform request on line %" PRIu64
                      ": Unsupported HTTP method. Only POST is currently supported.",
                      in->requests);
    if (!slice_is_string(l->model))
        return refuse(in->out, 400, NULL,
                      "Failed to transform request on line %" PRIu64
                      ": Missing 'model' field in request body",
                      in->requests);
    if (slice_means(l->model, VALIDATE_UNKNOWN_MODEL))
        return refuse(in->out, 403, NULL,
                      "Failed to transform request on line %" PRIu64 ": Model '%.*s' has not been "
                      "configured or is not available to user.",
                      in->requests, (int)model.n, model.p);
    return true;
}

static bool check_doubleword(const struct intake *in, struct slice text)
{
    size_t bad = first_bad_byte(text);
    struct line l;

    if (bad < text.n)
        return refuse(in->out, 400, NULL,
                      "File contains invalid UTF-8 on/near line %" PRIu64 " at byte offset %" PRIu64
                      ". Error: invalid utf-8 sequence of 1 bytes from index %zu",
                      in->requests, in->offset + bad, bad);
    if (!line_scan(text.p, text.n, &l))
        return refuse(in->out, 400, NULL,
                      "Invalid JSON on line %" PRIu64 ": expected value at line 1 column 1",
                      in->requests);
    const char *missing = missing_member(&l);
    if (missing != NULL)
        return refuse(in->out, 400, NULL,
                      "Invalid JSON on line %" PRIu64 ": missing field `%s` at line 1 column %zu",
                      in->requests, missing, text.n);
    return check_transform(in, &l);
}

static bool refuse_format(struct intake_refusal *out)
{
    return refuse(out, 400, "1214", "Invalid file format for Batch API. Must be .jsonl");
}

static bool check_line(struct intake *in, struct slice text, uint64_t number)
{
    struct line l;

    in->requests++;
    switch (in->dialect->files.check) {
    case DIALECT_CHECK_FIRST_LINE:
        return in->requests > 1 || line_scan(text.p, text.n, &l) || refuse_format(in->out);
    case DIALECT_CHECK_ZHIPU: return check_zhipu(in, text, number);
    case DIALECT_CHECK_DOUBLEWORD: return check_doubleword(in, text);
    case DIALECT_CHECK_NOTHING: break;
    }
    return true;
}

static bool check_block(struct intake *in, const struct block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        struct slice text = block->lines[i];

        if (!line_is_blank(text) && !check_line(in, text, block->first + i))
            return false;
        in->offset += text.n + 1;
    }
    return true;
}

static bool check_lines(struct intake *in, struct reader *reader)
{
    bool first_only = in->dialect->files.check == DIALECT_CHECK_FIRST_LINE;
    struct block block;
    struct err err = {0};

    while (reader_next(reader, &block, &err)) {
        if (block.count == 0)
            return true;
        if (!check_block(in, &block))
            return false;
        if (first_only && in->requests > 0)
            return true;
    }
    return refuse(in->out, 400, "1210", "%s", err.msg);
}

/* Of a file without requests: OpenAI says so of one without bytes, Doubleword of both. */
static bool check_rest(const struct intake *in)
{
    if (in->dialect->files.check == DIALECT_CHECK_FIRST_LINE && in->offset == 0)
        return refuse_format(in->out);
    if (in->dialect->files.check == DIALECT_CHECK_DOUBLEWORD && in->requests == 0)
        return refuse(in->out, 400, NULL, "File contains no valid request templates");
    return true;
}

bool intake_check(int fd, const char *filename, const struct dialect *dialect,
                  struct intake_refusal *out)
{
    struct intake in = {.dialect = dialect, .out = out};
    const char *dot = strrchr(filename, '.');
    struct reader reader;

    if (dot == NULL || strcasecmp(dot, ".jsonl") != 0)
        return refuse_format(out);
    if (dialect->files.check == DIALECT_CHECK_NOTHING)
        return true;
    reader_init(&reader, fd);
    bool ok = check_lines(&in, &reader) && check_rest(&in);
    reader_release(&reader);
    return ok;
}
