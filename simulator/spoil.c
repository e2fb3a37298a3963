#include "simulator/spoil.h"

#include <json-c/json.h>
#include <string.h>

#include "simulator/text.h"

#define BIG_BYTES   ((size_t)5000000)
#define BLANK_EVERY 10

void spoil_string(struct buf *out, size_t from)
{
    struct json_object *root = json_tokener_parse(out->data + from);
    struct json_object *response = NULL;
    struct json_object *body = NULL;

    if (root != NULL && json_object_object_get_ex(root, "response", &response) &&
        json_object_object_get_ex(response, "body", &body)) {
        const int plain = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
        const char *text = json_object_to_json_string_ext(body, plain);

        (void)json_object_object_add(response, "body", json_object_new_string(text));
        out->len = from;
        text_put(out, json_object_to_json_string_ext(root, plain));
        text_put(out, "\n");
    }
    json_object_put(root);
}

void spoil_big(struct buf *out, size_t from)
{
    static const char body[] = "\"body\":{";
    static const char member[] = "\"padding\":\"";
    char *at = strstr(out->data + from, body);
    struct buf rest = TEXT_INIT;

    if (at == NULL)
        return;
    at += sizeof(body) - 1;
    text_put(&rest, at);
    out->len = (size_t)(at - out->data);
    text_put(out, member);
    if (buf_reserve(out, BIG_BYTES)) {
        memset(out->data + out->len, 'x', BIG_BYTES);
        out->len += BIG_BYTES;
    }
    text_put(out, rest.data[0] == '}' ? "\"" : "\",");
    text_put(out, rest.data);
    buf_release(&rest);
}

void spoil_torn(struct buf *out, size_t from)
{
    out->len = from + (out->len - from) / 2;
    text_put(out, "\n");
}

void spoil_glued(struct buf *out, size_t from)
{
    struct buf whole = TEXT_INIT;

    text_put(&whole, out->data + from);
    out->len = from + (out->len - from) / 2;
    text_put(out, whole.data);
    buf_release(&whole);
}

/* One line, whose end is already gone, as @l has it. */
static void put_line(struct layout *l, struct buf *out, const char *line, size_t len)
{
    const char *end = l->crlf ? "\r\n" : "\n";

    if (l->bom && l->lines == 0)
        text_put(out, "\xef\xbb\xbf");
    text_bytes(out, line, len);
    text_put(out, end);
    l->lines++;
    if (l->blank_lines && l->lines % BLANK_EVERY == 0)
        text_put(out, end);
}

void layout_apply(struct layout *l, struct buf *out, size_t from)
{
    struct buf plain = TEXT_INIT;

    if ((!l->crlf && !l->bom && !l->blank_lines) || out->len == from)
        return;
    text_bytes(&plain, out->data + from, out->len - from);
    out->len = from;
    for (size_t at = 0; at < plain.len;) {
        const char *line = plain.data + at;
        const char *lf = memchr(line, '\n', plain.len - at);
        size_t len = lf != NULL ? (size_t)(lf - line) : plain.len - at;

        put_line(l, out, line, len);
        at += len + 1;
    }
    buf_release(&plain);
}
