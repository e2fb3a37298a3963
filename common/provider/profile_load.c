/* The part of the configuration file under "providers:". */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/nearest.h"
#include "common/base/units.h"
#include "common/base/xmem.h"
#include "common/provider/profile.h"

#define NAME_MAX_BYTES 31
#define COUNT_MAX      INT64_C(1000000000)
#define YEAR_MS        (365 * INT64_C(86400) * 1000)

enum kind {
    KIND_TEXT,
    KIND_TEXT_OR_NONE, /* "none" is NULL */
    KIND_URL,
    KIND_FLAG,   /* bool */
    KIND_EXPIRY, /* enum provider_expiry */
    KIND_COUNT,  /* uint32_t */
    KIND_LARGE,  /* uint64_t */
    KIND_SIZE,   /* uint64_t */
    KIND_TIME,   /* int64_t, milliseconds */
    KIND_SECONDS /* int64_t, given as a duration */
};

struct field {
    const char *name;
    enum kind kind;
    size_t offset; /* in struct provider_profile */
    int64_t min, max;
};

#define AT(member)    offsetof(struct provider_profile, member)
#define LIMIT(member) offsetof(struct provider_profile, limits.member)
#define TIME(name, to)                         \
    {                                          \
        name, KIND_TIME, LIMIT(to), 0, YEAR_MS \
    }

/* clang-format off */
static const struct field fields[] = {
    {"base_url",          KIND_URL,          AT(base_url),          0, 0},
    {"auth_header",       KIND_TEXT,         AT(auth_header),       0, 0},
    {"file_type",         KIND_TEXT,         AT(file_type),         0, 0},
    {"completion_window", KIND_TEXT_OR_NONE, AT(completion_window), 0, 0},
    {"metadata_name",     KIND_TEXT_OR_NONE, AT(metadata_name),     0, 0},
    {"list_cursor",       KIND_TEXT,         AT(list_cursor),       0, 0},
    {"upload_expiry",     KIND_EXPIRY,       AT(upload_expiry),     0, 0},
    {"output_expiry",     KIND_FLAG,         AT(output_expiry),     0, 0},
    {"has_metadata",      KIND_FLAG,         AT(has_metadata),      0, 0},
    {"keeps_input_file",  KIND_FLAG,         AT(keeps_input_file),  0, 0},
    {"has_file_get",      KIND_FLAG,         AT(has_file_get),      0, 0},
    {"files_unpaged",     KIND_FLAG,         AT(files_unpaged),     0, 0},
    {"validates_upload",  KIND_FLAG,         AT(validates_upload),  0, 0},
    {NULL, KIND_TEXT, 0, 0, 0},
};

static const struct field limit_fields[] = {
    {"max_requests",      KIND_COUNT,   LIMIT(max_requests),      1, COUNT_MAX},
    {"max_bytes",         KIND_SIZE,    LIMIT(max_bytes),         1, INT64_MAX},
    {"margin_pct",        KIND_COUNT,   LIMIT(margin_pct),        0, 90},
    {"max_line_bytes",    KIND_SIZE,    LIMIT(max_line_bytes),    0, INT64_MAX},
    {"custom_id_min",     KIND_COUNT,   LIMIT(custom_id_min),     0, 64},
    {"custom_id_max",     KIND_COUNT,   LIMIT(custom_id_max),     1, 64},
    {"batches_alive",     KIND_COUNT,   LIMIT(batches_alive),     1, COUNT_MAX},
    {"creates_per_hour",  KIND_COUNT,   LIMIT(creates_per_hour),  0, COUNT_MAX},
    {"uploads_per_min",   KIND_COUNT,   LIMIT(uploads_per_min),   0, COUNT_MAX},
    {"polls_per_min",     KIND_COUNT,   LIMIT(polls_per_min),     0, COUNT_MAX},
    {"files_stored",      KIND_COUNT,   LIMIT(files_stored),      0, COUNT_MAX},
    {"storage_bytes",     KIND_SIZE,    LIMIT(storage_bytes),     0, INT64_MAX},
    {"enqueued_tokens",   KIND_LARGE,   LIMIT(enqueued_tokens),   0, INT64_MAX},
    {"enqueued_requests", KIND_LARGE,   LIMIT(enqueued_requests), 0, INT64_MAX},
    {"expires_after",     KIND_SECONDS, LIMIT(expires_after_s),   0, YEAR_MS},
    TIME("poll_min", poll_min_ms),
    TIME("visibility_lag", visibility_lag_ms),
    TIME("output_kept", output_kept_ms),
    TIME("window", window_ms),
    TIME("stuck_validating", stuck_validating_ms),
    TIME("stuck_finalizing", stuck_finalizing_ms),
    TIME("stuck_running", stuck_running_ms),
    TIME("stuck_cancel", stuck_cancel_ms),
    TIME("stuck_cancelling", stuck_cancelling_ms),
    {NULL, KIND_TEXT, 0, 0, 0},
};
/* clang-format on */

