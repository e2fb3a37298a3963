/* $ref: from the pointer to the schema it names, and no way round in a circle. */
#include <string.h>

#include "common/recipe/json_place.h"
#include "common/recipe/schema_node.h"

#define REF_MAX 512

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 3986, percent-encoding, in place. False when a percent sign is followed by something else. */
static bool decode_percent(char *text)
{
    char *out = text;

    for (; *text != '\0'; text++) {
        if (*text != '%') {
            *out++ = *text;
            continue;
        }

        int high = hex(text[1]);
        int low = high < 0 ? -1 : hex(text[2]);

        if (low < 0 || high + low == 0)
            return false;
        *out++ = (char)(high * 16 + low);
        text += 2;
    }
    *out = '\0';
    return true;
}

/* RFC 6901: "~1" is a slash, "~0" a tilde; in place. */
static void decode_token(char *token)
{
    char *out = token;

    for (; *token != '\0'; token++) {
        if (*token == '~' && (token[1] == '0' || token[1] == '1')) {
            *out++ = token[1] == '0' ? '~' : '/';
            token++;
        } else {
            *out++ = *token;
        }
    }
    *out = '\0';
}

/* Element @token of a list. */
static struct json_value element(const struct json_value *list, const char *token)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value value = {.kind = JSON_ABSENT};
    size_t n = 0;

    for (const char *p = token; *p != '\0'; p++) {
        if (*p < '0' || *p > '9' || n > 1000000)
            return (struct json_value){.kind = JSON_ABSENT};
        n = n * 10 + (size_t)(*p - '0');
    }
    for (size_t i = 0; i <= n; i++)
        if (!json_iter_next(&it, NULL, &value))
            return (struct json_value){.kind = JSON_ABSENT};
    return value;
}

/* What the JSON pointer leads to, from @value on; absent when there is nothing. */
static struct json_value follow(struct json_value value, char *pointer)
{
    char *next = pointer;

    while (next != NULL && value.kind != JSON_ABSENT) {
        char *token = next;

        next = strchr(token, '/');
        if (next != NULL)
            *next++ = '\0';
        decode_token(token);
        value = value.kind == JSON_ARRAY ? element(&value, token) : json_member(&value, token);
    }
    return value;
}

static struct schema_node *node_at(const struct schema *schema, const struct json_value *value)
{
    for (size_t i = 0; value->kind != JSON_ABSENT && i < schema->count; i++)
        if (schema->nodes[i]->at.text == value->text)
            return schema->nodes[i];
    return NULL;
}

static bool resolve(const struct schema *schema, const struct json_file *file,
                    struct schema_node *n, struct err *err)
{
    struct json_value target = schema->nodes[0]->at;
    char ref[REF_MAX];

    if (!json_string_decode(&n->ref_text, ref, sizeof(ref), NULL) || ref[0] != '#' ||
        (ref[1] != '\0' && ref[1] != '/') || !decode_percent(ref))
        return json_place_fail(file, n->ref_text.text, err,
                               "$ref must be \"#\" or \"#/...\", inside the same schema");
    if (ref[1] != '\0')
        target = follow(target, ref + 2);
    n->ref = node_at(schema, &target);
    return n->ref != NULL ||
           json_place_fail(file, n->ref_text.text, err, "there is no schema at $ref %.*s",
                           (int)n->ref_text.len, n->ref_text.text);
}

/* NOLINTBEGIN(misc-no-recursion): each schema is gone through once */
/*
 * Whether @n leads back to itself by ways that stay at the same place of an answer. Those go
 * through a node once; members and elements are deeper, so they are no such way.
 */
static bool circles(struct schema_node *n);

static bool any_circles(const struct schema_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (circles(list->nodes[i]))
            return true;
    return false;
}

static bool circles(struct schema_node *n)
{
    bool found = false;

    if (n == NULL || n->done)
        return false;
    if (n->open)
        return true;
    n->open = true;
    found = circles(n->ref) || circles(n->forbidden) || any_circles(&n->all) ||
            any_circles(&n->any) || any_circles(&n->one);
    n->open = false;
    n->done = true;
    return found;
}

/* NOLINTEND(misc-no-recursion) */

bool schema_resolve(struct schema *schema, const char *name, struct err *err)
{
    struct json_file file = {name, schema->text, schema->len};

    for (size_t i = 0; i < schema->count; i++) {
        struct schema_node *n = schema->nodes[i];

        if (n->ref_text.kind != JSON_ABSENT && !resolve(schema, &file, n, err))
            return false;
    }
    for (size_t i = 0; i < schema->count; i++)
        if (circles(schema->nodes[i]))
            return json_place_fail(&file, schema->nodes[i]->at.text, err,
                                   "this schema refers to itself without end");
    return true;
}
