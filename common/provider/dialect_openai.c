/* OpenAI's API and those made after it; where they differ, the profile says how. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/provider/dialect.h"

#define BODY_MAX_BYTES ((size_t)64 << 10)

/* base URL + path + id + behind */
/* clang-format off */
static const struct route {
    const char *path, *behind;
    enum http_method method;
    char page; /* listings: what comes before the parameters of a page */
} routes[] = {
    [PROVIDER_OP_UPLOAD]      = {"/files", "", HTTP_POST, 0},
    [PROVIDER_OP_CREATE]      = {"/batches", "", HTTP_POST, 0},
    [PROVIDER_OP_GET]         = {"/batches/", "", HTTP_GET, 0},
    [PROVIDER_OP_CANCEL]      = {"/batches/", "/cancel", HTTP_POST, 0},
    [PROVIDER_OP_LIST]        = {"/batches", "", HTTP_GET, '?'},
    [PROVIDER_OP_FILE_GET]    = {"/files/", "", HTTP_GET, 0},
    [PROVIDER_OP_FILE_DELETE] = {"/files/", "", HTTP_DELETE, 0},
    [PROVIDER_OP_FILE_LIST]   = {"/files?purpose=batch", "", HTTP_GET, '&'},
    [PROVIDER_OP_CONTENT]     = {"/files/", "/content", HTTP_GET, 0},
    [PROVIDER_OP_MODELS]      = {"/models", "", HTTP_GET, 0},
};
/* clang-format on */

static bool append_encoded(struct buf *out, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text != '\0'; text++) {
        bool ok = strchr(plain, *text) != NULL ? buf_append(out, text, 1)
                                               : buf_printf(out, "%%%02X", (unsigned char)*text);

        if (!ok)
            return false;
    }
    return true;
}

static bool append_page(struct buf *out, const struct provider_profile *profile,
                        const struct dialect_ask *ask)
{
    if (ask->op == PROVIDER_OP_FILE_LIST && profile->files_unpaged)
        return true;
    if (!buf_printf(out, "%climit=%u", routes[ask->op].page, ask->limit))
        return false;
    return ask->after[0] == '\0' ||
           (buf_printf(out, "&%s=", profile->list_cursor) && append_encoded(out, ask->after));
}

static void build_url(const struct provider_profile *profile, const char *base_url,
                      const struct dialect_ask *ask, struct buf *out)
{
    const struct route *route = &routes[ask->op];

    *out = BUF_INIT(DIALECT_URL_MAX - 1);
    /* provider_new() bounds the base; ids are at most 127 bytes, three times that when encoded. */
    if (!buf_printf(out, "%s%s", base_url, route->path) ||
        (route->page != 0 && !append_page(out, profile, ask)) ||
        (ask->id != NULL && !append_encoded(out, ask->id)) || !buf_printf(out, "%s", route->behind))
        log_fatal("ev=provider_url_too_long op=%s", provider_operation_name(ask->op));
}

/* Append "name":"before text" as JSON, with a comma unless it is the first of its object. */
static bool add_text(struct buf *json, const char *name, const char *before, const char *text)
{
    bool first = json->len > 0 && json->data[json->len - 1] == '{';

    if (name == NULL || text == NULL || text[0] == '\0')
        return true;
    if (!buf_printf(json, "%s\"%s\":\"%s", first ? "" : ",", name, before))
        return false;
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool ok = c < 0x20                ? buf_printf(json, "\\u%04x", c)
                  : c == '"' || c == '\\' ? buf_printf(json, "\\%c", c)
                                          : buf_append(json, text, 1);

        if (!ok)
            return false;
    }
    return buf_append(json, "\"", 1);
}

static bool add_output_expiry(struct buf *json, const struct provider_profile *profile,
                              int64_t expires_after_s)
{
    if (!profile->output_expiry || expires_after_s == 0)
        return true;
    return buf_printf(
        json, ",\"output_expires_after\":{\"anchor\":\"created_at\",\"seconds\":%" PRId64 "}",
        expires_after_s);
}

static bool add_metadata(struct buf *json, const struct provider_profile *profile,
                         const struct dialect_ask *ask)
{
    bool all = profile->has_metadata;

    if (!all && profile->metadata_name == NULL)
        return true;
    return buf_printf(json, ",\"metadata\":{") &&
           add_text(json, profile->metadata_name, "sheaf-", ask->bid) &&
           (!all || (add_text(json, "sheaf_bid", "", ask->bid) &&
                     add_text(json, "sheaf_job", "", ask->job) &&
                     add_text(json, "sheaf_cluster", "", ask->cluster))) &&
           buf_append(json, "}", 1);
}

static void build_create(const struct provider_profile *profile, const struct dialect_ask *ask,
                         struct buf *json)
{
    const char *endpoint = provider_endpoint_for(profile, ask->endpoint);
    const char *keep = profile->keeps_input_file ? ",\"auto_delete_input_file\":false" : "";

    *json = BUF_INIT(BODY_MAX_BYTES);
    if (!buf_append(json, "{", 1) || !add_text(json, "input_file_id", "", ask->file_id) ||
        !add_text(json, "endpoint", "", endpoint) ||
        !add_text(json, "completion_window", "", profile->completion_window) ||
        !buf_printf(json, "%s", keep) ||
        !add_output_expiry(json, profile, ask->limits->expires_after_s) ||
        !add_metadata(json, profile, ask) || !buf_append(json, "}", 1))
        log_fatal("ev=create_call_too_long max=%zu", BODY_MAX_BYTES);
}

static void add_field(struct dialect_request *out, const char *name, const char *value)
{
    struct dialect_field *field = &out->fields[out->field_count++];

    field->name = name;
    (void)snprintf(field->value, sizeof(field->value), "%s", value);
}

static void build_form(const struct provider_profile *profile, const struct dialect_ask *ask,
                       struct dialect_request *out)
{
    bool dots = profile->upload_expiry == PROVIDER_EXPIRY_DOTS;
    char seconds[32];

    add_field(out, "purpose", "batch");
    if (profile->upload_expiry == PROVIDER_EXPIRY_NONE || ask->limits->expires_after_s == 0)
        return;
    (void)snprintf(seconds, sizeof(seconds), "%" PRId64, ask->limits->expires_after_s);
    add_field(out, dots ? "expires_after.anchor" : "expires_after[anchor]", "created_at");
    add_field(out, dots ? "expires_after.seconds" : "expires_after[seconds]", seconds);
}

static void build(const struct provider_profile *profile, const char *base_url,
                  const struct dialect_ask *ask, struct dialect_request *out)
{
    *out = (struct dialect_request){.method = routes[ask->op].method};
    build_url(profile, base_url, ask, &out->url);
    if (ask->op == PROVIDER_OP_UPLOAD)
        build_form(profile, ask, out);
    if (ask->op == PROVIDER_OP_CREATE)
        build_create(profile, ask, &out->body);
    out->has_body = ask->op == PROVIDER_OP_CREATE || ask->op == PROVIDER_OP_CANCEL;
    out->once = ask->op == PROVIDER_OP_CREATE || ask->op == PROVIDER_OP_UPLOAD;
}

void dialect_request_release(struct dialect_request *request)
{
    buf_release(&request->url);
    buf_release(&request->body);
}

const struct provider_dialect provider_dialect_openai = {
    .build = build,
    .read_batch = remote_batch_parse,
    .read_file = remote_file_parse,
    .read_batches = remote_batch_page_parse,
    .read_files = remote_file_page_parse,
};
