#include "simulator/order.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "simulator/deadline.h"
#include "simulator/dialect.h"
#include "simulator/options.h"
#include "simulator/request.h"
#include "simulator/sim.h"
#include "simulator/text.h"

#define META_PAIRS 16
#define META_KEY   64
#define META_VALUE 512

/* DashScope */
#define DS_NAME_MAX        100
#define DS_DESCRIPTION_MAX 200

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

/* "'a', 'b', and 'c'". */
static void write_values(const char *const *names, struct buf *out)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        bool last = names[i + 1] == NULL;

        text_f(out, "%s%s'%s'", i == 0 ? "" : ", ", last && i > 0 ? "and " : "", names[i]);
    }
}

static bool check_endpoint(struct request *rq, const char *endpoint)
{
    struct buf values = TEXT_INIT;

    if (dialect_lists(rq->sim->opt->dialect->batches.endpoints, endpoint))
        return true;
    write_values(rq->sim->opt->dialect->batches.endpoints, &values);
    request_problem(rq, problem(400, "endpoint", "invalid_value", "1214"),
                    "Invalid value: '%.100s'. Supported values are: %s.", endpoint, values.data);
    buf_release(&values);
    return false;
}

static const char *window_values(enum dialect_window kind)
{
    switch (kind) {
    case DIALECT_WINDOW_HOURS: return "between '24h' and the longest window";
    case DIALECT_WINDOW_NAMES: return "'24h', '1h' or 'background'";
    case DIALECT_WINDOW_DAY:
    case DIALECT_WINDOW_NONE:
    case DIALECT_WINDOW_LATE: break;
    }
    return "'24h'";
}

static bool check_window(struct request *rq, struct order *order)
{
    const struct dialect_batches *d = &rq->sim->opt->dialect->batches;

    /* Zhipu has given the parameter up. */
    if (d->window == DIALECT_WINDOW_NONE)
        return deadline_hours(d, NULL, &order->window_h);
    order->window = required_text(rq, order->root, "completion_window");
    if (order->window == NULL)
        return false;
    if (deadline_hours(d, order->window, &order->window_h))
        return true;
    request_problem(rq, problem(400, "completion_window", "invalid_value", "1214"),
                    "Invalid value: '%.50s'. Value must be %s for 'completion_window'.",
                    order->window, window_values(d->window));
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

static bool check_ds_name(struct request *rq, struct json_object *metadata, const char *key,
                          int max)
{
    struct json_object *value = NULL;

    if (!json_object_object_get_ex(metadata, key, &value) ||
        json_object_get_string_len(value) <= max)
        return true;
    request_problem(rq, problem(400, "metadata", "string_above_max_length", NULL),
                    "Invalid 'metadata.%s': string too long. Expected a string with maximum "
                    "length %d.",
                    key, max);
    return false;
}

static int plain(char c)
{
    if (c == '-')
        return '_';
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Whether @key is @name to Doubleword: case does not matter, nor '-' for '_'. */
static bool means_key(const char *key, const char *name)
{
    for (; *key != '\0' && *name != '\0'; key++, name++) {
        if (plain(*key) != *name)
            return false;
    }
    return *key == *name;
}

/* Whether Doubleword keeps the metadata key @key for itself. */
static bool is_reserved(const char *key)
{
    static const char *const names[] = {"created_by_email", "context_name", "context_type",
                                        "request_source",   "created_by",   "dw_user_agent"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (means_key(key, names[i]))
            return true;
    }
    return false;
}

/* Replaces the order's metadata by what Doubleword keeps: its own keys, and ours but reserved ones.
 */
static struct json_object *with_own_keys(struct json_object *root, struct json_object *metadata)
{
    struct json_object *kept = json_object_new_object();

    if (metadata != NULL) {
        json_object_object_foreach(metadata, key, value)
        {
            if (!is_reserved(key))
                json_object_object_add(kept, key, json_object_get(value));
        }
    }
    json_object_object_add(kept, "request_source", json_object_new_string("api"));
    json_object_object_add(kept, "created_by_email", json_object_new_string("sim@example.org"));
    json_object_object_add(root, "metadata", kept);
    return kept;
}

static bool check_metadata(struct request *rq, struct json_object *root, const char **text)
{
    const struct dialect_batches *d = &rq->sim->opt->dialect->batches;
    struct json_object *metadata = NULL;

    (void)json_object_object_get_ex(root, "metadata", &metadata);
    *text = NULL;
    if (metadata == NULL && d->keys_reserved)
        metadata = with_own_keys(root, NULL);
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
    if (d->ds_names && (!check_ds_name(rq, metadata, "ds_name", DS_NAME_MAX) ||
                        !check_ds_name(rq, metadata, "ds_description", DS_DESCRIPTION_MAX)))
        return false;
    if (d->keys_reserved)
        metadata = with_own_keys(root, metadata);
    *text = json_object_to_json_string_ext(metadata,
                                           JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    return true;
}

static bool check_output_expiry(struct request *rq, struct json_object *root, int64_t *seconds)
{
    const struct dialect_files *d = &rq->sim->opt->dialect->files;
    struct json_object *asked = NULL;
    struct json_object *anchor = NULL;
    struct json_object *value = NULL;

    *seconds = 0;
    if (d->anchor == NULL)
        return true; /* unknown to it */
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
    if (*seconds >= (int64_t)d->expires_min_s && *seconds <= (int64_t)d->expires_max_s)
        return true;
    request_problem(rq, problem(400, "output_expires_after", "invalid_value", "1214"),
                    "Invalid 'output_expires_after': expected an anchor 'created_at' and %" PRIu64
                    " to %" PRIu64 " seconds.",
                    d->expires_min_s, d->expires_max_s);
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
    if (got.endpoint == NULL || !check_endpoint(rq, got.endpoint) || !check_window(rq, &got) ||
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