/* What a provider may have beside fields[]. */
static const char *const others[] = {"like", "key_env", "endpoints", "limits", NULL};

/* ---- the box ---- */

static const char *own(struct provider_profile_box *box, const char *text)
{
    box->owned = xrealloc(box->owned, box->owned_count + 1, sizeof(*box->owned));
    box->owned[box->owned_count] = xstrdup(text);
    return box->owned[box->owned_count++];
}

void provider_profile_release(struct provider_profile_box *box)
{
    for (size_t i = 0; i < box->owned_count; i++)
        free(box->owned[i]);
    free(box->owned);
    free(box->endpoints);
    free(box->key_names);
    *box = (struct provider_profile_box){0};
}

/* ---- values ---- */

static bool parse_flag(const char *text, bool *out, struct err *err)
{
    *out = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
    if (*out || strcmp(text, "false") == 0 || strcmp(text, "no") == 0)
        return true;
    return err_set(err, ERR_USAGE, "\"%s\" is not true or false", text);
}

static bool parse_expiry(const char *text, enum provider_expiry *out, struct err *err)
{
    static const char *const words[] = {"none", "brackets", "dots"};

    for (int i = PROVIDER_EXPIRY_NONE; i <= PROVIDER_EXPIRY_DOTS; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = (enum provider_expiry)i;
            return true;
        }
    }
    return err_set(err, ERR_USAGE, "\"%s\" is not one of none, brackets, dots", text);
}

/* Texts of the profile go into headers, forms and queries. */
static bool parse_text(struct provider_profile_box *box, const char *text, const char **out,
                       struct err *err)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < ' ' || *p > '~')
            return err_set(err, ERR_USAGE, "only plain ASCII can stand here");
    }
    *out = own(box, text);
    return true;
}

static bool parse_url(struct provider_profile_box *box, const char *text, const char **out,
                      struct err *err)
{
    size_t len = strlen(text);
    char *url = xstrdup(text);
    bool ok = false;

    while (len > 0 && url[len - 1] == '/')
        url[--len] = '\0';
    ok = provider_check_base_url(&box->profile, url, err);
    if (ok) {
        *out = own(box, url);
        box->profile.base_url_varies = false;
    }
    free(url);
    return ok;
}

static bool parse_number(const struct field *f, const char *text, int64_t *out, struct err *err)
{
    uint64_t size = 0;
    bool ok = false;

    if (f->kind == KIND_SIZE) {
        ok = units_parse_size(text, &size, err);
        *out = (int64_t)size; /* the parser stops at INT64_MAX */
    } else if (f->kind == KIND_TIME || f->kind == KIND_SECONDS) {
        ok = units_parse_duration(text, out, err);
    } else {
        ok = units_parse_count(text, out, err);
    }
    if (ok && *out < f->min)
        return err_set(err, ERR_USAGE, "\"%s\" is too small", text);
    if (ok && *out > f->max)
        return err_set(err, ERR_USAGE, "\"%s\" is too large", text);
    return ok;
}

static bool store_number(const struct field *f, const char *text, void *to, struct err *err)
{
    int64_t number = 0;

    if (!parse_number(f, text, &number, err))
        return false;
    if (f->kind == KIND_COUNT)
        *(uint32_t *)to = (uint32_t)number;
    else if (f->kind == KIND_LARGE || f->kind == KIND_SIZE)
        *(uint64_t *)to = (uint64_t)number;
    else
        *(int64_t *)to = f->kind == KIND_SECONDS ? number / 1000 : number;
    return true;
}

