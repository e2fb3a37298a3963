#include "common/json/request_line.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"

static bool refuse(char why[REQUEST_WHY_SIZE], const char *reason)
{
    (void)snprintf(why, REQUEST_WHY_SIZE, "%s", reason);
    return false;
}

static bool refuse_json(char why[REQUEST_WHY_SIZE], const struct json_error *error)
{
    if (strcmp(error->what, "not an object") == 0)
        return refuse(why, "not a JSON object");
    (void)snprintf(why, REQUEST_WHY_SIZE, "not valid JSON at byte %zu: %s", error->offset + 1,
                   error->what);
    return false;
}

/* A string member that must have text, into @out; @name is for the reason. */
static bool take_text(const struct json_value *value, const char *name, char *out, size_t cap,
                      char why[REQUEST_WHY_SIZE])
{
    const char *problem = NULL;
    size_t len = 0;

    if (value->kind != JSON_STRING)
        problem = "is not a string";
    else if (!json_string_decode(value, out, cap, &len))
        problem = "is too long";
    else if (len == 0)
        problem = "is empty";
    else if (strlen(out) != len)
        problem = "has a NUL character in it";
    if (problem == NULL)
        return true;
    (void)snprintf(why, REQUEST_WHY_SIZE, "%s %s", name, problem);
    return false;
}

static bool take_model(const struct json_value *body, const char *default_model,
                       struct request_line *out, char why[REQUEST_WHY_SIZE])
{
    struct json_value model = json_member(body, "model");

    out->has_model = model.kind != JSON_ABSENT;
    if (out->has_model)
        return take_text(&model, "model", out->model, sizeof(out->model), why);
    if (default_model == NULL || default_model[0] == '\0')
        return refuse(why, "no model");
    if (strlen(default_model) > REQUEST_MODEL_MAX)
        return refuse(why, "the default model is too long");
    (void)snprintf(out->model, sizeof(out->model), "%s", default_model);
    return true;
}

/* It is copied into batch files as it is: nothing in it may need an escape there. */
static bool is_plain_path(const char *url)
{
    if (*url != '/')
        return false;
    for (; *url != '\0'; url++) {
        if (*url <= ' ' || *url > '~' || *url == '"' || *url == '\\')
            return false;
    }
    return true;
}

static bool take_url(const struct json_value *url, struct request_line *out,
                     char why[REQUEST_WHY_SIZE])
{
    if (url->kind != JSON_ABSENT) {
        if (!take_text(url, "url", out->url, sizeof(out->url), why))
            return false;
        return is_plain_path(out->url) ||
               refuse(why, "url is not a path like /v1/chat/completions");
    }
    (void)snprintf(out->url, sizeof(out->url), "%s", REQUEST_URL_PRESET);
    return true;
}

struct slice request_line_custom_id(const char *text, size_t len)
{
    static const char *const names[] = {"custom_id"};
    struct json_value id;

    json_scan_prefix(text, len, names, 1, &id);
    if (id.kind != JSON_STRING)
        return (struct slice){0};
    return (struct slice){id.text, id.len};
}

bool request_line_parse(const char *text, size_t len, const char *default_model,
                        struct request_line *out, char why[REQUEST_WHY_SIZE])
{
    enum { CUSTOM_ID, METHOD, URL, BODY, COUNT };
    static const char *const names[COUNT] = {"custom_id", "method", "url", "body"};
    struct json_value members[COUNT];
    struct json_error error;

    out->custom_id = (struct slice){0};
    if (len > REQUEST_LINE_MAX_BYTES)
        return refuse(why, "longer than 16 MB");
    if (!json_scan_object(text, len, names, COUNT, members, &error)) {
        out->custom_id = request_line_custom_id(text, len);
        return refuse_json(why, &error);
    }
    if (members[CUSTOM_ID].kind == JSON_STRING)
        out->custom_id = (struct slice){members[CUSTOM_ID].text, members[CUSTOM_ID].len};
    if (members[METHOD].kind != JSON_ABSENT && !json_string_equals(&members[METHOD], "POST"))
        return refuse(why, "method is not POST");
    if (members[BODY].kind == JSON_ABSENT)
        return refuse(why, "no body");
    if (members[BODY].kind != JSON_OBJECT)
        return refuse(why, "body is not an object");
    out->body = (struct slice){members[BODY].text, members[BODY].len};
    return take_url(&members[URL], out, why) && take_model(&members[BODY], default_model, out, why);
}

bool request_model_member(const char *default_model, struct buf *out)
{
    size_t before = out->len;

    if (buf_append(out, "\"model\":", 8) &&
        json_string_encode(out, default_model, strlen(default_model)) && buf_append(out, ",", 1))
        return true;
    out->len = before;
    if (out->data != NULL)
        out->data[before] = '\0';
    return false;
}

size_t request_body_parts(const struct request_line *line, struct slice model_member,
                          struct slice parts[3])
{
    struct json_value body = {JSON_OBJECT, line->body.p, line->body.len};
    struct json_iter it = json_iter_begin(&body);

    if (line->has_model) {
        parts[0] = line->body;
        return 1;
    }
    if (it.p == it.end)
        model_member.len--; /* {}: no comma behind the only member */
    parts[0] = (struct slice){line->body.p, 1};
    parts[1] = model_member;
    parts[2] = (struct slice){line->body.p + 1, line->body.len - 1};
    return 3;
}
