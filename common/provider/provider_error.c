#include "common/provider/provider_error.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/provider/pick.h"

const char *provider_class_name(enum provider_class class)
{
    switch (class) {
    case PROVIDER_NONE: return "none";
    case PROVIDER_NOT_SENT: return "not_sent";
    case PROVIDER_AMBIGUOUS: return "ambiguous";
    case PROVIDER_RATE_LIMIT: return "rate_limit";
    case PROVIDER_QUOTA_ENQUEUED: return "quota_enqueued";
    case PROVIDER_QUOTA_CREATES: return "quota_creates";
    case PROVIDER_QUOTA_FILES: return "quota_files";
    case PROVIDER_QUOTA_TIME: return "quota_time";
    case PROVIDER_BILLING: return "billing";
    case PROVIDER_AUTH: return "auth";
    case PROVIDER_NOT_FOUND: return "not_found";
    case PROVIDER_INVALID_FILE: return "invalid_file";
    case PROVIDER_INVALID_LINE: return "invalid_line";
    case PROVIDER_MODEL_UNSUPPORTED: return "model_unsupported";
    case PROVIDER_CONFLICT_STATE: return "conflict_state";
    case PROVIDER_CONTENT_POLICY: return "content_policy";
    case PROVIDER_REFUSED: return "refused";
    case PROVIDER_TRUNCATED: return "truncated";
    case PROVIDER_ABORTED: return "aborted";
    case PROVIDER_UNKNOWN: return "unknown";
    }
    return "?";
}

const char *provider_operation_name(enum provider_operation op)
{
    switch (op) {
    case PROVIDER_OP_UPLOAD: return "upload";
    case PROVIDER_OP_CREATE: return "create";
    case PROVIDER_OP_GET: return "get";
    case PROVIDER_OP_CANCEL: return "cancel";
    case PROVIDER_OP_LIST: return "list";
    case PROVIDER_OP_FILE_GET: return "file_get";
    case PROVIDER_OP_FILE_DELETE: return "file_delete";
    case PROVIDER_OP_FILE_LIST: return "file_list";
    case PROVIDER_OP_CONTENT: return "content";
    case PROVIDER_OP_MODELS: return "models";
    case PROVIDER_OP_VALIDATION: return "validation";
    }
    return "?";
}

/* ---- reading error bodies ---- */

static bool is_success(long status)
{
    return status >= 200 && status < 300;
}

static void read_text_of(struct json_object *value, const char *const *names, char *out,
                         size_t size)
{
    for (; *names != NULL; names++) {
        if (pick_text(value, *names, out, size))
            return;
    }
}

/* The members of an error object, or of a body that is one. */
static void read_members(struct json_object *value, struct provider_error_body *out)
{
    static const char *const codes[] = {"code", "type", NULL};
    static const char *const messages[] = {"message", "msg", "detail", NULL};
    int64_t number = 0;

    read_text_of(value, codes, out->code, sizeof(out->code));
    read_text_of(value, messages, out->message, sizeof(out->message));
    if (pick_number(value, "line", &number) && number > 0)
        out->line = number;
}

/* Whether a body without an "error" member tells of an error all the same. */
static bool is_error_at_top(long status, struct json_object *doc)
{
    if (!is_success(status))
        return true;
    if (doc_member(doc, "id") != NULL || doc_member(doc, "data") != NULL ||
        doc_member(doc, "job") != NULL)
        return false;
    return doc_member(doc, "code") != NULL &&
           (doc_member(doc, "message") != NULL || doc_member(doc, "msg") != NULL);
}

/* "retry_after_seconds", as a number or its text; -1: none, or more than anybody means. */
static int64_t read_wait(struct json_object *value)
{
    static const char name[] = "retry_after_seconds";
    double seconds = doc_real(value, name, -1);
    int64_t whole = 0;

    if (doc_string(value, name) != NULL && pick_number(value, name, &whole))
        seconds = (double)whole;
    return seconds >= 0 && seconds < INT32_MAX ? (int64_t)ceil(seconds * 1000) : -1;
}