/* Into the limits, and into those that the file sets: all numbers of a profile are limits. */
static bool store_limit(const struct field *f, const char *text, void *to, struct err *err)
{
    return store_number(f, text, to, err) &&
           store_number(f, text, (char *)to + AT(said) - AT(limits), err);
}

static bool store(struct provider_profile_box *box, const struct field *f, const char *text,
                  struct err *err)
{
    void *to = (char *)&box->profile + f->offset;

    switch (f->kind) {
    case KIND_TEXT_OR_NONE:
        if (strcmp(text, "none") == 0) {
            *(const char **)to = NULL;
            return true;
        }
        return parse_text(box, text, to, err);
    case KIND_TEXT: return parse_text(box, text, to, err);
    case KIND_URL: return parse_url(box, text, to, err);
    case KIND_FLAG: return parse_flag(text, to, err);
    case KIND_EXPIRY: return parse_expiry(text, to, err);
    case KIND_COUNT:
    case KIND_LARGE:
    case KIND_SIZE:
    case KIND_TIME:
    case KIND_SECONDS: return store_limit(f, text, to, err);
    }
    return false;
}

/* ---- nodes ---- */

static bool unknown(const struct tree *tree, size_t i, const char *near, struct err *err)
{
    err_set(err, ERR_USAGE, "unknown key \"%s\"%s%s%s", tree->nodes[i].key,
            near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
            near != NULL ? "\"?" : "");
    return tree_fail(tree, i, err);
}

static bool needs_value(const struct tree *tree, size_t i, struct err *err)
{
    if (tree->nodes[i].value != NULL)
        return true;
    err_set(err, ERR_USAGE, "%s: needs one value",
            tree->nodes[i].key[0] != '\0' ? tree->nodes[i].key : "an item");
    return tree_fail(tree, i, err);
}

static bool needs_inside(const struct tree *tree, size_t i, struct err *err)
{
    if (tree->nodes[i].value == NULL)
        return true;
    err_set(err, ERR_USAGE, "%s: needs a mapping, not one value", tree->nodes[i].key);
    return tree_fail(tree, i, err);
}

/* Node @i as one of @table; @more are names that are good as well, for "did you mean". */
static bool apply_field(struct provider_profile_box *box, const struct tree *tree, size_t i,
                        const struct field *table, const char *const *more, struct err *err)
{
    const struct tree_node *node = &tree->nodes[i];
    struct nearest near = {.word = node->key, .name = NULL};

    for (; table->name != NULL; table++) {
        if (nearest_same(table->name, node->key)) {
            if (!needs_value(tree, i, err))
                return false;
            if (store(box, table, node->value, err))
                return true;
            err_wrap(err, "%s", table->name);
            return tree_fail(tree, i, err);
        }
        (void)nearest_look(&near, table->name);
    }
    for (; more != NULL && *more != NULL; more++)
        (void)nearest_look(&near, *more);
    return unknown(tree, i, near.name, err);
}

static bool apply_limits(struct provider_profile_box *box, const struct tree *tree, size_t i,
                         struct err *err)
{
    size_t end = i + 1 + tree_inside(tree, i);

    if (!needs_inside(tree, i, err))
        return false;
    for (size_t n = i + 1; n < end; n += 1 + tree_inside(tree, n)) {
        if (!apply_field(box, tree, n, limit_fields, NULL, err))
            return false;
    }
    return true;
}

static bool is_variable(const char *name)
{
    if (isdigit((unsigned char)name[0]) || name[0] == '\0')
        return false;
    while (isalnum((unsigned char)*name) || *name == '_')
        name++;
    return *name == '\0';
}

/* One name, or a list of them. */
static bool apply_key_env(struct provider_profile_box *box, const struct tree *tree, size_t i,
                          struct err *err)
{
    size_t inside = tree_inside(tree, i);
    size_t first = tree->nodes[i].value != NULL ? i : i + 1;
    size_t count = 0;

    free(box->key_names);
    box->key_names = xcalloc(inside + 2, sizeof(*box->key_names));
    for (size_t n = first; n <= i + inside; n++) {
        if (!needs_value(tree, n, err))
            return false;
        if (!is_variable(tree->nodes[n].value)) {
            err_set(err, ERR_USAGE, "\"%s\" is no name of an environment variable",
                    tree->nodes[n].value);
            return tree_fail(tree, n, err);
        }
        box->key_names[count++] = own(box, tree->nodes[n].value);
    }
    box->profile.key_names = box->key_names;
    return true;
}

