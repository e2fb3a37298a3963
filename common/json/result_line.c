#include "common/json/result_line.h"

#include <string.h>

/* The raw bytes of a value that says something. */
static struct slice raw(const struct json_value *value)
{
    if (value->kind == JSON_ABSENT || value->kind == JSON_NULL)
        return (struct slice){0};
    return (struct slice){value->text, value->len};
}

static void take_custom_id(const struct json_value *value, struct result_line *out)
{
    size_t len = 0;

    if (!json_string_decode(value, out->custom_id, sizeof(out->custom_id), &len) ||
        strlen(out->custom_id) != len)
        out->custom_id[0] = '\0';
}

/* Text into @out, unless something is there already; numbers as they are written. */
static void take_text(const struct json_value *value, char *out, size_t cap)
{
    if (out[0] != '\0')
        return;
    if (value->kind == JSON_STRING) {
        (void)json_string_decode_cut(value, out, cap);
    } else if (value->kind == JSON_NUMBER) {
        size_t len = value->len < cap ? value->len : cap - 1;

        memcpy(out, value->text, len);
        out[len] = '\0';
    }
}

/* {"code","message","type"}, or a string in its place, as some servers answer. */
static void take_error(const struct json_value *error, struct result_line *out)
{
    enum { CODE, MESSAGE, TYPE, COUNT };
    static const char *const names[COUNT] = {"code", "message", "type"};
    struct json_value members[COUNT];

    if (error->kind == JSON_STRING)
        take_text(error, out->message, sizeof(out->message));
    if (error->kind != JSON_OBJECT)
        return;
    json_members(error, names, COUNT, members);
    take_text(&members[CODE], out->code, sizeof(out->code));
    take_text(&members[TYPE], out->code, sizeof(out->code));
    take_text(&members[MESSAGE], out->message, sizeof(out->message));
}

static int64_t count_of(const struct json_value *value)
{
    int64_t n = -1;

    return json_to_int64(value, &n) && n >= 0 ? n : -1;
}

/* The member @name of the first of two values that has it as a count. */
static int64_t detail(const struct json_value *a, const struct json_value *b, const char *name)
{
    struct json_value member = json_member(a, name);
    int64_t n = count_of(&member);

    if (n >= 0)
        return n;
    member = json_member(b, name);
    return count_of(&member);
}

/* Chat completions and embeddings say prompt and completion, the Responses API input and output. */
static void take_usage(const struct json_value *usage, struct result_line *out)
{
    enum { PROMPT, INPUT, COMPLETION, OUTPUT, P_DETAILS, I_DETAILS, C_DETAILS, O_DETAILS, COUNT };
    static const char *const names[COUNT] = {"prompt_tokens",
                                             "input_tokens",
                                             "completion_tokens",
                                             "output_tokens",
                                             "prompt_tokens_details",
                                             "input_tokens_details",
                                             "completion_tokens_details",
                                             "output_tokens_details"};
    struct json_value m[COUNT];

    if (usage->kind != JSON_OBJECT)
        return;
    json_members(usage, names, COUNT, m);
    out->prompt_tokens = count_of(&m[m[PROMPT].kind == JSON_NUMBER ? PROMPT : INPUT]);
    out->completion_tokens = count_of(&m[m[COMPLETION].kind == JSON_NUMBER ? COMPLETION : OUTPUT]);
    out->cached_tokens = detail(&m[P_DETAILS], &m[I_DETAILS], "cached_tokens");
    out->reasoning_tokens = detail(&m[C_DETAILS], &m[O_DETAILS], "reasoning_tokens");
}

static void take_body(const struct json_value *body, struct result_line *out)
{
    enum { FAILURE, USAGE, CHOICES, COUNT };
    static const char *const names[COUNT] = {"error", "usage", "choices"};
    struct json_value members[COUNT];

    if (body->kind != JSON_OBJECT)
        return;
    json_members(body, names, COUNT, members);
    out->choices = members[CHOICES];
    out->body_has_error = members[FAILURE].kind != JSON_ABSENT && !json_is_null(&members[FAILURE]);
    take_error(&members[FAILURE], out);
    take_usage(&members[USAGE], out);
}

static void take_response(const struct json_value *response, struct result_line *out)
{
    enum { STATUS, BODY, COUNT };
    static const char *const names[COUNT] = {"status_code", "body"};
    struct json_value members[COUNT];

    if (response->kind != JSON_OBJECT)
        return;
    json_members(response, names, COUNT, members);
    out->status_code = count_of(&members[STATUS]);
    out->body = members[BODY];
    take_body(&members[BODY], out);
}

bool result_line_parse(const char *text, size_t len, struct result_line *out,
                       struct json_error *error)
{
    enum { ID, CUSTOM_ID, RESPONSE, FAILURE, COUNT };
    static const char *const names[COUNT] = {"id", "custom_id", "response", "error"};
    struct json_value members[COUNT];

    if (!json_scan_object(text, len, names, COUNT, members, error))
        return false;
    *out = (struct result_line){
        .id = raw(&members[ID]),
        .response = raw(&members[RESPONSE]),
        .error = raw(&members[FAILURE]),
        .status_code = -1,
        .prompt_tokens = -1,
        .completion_tokens = -1,
        .cached_tokens = -1,
        .reasoning_tokens = -1,
    };
    take_custom_id(&members[CUSTOM_ID], out);
    take_error(&members[FAILURE], out);
    take_response(&members[RESPONSE], out);
    return true;
}