static void read_document(long status, struct json_object *doc, struct provider_error_body *out)
{
    struct json_object *error = doc_member(doc, "error");

    if (doc_kind(error, NULL) == JSON_OBJECT) {
        read_members(error, out);
    } else if (is_success(status) && doc_member(doc, "id") != NULL) {
        /* A batch that failed may say why in "error"; it is an answer all the same. */
    } else if (doc_kind(error, NULL) == JSON_STRING) {
        /* With a message beside it, the text is a code. */
        if (pick_text(doc, "message", out->message, sizeof(out->message)))
            (void)pick_text(error, NULL, out->code, sizeof(out->code));
        else
            (void)pick_text(error, NULL, out->message, sizeof(out->message));
    } else if (is_error_at_top(status, doc)) {
        read_members(doc, out);
    }
    out->retry_after_ms = read_wait(doc);
    if (out->retry_after_ms < 0)
        out->retry_after_ms = read_wait(error);
}

/* Of a web page its title, of other text the start; runs of white space become one space. */
static void read_plain(const char *body, size_t len, char *out, size_t size)
{
    char line[512] = "";
    size_t n = 0;
    const char *end = body + len;

    body += strspn(body, " \t\r\n");
    if (body[0] == '<') {
        const char *title = strcasestr(body, "<title>");
        const char *close = title != NULL ? strcasestr(title, "</title>") : NULL;

        if (close == NULL)
            return;
        body = title + strlen("<title>");
        end = close;
    }
    for (; body < end && n < sizeof(line) - 1; body++) {
        bool space = isspace((unsigned char)*body) != 0 || *body == '\0';

        if (!space)
            line[n++] = *body;
        else if (n > 0 && line[n - 1] != ' ')
            line[n++] = ' ';
    }
    if (n > 0 && line[n - 1] == ' ')
        n--;
    line[n] = '\0';
    pick_cut(out, size, line, n);
}

/* The number behind "line " or between these two characters; -1 when there is none. */
static int64_t line_in_message(const char *message)
{
    static const char before[] = "\xe7\xac\xac"; /* 第 */
    static const char behind[] = "\xe8\xa1\x8c"; /* 行 */
    const char *p = strcasestr(message, "line ");
    char *end = NULL;
    long long line = 0;

    if (p != NULL && (p == message || isalpha((unsigned char)p[-1]) == 0)) {
        line = strtoll(p + 5, &end, 10);
        return line > 0 ? line : -1;
    }
    p = strstr(message, before);
    if (p == NULL)
        return -1;
    line = strtoll(p + strlen(before), &end, 10);
    while (*end == ' ')
        end++;
    return line > 0 && strncmp(end, behind, strlen(behind)) == 0 ? line : -1;
}

void provider_error_parse(long status, const char *body, size_t len,
                          struct provider_error_body *out)
{
    struct json_object *doc = NULL;
    bool is_json = doc_parse(body, len, &doc, NULL);

    *out = (struct provider_error_body){.line = -1, .retry_after_ms = -1};
    if (is_json)
        read_document(status, doc, out);
    else if (!is_success(status))
        read_plain(body, len, out->message, sizeof(out->message));
    if (out->line < 0)
        out->line = line_in_message(out->message);
    doc_free(doc);
}

/* ---- classes ---- */

/* One row: all that it names must fit. */
struct rule {
    unsigned ops; /* bits of OP() */
    enum http_outcome outcome;
    long lo, hi;      /* status; 0 and 0: any */
    const char *code; /* NULL: any */
    const char *part; /* of the message, in any case; NULL: any */
    unsigned flags;
    enum provider_class class;
};

#define OP(name)    (1U << PROVIDER_OP_##name)
#define TAKES_INPUT (OP(UPLOAD) | OP(VALIDATION))
#define SENDS_FILE  (OP(UPLOAD) | OP(VALIDATION) | OP(CREATE))
#define ANY         (~0U)

/* rule.flags */
#define HAS_LINE   1U /* a line is named */
#define SAYS_ERROR 2U /* a code or a message is there */

/* Rows of one kind each; what is not named is not looked at. */
#define ENDED(ops, outcome, lo, hi, class)                    \
    {                                                         \
        ops, outcome, lo, hi, NULL, NULL, 0, PROVIDER_##class \
    }