/* "as" and "max_requests" of one endpoint. */
static bool apply_endpoint_part(struct provider_profile_box *box, const struct tree *tree, size_t n,
                                struct provider_endpoint *out, struct err *err)
{
    static const struct field requests = {"max_requests", KIND_COUNT, 0, 1, COUNT_MAX};
    static const char *const names[] = {"as", "max_requests", NULL};
    const struct tree_node *node = &tree->nodes[n];

    if (!nearest_same(node->key, names[0]) && !nearest_same(node->key, names[1]))
        return unknown(tree, n, nearest_of(node->key, names), err);
    if (!needs_value(tree, n, err))
        return false;
    if (nearest_same(node->key, names[0])) {
        out->theirs = own(box, node->value);
        return true;
    }
    if (store_number(&requests, node->value, &out->max_requests, err))
        return true;
    err_wrap(err, "%s", requests.name);
    return tree_fail(tree, n, err);
}

static bool apply_endpoint(struct provider_profile_box *box, const struct tree *tree, size_t i,
                           struct provider_endpoint *out, struct err *err)
{
    const struct tree_node *node = &tree->nodes[i];
    size_t end = i + 1 + tree_inside(tree, i);

    if (node->key[0] != '/') {
        err_set(err, ERR_USAGE, "\"%s\" is no endpoint, such as /v1/embeddings", node->key);
        return tree_fail(tree, i, err);
    }
    out->url = own(box, node->key);
    out->theirs = node->value != NULL ? own(box, node->value)
                                      : own(box, provider_endpoint_for(&box->profile, node->key));
    for (size_t n = i + 1; n < end; n += 1 + tree_inside(tree, n)) {
        if (!apply_endpoint_part(box, tree, n, out, err))
            return false;
    }
    if (out->theirs[0] == '/')
        return true;
    err_set(err, ERR_USAGE, "\"%s\" is no endpoint, such as /v1/embeddings", out->theirs);
    return tree_fail(tree, i, err);
}

/* Those of the file come first: the first that fits counts. */
static bool apply_endpoints(struct provider_profile_box *box, const struct tree *tree, size_t i,
                            struct err *err)
{
    const struct provider_endpoint *base = box->profile.endpoints;
    size_t inside = tree_inside(tree, i);
    size_t count = 0;
    size_t built_in = 0;

    if (!needs_inside(tree, i, err))
        return false;
    while (base[built_in].url != NULL)
        built_in++;
    box->endpoints = xcalloc(inside + built_in + 1, sizeof(*box->endpoints));
    for (size_t n = i + 1; n <= i + inside; n += 1 + tree_inside(tree, n)) {
        if (!apply_endpoint(box, tree, n, &box->endpoints[count++], err))
            return false;
    }
    memcpy(box->endpoints + count, base, built_in * sizeof(*base));
    box->profile.endpoints = box->endpoints;
    return true;
}

/* ---- one provider ---- */

/* The child of node @i with that key, or @i when there is none. */
static size_t child(const struct tree *tree, size_t i, const char *key)
{
    size_t end = i + 1 + tree_inside(tree, i);

    for (size_t n = i + 1; n < end; n += 1 + tree_inside(tree, n)) {
        if (nearest_same(tree->nodes[n].key, key))
            return n;
    }
    return i;
}

static bool name_is_valid(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t len = strlen(name);

    return len > 0 && len <= NAME_MAX_BYTES && strspn(name, letters) == len;
}

/* The built-in profile that provider @i starts from; NULL with @err. */
static const struct provider_profile *base_of(const struct tree *tree, size_t i, struct err *err)
{
    const char *name = tree->nodes[i].key;
    size_t like = child(tree, i, "like");
    const struct provider_profile *base = provider_profile_find(name);
    const char *word = name;

    if (!name_is_valid(name)) {
        err_set(err, ERR_USAGE, "\"%s\" cannot be a profile's name: up to %d of a-z 0-9 _ -", name,
                NAME_MAX_BYTES);
        (void)tree_fail(tree, i, err);
        return NULL;
    }
    if (like != i) {
        if (!needs_value(tree, like, err))
            return NULL;
        if (base != NULL && strcmp(tree->nodes[like].value, name) != 0) {
            err_set(err, ERR_USAGE, "like: \"%s\" is a built-in profile; give yours another name",
                    name);
            (void)tree_fail(tree, like, err);
            return NULL;
        }
        word = tree->nodes[like].value;
        base = provider_profile_find(word);
    }
    if (base != NULL)
        return base;
    const char *near = nearest_of(word, provider_profile_names());
    err_set(err, ERR_USAGE, "\"%s\" is not a built-in profile%s%s%s%s", word,
            near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
            near != NULL ? "\"?" : ".",
            like == i ? " A profile of your own says which one it is like, such as like: openai"
                      : "");
    (void)tree_fail(tree, like, err);
    return NULL;
}

