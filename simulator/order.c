#include "simulator/order.h"

#include <json-c/json.h>
#include <string.h>

#include "simulator/options.h"
#include "simulator/request.h"
#include "simulator/sim.h"

#define META_PAIRS 16
#define META_KEY   64
#define META_VALUE 512

static const char *const openai_endpoints[] = {"/v1/responses", "/v1/chat/completions",
                                               "/v1/embeddings", "/v1/completions",
                                               "/v1/moderations"};
static const char *const zhipu_endpoints[] = {"/v4/chat/completions", "/v4/embeddings"};

static struct json_object *parse(const struct buf *body)
{
    struct json_tokener *tok = json_tokener_new();
    struct json_object *root = NULL;

    if (tok == NULL)
        return NULL;
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    if (body->len != 0)
        root = json_tokener_parse_ex(tok, body->data, (int)body->len + 1);
    json_tokener_free(tok);
    if (root != NULL && !json_object_is_type(root, json_type_object)) {
        json_object_put(root);
        root = NULL;
    }
    return root;
}

/* A required string; NULL, with the request answered, when it is not there or not one. */
static const char *required_text(struct request *rq, struct json_object *root, const char *name)
{
    struct json_object *value = NULL;

    (void)json_object_object_get_ex(root, name, &value);
    if (value == NULL) {
        request_problem(rq, problem(400, name, "missing_required_parameter", "1213"),
                        "Missing required parameter: '%s'.", name);
        return NULL;
    }
    if (!json_object_is_type(value, json_type_string)) {
        request_problem(rq, problem(400, name, "invalid_type", "1214"),
                        "Invalid type for '%s': expected a string.", name);
        return NULL;
    }
    return json_object_get_string(value);
}

static bool check_endpoint(struct request *rq, const char *endpoint)
{
    bool zhipu = rq->sim->opt->profile == PROFILE_ZHIPU;
    const char *const *list = zhipu ? zhipu_endpoints : openai_endpoints;
    size_t count = zhipu ? ARRAY_LEN(zhipu_endpoints) : ARRAY_LEN(openai_endpoints);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], endpoint) == 0)
            return true;
    }
    request_problem(rq, problem(400, "endpoint", "invalid_value", "1214"),
                    "Invalid value: '%.100s'. Supported values are: '/v1/responses', "
                    "'/v1/chat/completions', '/v1/embeddings', '/v1/completions', and "
                    "'/v1/moderations'.",
                    endpoint);
    return false;
}

static bool check_window(struct request *rq, struct json_object *root)
{
    /* Zhipu has given the parameter up. */
    if (rq->sim->opt->profile == PROFILE_ZHIPU)
        return true;
    const char *window = required_text(rq, root, "completion_window");
    if (window == NULL)
        return false;
    if (strcmp(window, "24h") == 0)
        return true;
    request_problem(rq, problem(400, "completion_window", "invalid_value", "1214"),
                    "Invalid value: '%.50s'. Value must be '24h' for 'completion_window'.", window);
    return false;
}

static const char *type_name(struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null: return "null";
    case json_type_boolean: return "a boolean";
    case json_type_double: return "a decimal";
    case json_type_int: return "an integer";
    case json_type_object: return "an object";
    case json_type_array: return "an array";
    case json_type_string: return "a string";
    }
    return "something else";
}

static bool check_pair(struct request *rq, const char *key, struct json_object *value)
{
    char param[100] = "metadata.";

    strncat(param, key, META_KEY);
    if (strlen(key) > META_KEY) {
        request_problem(rq, problem(400, "metadata", "string_above_max_length", "1214"),
                        "Invalid 'metadata': a key is longer than %d characters.", META_KEY);
        return false;
    }
    if (!json_object_is_type(value, json_type_string)) {
        request_problem(rq, problem(400, param, "invalid_type", "1214"),
                        "Invalid type for '%s': expected a string, but got %s instead.", param,
                        type_name(value));
        return false;
    }
    if (json_object_get_string_len(value) > META_VALUE) {
        request_problem(rq, problem(400, param, "string_above_max_length", "1214"),
                        "Invalid '%s': string too long. Expected a string with maximum length %d.",
                        param, META_VALUE);
        return false;
    }
    return true;
}

static bool check_metadata(struct request *rq, struct json_object *root, const char **text)
{
    struct json_object *metadata = NULL;

    (void)json_object_object_get_ex(root, "metadata", &metadata);
    *text = NULL;
    if (metadata == NULL)
        return true;
    if (!json_object_is_type(metadata, json_type_object)) {
        request_problem(rq, problem(400, "metadata", "invalid_type", "1214"),
                        "Invalid type for 'metadata': expected an object, but got %s instead.",
                        type_name(metadata));
        return false;
    }
    if (json_object_object_length(metadata) > META_PAIRS) {
        request_problem(rq, problem(400, "metadata", "object_above_max_properties", "1214"),
                        "Invalid 'metadata': too many properties. Expected at most %d.",
                        META_PAIRS);
        return false;
    }
    struct json_object_iterator it = json_object_iter_begin(metadata);
    struct json_object_iterator end = json_object_iter_end(metadata);
    for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
        if (!check_pair(rq, json_object_iter_peek_name(&it), json_object_iter_peek_value(&it)))
            return false;
    }
    *text = json_object_to_json_string_ext(metadata,
                                           JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    return true;
}

static bool check_output_expiry(struct request *rq, struct json_object *root, int64_t *seconds)
{
    struct json_object *asked = NULL;
    struct json_object *anchor = NULL;
    struct json_object *value = NULL;

    *seconds = 0;
    if (!json_object_object_get_ex(root, "output_expires_after", &asked) || asked == NULL)
        return true;
    if (json_object_is_type(asked, json_type_object)) {
        (void)json_object_object_get_ex(asked, "anchor", &anchor);
        (void)json_object_object_get_ex(asked, "seconds", &value);
    }
    if (json_object_is_type(anchor, json_type_string) &&
        strcmp(json_object_get_string(anchor), "created_at") == 0 &&
        json_object_is_type(value, json_type_int))
        *seconds = json_object_get_int64(value);
    if (*seconds >= 3600 && *seconds <= 2592000)
        return true;
    request_problem(rq, problem(400, "output_expires_after", "invalid_value", "1214"),
                    "Invalid 'output_expires_after': expected an anchor 'created_at' and 3600 to "
                    "2592000 seconds.");
    return false;
}

/* Zhipu's switch, on unless it says false. */
static bool read_auto_delete(struct json_object *root)
{
    struct json_object *value = NULL;

    return !json_object_object_get_ex(root, "auto_delete_input_file", &value) || value == NULL ||
           json_object_get_boolean(value);
}

bool order_read(struct order *order, struct request *rq)
{
    struct order got = {.root = parse(&rq->body)};

    if (got.root == NULL) {
        request_problem(rq, problem(400, NULL, NULL, "1210"),
                        "We could not parse the JSON body of your request.");
        return false;
    }
    got.input_file_id = required_text(rq, got.root, "input_file_id");
    if (got.input_file_id != NULL)
        got.endpoint = required_text(rq, got.root, "endpoint");
    if (got.endpoint == NULL || !check_endpoint(rq, got.endpoint) || !check_window(rq, got.root) ||
        !check_metadata(rq, got.root, &got.metadata) ||
        !check_output_expiry(rq, got.root, &got.output_expires_s)) {
        json_object_put(got.root);
        return false;
    }
    got.auto_delete = read_auto_delete(got.root);
    *order = got;
    return true;
}

void order_release(struct order *order)
{
    json_object_put(order->root);
    *order = (struct order){0};
}