#define STATUS(ops, lo, hi, class)                                  \
    {                                                               \
        ops, HTTP_ANSWERED, lo, hi, NULL, NULL, 0, PROVIDER_##class \
    }
#define CODE(ops, code, class)                                    \
    {                                                             \
        ops, HTTP_ANSWERED, 0, 0, code, NULL, 0, PROVIDER_##class \
    }
#define TEXT(ops, lo, hi, part, class)                              \
    {                                                               \
        ops, HTTP_ANSWERED, lo, hi, NULL, part, 0, PROVIDER_##class \
    }
#define BOTH(ops, code, part, class)                              \
    {                                                             \
        ops, HTTP_ANSWERED, 0, 0, code, part, 0, PROVIDER_##class \
    }
#define LINE(ops, lo, hi, class)                                           \
    {                                                                      \
        ops, HTTP_ANSWERED, lo, hi, NULL, NULL, HAS_LINE, PROVIDER_##class \
    }
#define FALSE_SUCCESS(ops, class)                                              \
    {                                                                          \
        ops, HTTP_ANSWERED, 200, 299, NULL, NULL, SAYS_ERROR, PROVIDER_##class \
    }

#define ZH_MODEL "\xe6\xa8\xa1\xe5\x9e\x8b"             /* 模型 */
#define ZH_FILES "\xe6\x96\x87\xe4\xbb\xb6\xe6\x95\xb0" /* 文件数 */

/*
 * The first row that fits decides. Codes of digits are Zhipu's, those with
 * capitals DashScope's and Azure's. A row that turns a create into anything but
 * AMBIGUOUS claims that no batch was made.
 */