static bool apply_child(struct provider_profile_box *box, const struct tree *tree, size_t i,
                        struct err *err)
{
    const char *key = tree->nodes[i].key;

    if (nearest_same(key, "like"))
        return true;
    if (nearest_same(key, "limits"))
        return apply_limits(box, tree, i, err);
    if (nearest_same(key, "key_env"))
        return apply_key_env(box, tree, i, err);
    if (nearest_same(key, "endpoints"))
        return apply_endpoints(box, tree, i, err);
    return apply_field(box, tree, i, fields, others, err);
}

/* A window that is asked for is what is promised, unless the file says otherwise. */
static void follow_window(struct provider_profile_box *box, const struct tree *tree, size_t i)
{
    size_t window = child(tree, i, "completion_window");
    size_t limits = child(tree, i, "limits");
    int64_t ms = 0;

    if (window == i || (limits != i && child(tree, limits, "window") != limits))
        return;
    if (units_parse_duration(tree->nodes[window].value, &ms, NULL))
        box->profile.limits.window_ms = ms;
}

static bool check_whole(const struct provider_profile *profile, const struct tree *tree, size_t i,
                        struct err *err)
{
    if (profile->limits.custom_id_min <= profile->limits.custom_id_max)
        return true;
    err_set(err, ERR_USAGE, "custom_id_min is larger than custom_id_max");
    return tree_fail(tree, i, err);
}

static bool load_one(struct provider_profile_box *box, const struct tree *tree, size_t i,
                     struct err *err)
{
    size_t end = i + 1 + tree_inside(tree, i);
    const struct provider_profile *base = NULL;

    if (!needs_inside(tree, i, err))
        return false;
    base = base_of(tree, i, err);
    if (base == NULL)
        return false;
    box->profile = *base;
    box->profile.name = own(box, tree->nodes[i].key);
    for (size_t n = i + 1; n < end; n += 1 + tree_inside(tree, n)) {
        if (!apply_child(box, tree, n, err))
            return false;
    }
    follow_window(box, tree, i);
    return check_whole(&box->profile, tree, i, err);
}

/* ---- all of them ---- */

static bool no_such_profile(const char *name, const struct tree *tree, struct err *err)
{
    struct nearest near = {.word = name};

    for (const char *const *n = provider_profile_names(); *n != NULL; n++)
        (void)nearest_look(&near, *n);
    for (size_t i = 0; tree != NULL && i < tree->count; i += 1 + tree_inside(tree, i))
        (void)nearest_look(&near, tree->nodes[i].key);
    return err_set(err, ERR_USAGE, "there is no provider profile \"%s\"%s%s%s", name,
                   near.name != NULL ? "; did you mean " : "", near.name != NULL ? near.name : "",
                   near.name != NULL ? "?" : "");
}

bool provider_profile_load(const char *name, const struct tree *overrides,
                           struct provider_profile_box *out, struct err *err)
{
    const struct provider_profile *built_in = provider_profile_find(name);
    struct provider_profile_box found = {0};
    size_t count = overrides != NULL ? overrides->count : 0;

    for (size_t i = 0; i < count; i += 1 + tree_inside(overrides, i)) {
        struct provider_profile_box box = {0};
        bool ok = load_one(&box, overrides, i, err);

        if (ok && strcmp(box.profile.name, name) == 0)
            found = box;
        else
            provider_profile_release(&box);
        if (!ok) {
            provider_profile_release(&found);
            return false;
        }
    }
    if (found.profile.name == NULL && built_in == NULL)
        return no_such_profile(name, overrides, err);
    if (found.profile.name == NULL)
        found.profile = *built_in;
    *out = found;
    return true;
}