static const struct rule rules[] = {
    /* No whole answer. */
    ENDED(ANY, HTTP_NOT_SENT, 0, 0, NOT_SENT),
    ENDED(OP(CONTENT), HTTP_UNKNOWN, 200, 299, TRUNCATED),
    ENDED(ANY, HTTP_UNKNOWN, 0, 0, AMBIGUOUS),
    ENDED(OP(CREATE), HTTP_ABORTED, 0, 0, AMBIGUOUS),
    ENDED(ANY, HTTP_ABORTED, 0, 0, ABORTED),

    /* What is gone is deleted. */
    STATUS(OP(FILE_DELETE), 404, 404, NONE),
    STATUS(OP(FILE_DELETE), 410, 410, NONE),

    /* A gateway may give up on what the provider then does; no code says otherwise. */
    STATUS(ANY, 408, 408, AMBIGUOUS),
    STATUS(OP(CANCEL), 409, 409, CONFLICT_STATE),
    STATUS(ANY, 409, 409, AMBIGUOUS),
    STATUS(ANY, 500, 599, AMBIGUOUS),

    /* Codes that mean the same whatever the status. */
    CODE(ANY, "token_limit_exceeded", QUOTA_ENQUEUED),
    CODE(ANY, "TaskRunningNumberExceedLimit", QUOTA_ENQUEUED),
    TEXT(ANY, 0, 0, "enqueued token", QUOTA_ENQUEUED),
    TEXT(ANY, 0, 0, "enqueued request", QUOTA_ENQUEUED),
    TEXT(OP(CREATE), 0, 0, "live batches", QUOTA_ENQUEUED),
    TEXT(OP(CREATE), 0, 0, "unfinished batches", QUOTA_ENQUEUED),
    CODE(ANY, "insufficient_quota", BILLING),
    CODE(ANY, "billing_hard_limit_reached", BILLING),
    CODE(ANY, "billing_not_active", BILLING),
    CODE(ANY, "billing_error", BILLING),
    CODE(ANY, "Arrearage", BILLING),
    CODE(ANY, "1113", BILLING),
    CODE(ANY, "1309", BILLING),
    CODE(ANY, "1304", QUOTA_TIME),
    CODE(ANY, "1308", QUOTA_TIME),
    CODE(ANY, "1302", RATE_LIMIT),
    CODE(ANY, "1303", RATE_LIMIT),
    BOTH(OP(CREATE), "rate_limit_exceeded", "batches", QUOTA_CREATES),
    BOTH(OP(CREATE), "too_many_requests", "batches", QUOTA_CREATES),
    CODE(ANY, "rate_limit_exceeded", RATE_LIMIT),
    CODE(ANY, "too_many_requests", RATE_LIMIT),
    CODE(ANY, "Throttling", RATE_LIMIT),
    CODE(ANY, "Throttling.RateQuota", RATE_LIMIT),
    CODE(ANY, "Throttling.AllocationQuota", RATE_LIMIT),
    CODE(ANY, "Throttling.User", RATE_LIMIT),
    CODE(ANY, "invalid_api_key", AUTH),
    CODE(ANY, "InvalidApiKey", AUTH),
    CODE(ANY, "input_no_permissions", AUTH),
    CODE(ANY, "1000", AUTH),
    CODE(ANY, "1001", AUTH),
    CODE(ANY, "1002", AUTH),
    CODE(ANY, "1003", AUTH),
    CODE(ANY, "1004", AUTH),
    CODE(ANY, "1110", AUTH),
    CODE(ANY, "1111", AUTH),
    CODE(ANY, "1112", AUTH),
    CODE(ANY, "1120", AUTH),
    CODE(ANY, "1121", AUTH),
    CODE(ANY, "1220", AUTH),
    CODE(ANY, "1100", AMBIGUOUS),
    CODE(ANY, "1200", AMBIGUOUS),
    CODE(ANY, "1230", AMBIGUOUS),
    CODE(ANY, "1231", AMBIGUOUS),
    CODE(ANY, "1234", AMBIGUOUS),
    CODE(ANY, "1300", CONTENT_POLICY),
    CODE(ANY, "1301", CONTENT_POLICY),
    CODE(ANY, "content_filter", CONTENT_POLICY),
    CODE(ANY, "content_policy_violation", CONTENT_POLICY),
    CODE(ANY, "DataInspectionFailed", CONTENT_POLICY),
    CODE(ANY, "data_inspection_failed", CONTENT_POLICY),
    CODE(ANY, "model_not_found", MODEL_UNSUPPORTED),
    CODE(ANY, "ModelNotFound", MODEL_UNSUPPORTED),
    CODE(ANY, "DeploymentNotFound", MODEL_UNSUPPORTED),
    CODE(ANY, "1211", MODEL_UNSUPPORTED),
    BOTH(ANY, "1210", ZH_MODEL, MODEL_UNSUPPORTED),
    TEXT(OP(UPLOAD), 403, 403, "model", MODEL_UNSUPPORTED),
    TEXT(ANY, 0, 0, "cannot find file", NOT_FOUND),
    CODE(ANY, "BatchNotFound", NOT_FOUND),
    CODE(OP(CANCEL), "InvalidState", CONFLICT_STATE),

    /* What is wrong with the input, told at once or later. The status of a size says more than
       the code of a wrong parameter. */
    STATUS(OP(UPLOAD), 413, 413, INVALID_FILE),
    STATUS(OP(UPLOAD), 435, 435, INVALID_FILE),
    CODE(TAKES_INPUT, "1210", INVALID_LINE),
    CODE(TAKES_INPUT, "1212", INVALID_LINE),
    CODE(TAKES_INPUT, "1213", INVALID_LINE),
    CODE(TAKES_INPUT, "1214", INVALID_LINE),
    CODE(TAKES_INPUT, "1215", INVALID_LINE),
    CODE(TAKES_INPUT, "1261", INVALID_LINE),
    CODE(SENDS_FILE, "empty_file", INVALID_FILE),
    CODE(SENDS_FILE, "empty_batch", INVALID_FILE),
    CODE(SENDS_FILE, "too_many_tasks", INVALID_FILE),
    CODE(SENDS_FILE, "model_mismatch", INVALID_FILE),
    CODE(SENDS_FILE, "mismatched_model", INVALID_FILE),
    CODE(SENDS_FILE, "input_modified", INVALID_FILE),
    CODE(SENDS_FILE, "InvalidFile", INVALID_FILE),
    TEXT(TAKES_INPUT, 0, 0, "valid model deployment name", INVALID_FILE),
    CODE(TAKES_INPUT, "invalid_json_line", INVALID_LINE),
    CODE(TAKES_INPUT, "duplicate_custom_id", INVALID_LINE),
    CODE(TAKES_INPUT, "invalid_url", INVALID_LINE),
    CODE(TAKES_INPUT, "url_mismatch", INVALID_LINE),
    CODE(TAKES_INPUT, "mismatched_url", INVALID_LINE),
    CODE(TAKES_INPUT, "invalid_method", INVALID_LINE),
    CODE(TAKES_INPUT, "streaming_unsupported", INVALID_LINE),
    LINE(OP(VALIDATION), 0, 0, INVALID_LINE),
    STATUS(OP(VALIDATION), 0, 0, UNKNOWN),

    /* Too much is stored. No vendor documents the words. */
    TEXT(OP(UPLOAD), 400, 499, "number of files", QUOTA_FILES),
    TEXT(OP(UPLOAD), 400, 499, "too many files", QUOTA_FILES),
    TEXT(OP(UPLOAD), 400, 499, "storage", QUOTA_FILES),
    TEXT(OP(UPLOAD), 400, 499, ZH_FILES, QUOTA_FILES),

    /* Plain statuses. 434 and 435 are Zhipu's: no right, file too large. */
    STATUS(ANY, 401, 401, AUTH),
    STATUS(ANY, 402, 402, BILLING),
    /* One file that may not be seen says nothing about the key. */
    STATUS(OP(FILE_GET) | OP(FILE_DELETE) | OP(CONTENT), 403, 403, REFUSED),
    STATUS(ANY, 403, 403, AUTH),
    STATUS(ANY, 434, 434, AUTH),
    STATUS(ANY, 404, 404, NOT_FOUND),
    STATUS(ANY, 410, 410, NOT_FOUND),
    TEXT(OP(CREATE), 429, 429, "batches", QUOTA_CREATES),
    STATUS(ANY, 429, 429, RATE_LIMIT),
    LINE(OP(UPLOAD), 400, 400, INVALID_LINE),
    LINE(OP(UPLOAD), 422, 422, INVALID_LINE),
    STATUS(OP(UPLOAD), 400, 400, INVALID_FILE),
    STATUS(OP(UPLOAD), 422, 422, INVALID_FILE),
    STATUS(ANY, 300, 499, REFUSED),

    /* A wrong parameter is a clear no, even inside a 200. */
    CODE(ANY, "1210", REFUSED),
    CODE(ANY, "1212", REFUSED),
    CODE(ANY, "1213", REFUSED),
    CODE(ANY, "1214", REFUSED),
    CODE(ANY, "1215", REFUSED),
    CODE(ANY, "1221", REFUSED),
    CODE(ANY, "1222", REFUSED),

    /* An error in the clothes of a success: whether a batch was made is not clear. */
    FALSE_SUCCESS(OP(CREATE), AMBIGUOUS),
    FALSE_SUCCESS(ANY, UNKNOWN),
    STATUS(ANY, 200, 299, NONE),
};

static bool rule_fits(const struct rule *r, enum provider_operation op, enum http_outcome outcome,
                      long status, const char *code, const char *message, int64_t line)
{
    return (r->ops & 1U << op) != 0 && r->outcome == outcome &&
           (r->hi == 0 || (status >= r->lo && status <= r->hi)) &&
           (r->code == NULL || strcmp(r->code, code) == 0) &&
           (r->part == NULL || strcasestr(message, r->part) != NULL) &&
           ((r->flags & HAS_LINE) == 0 || line > 0) &&
           ((r->flags & SAYS_ERROR) == 0 || code[0] != '\0' || message[0] != '\0');
}

enum provider_class provider_classify(enum provider_operation op, enum http_outcome outcome,
                                      long status, const char *code, const char *message,
                                      int64_t line)
{
    /* A refusal is clear from its status, even when its text is cut. */
    if (outcome != HTTP_NOT_SENT && status >= 400 && status <= 499)
        outcome = HTTP_ANSWERED;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (rule_fits(&rules[i], op, outcome, status, code, message, line))
            return rules[i].class;
    }
    return PROVIDER_UNKNOWN;
}
