#include "common/recipe/bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/recipe/recipe_loader.h"
#include "common/recipe/tree_json.h"

#define BUNDLE_WORD "recipe" /* what the member "sheaf" says it is */

/* ---- writing ---- */

static bool put(struct buf *out, const char *text)
{
    return buf_append(out, text, strlen(text));
}

/* `,"NAME":"TEXT"`, or null. */
static bool put_text(struct buf *out, const char *name, const char *text)
{
    return buf_printf(out, ",\"%s\":", name) &&
           (text == NULL ? put(out, "null") : json_string_encode(out, text, strlen(text)));
}

static bool put_file(const struct recipe_file *file, struct buf *out)
{
    return put(out, "{\"path\":") && json_string_encode(out, file->path, strlen(file->path)) &&
           put_text(out, "sha256", file->sha256) && put(out, ",\"text\":") &&
           json_string_encode(out, file->text, file->len) && put(out, "}");
}

static bool put_files(const struct recipe *recipe, struct buf *out)
{
    for (size_t i = 0; i < recipe->file_count; i++) {
        if ((i > 0 && !put(out, ",")) || !put_file(&recipe->files[i], out))
            return false;
    }
    return true;
}

static bool put_input(const struct recipe *recipe, const struct bundle_input *input,
                      struct buf *out)
{
    return buf_printf(out, ",\"input\":{\"format\":\"%s\"", rows_format_name(input->format)) &&
           put_text(out, "encoding", recipe->encoding) && put_text(out, "path", input->path) &&
           put_text(out, "rows", input->rows) && put(out, "}");
}

static bool put_bundle(const struct recipe *recipe, const struct bundle_input *input,
                       struct buf *out)
{
    return buf_printf(out, "{\"sheaf\":\"" BUNDLE_WORD "\",\"version\":%d", BUNDLE_VERSION) &&
           put_text(out, "name", recipe->name) && put_text(out, "folder", recipe->folder) &&
           put_text(out, "digest", recipe->digest) &&
           put_text(out, "model", recipe->model_override) && put(out, ",\"recipe\":") &&
           put(out, recipe->content) && put(out, ",\"files\":[") && put_files(recipe, out) &&
           put(out, "]") && put_input(recipe, input, out) && put(out, "}\n");
}

bool bundle_write(const struct recipe *recipe, const struct bundle_input *input, struct buf *out)
{
    size_t len = out->len;

    if (put_bundle(recipe, input, out))
        return true;
    out->len = len;
    if (out->data != NULL)
        out->data[len] = '\0';
    return false;
}

/* ---- reading ---- */

enum member {
    MEMBER_SHEAF,
    MEMBER_VERSION,
    MEMBER_NAME,
    MEMBER_FOLDER,
    MEMBER_DIGEST,
    MEMBER_MODEL,
    MEMBER_RECIPE,
    MEMBER_FILES,
    MEMBER_INPUT,
    MEMBERS,
};

static bool broken(struct err *err, const char *what)
{
    return err_set(err, ERR_PERMANENT, "the recipe of this job is broken: %s", what);
}

static bool open_bundle(const char *text, size_t len, struct json_value m[MEMBERS], struct err *err)
{
    static const char *const names[MEMBERS] = {"sheaf", "version", "name",  "folder", "digest",
                                               "model", "recipe",  "files", "input"};
    struct json_error where = {0};
    int64_t version;

    if (!json_scan_object(text, len, names, MEMBERS, m, &where))
        return err_set(err, ERR_PERMANENT, "the recipe of this job is broken at byte %zu: %s",
                       where.offset + 1, where.what);
    if (!json_string_equals(&m[MEMBER_SHEAF], BUNDLE_WORD) ||
        !json_to_int64(&m[MEMBER_VERSION], &version))
        return broken(err, "it is no such file");
    if (version != BUNDLE_VERSION)
        return err_set(err, ERR_USAGE,
                       "the recipe of this job has version %lld; this program reads %d",
                       (long long)version, BUNDLE_VERSION);
    if (m[MEMBER_NAME].kind != JSON_STRING || m[MEMBER_FOLDER].kind != JSON_STRING ||
        m[MEMBER_DIGEST].kind != JSON_STRING || m[MEMBER_RECIPE].kind != JSON_OBJECT ||
        m[MEMBER_FILES].kind != JSON_ARRAY || m[MEMBER_INPUT].kind != JSON_OBJECT)
        return broken(err, "a member is missing");
    return true;
}

/* The text of a string, NULL of anything else; the caller frees it. */
static char *decoded(const struct json_value *value, size_t *len)
{
    char *text = value->kind == JSON_STRING ? xcalloc(value->len + 1, 1) : NULL;

    if (text != NULL && json_string_decode(value, text, value->len + 1, len))
        return text;
    free(text);
    return NULL;
}

/* The entry of the list of files with that path. */
static bool find_file(const struct json_value *files, const char *path, struct json_value *out)
{
    struct json_iter it = json_iter_begin(files);

    while (json_iter_next(&it, NULL, out)) {
        struct json_value name = json_member(out, "path");

        if (json_string_equals(&name, path))
            return true;
    }
    return false;
}

/* A recipe_source over the list of files. */
static bool read_bundled(void *arg, const char *path, size_t max_bytes, char **text, size_t *len,
                         struct err *err)
{
    struct json_value file, value;

    (void)max_bytes; /* whoever wrote it looked at that */
    if (!find_file(arg, path, &file))
        return broken(err, "a file is missing");
    value = json_member(&file, "text");
    *text = decoded(&value, len);
    return *text != NULL || broken(err, "a file has no text");
}

static bool build_from(struct recipe *r, struct json_value m[MEMBERS],
                       const struct recipe_overrides *overrides, struct err *err)
{
    const struct recipe_source source = {read_bundled, &m[MEMBER_FILES]};
    struct tree tree;
    struct recipe_loader l = {
        .tree = &tree, .source = &source, .overrides = overrides, .recipe = r, .err = err};

    tree_from_json(r->name, &m[MEMBER_RECIPE], &tree);
    bool ok = recipe_build(&l);
    tree_release(&tree);
    return ok;
}

static bool build(struct recipe *r, struct json_value m[MEMBERS], struct err *err)
{
    static const char *const names[] = {"format", "encoding"};
    struct json_value input[2];
    enum rows_format format = ROWS_AUTO;

    json_members(&m[MEMBER_INPUT], names, 2, input);
    char *word = decoded(&input[0], NULL);
    bool ok = word != NULL && rows_format_parse(word, &format);
    free(word);
    if (!ok)
        return broken(err, "it does not say how the rows are written");

    char *model = decoded(&m[MEMBER_MODEL], NULL);
    char *encoding = decoded(&input[1], NULL);
    const struct recipe_overrides overrides = {
        .model = model, .format = format, .encoding = encoding};
    ok = build_from(r, m, &overrides, err);
    free(encoding);
    free(model);
    return ok;
}

bool recipe_from_bundle(const char *text, size_t len, struct recipe *out, struct err *err)
{
    struct json_value m[MEMBERS];

    *out = (struct recipe){0};
    if (!open_bundle(text, len, m, err))
        return false;
    out->name = decoded(&m[MEMBER_NAME], NULL);
    out->folder = decoded(&m[MEMBER_FOLDER], NULL);
    bool ok = build(out, m, err);
    if (ok && !json_string_equals(&m[MEMBER_DIGEST], out->digest))
        ok = broken(err, "its digest is another one");
    if (!ok)
        recipe_release(out);
    return ok;
}

bool bundle_origin(const char *text, size_t len, struct bundle_origin *out, struct err *err)
{
    static const char *const names[] = {"path", "rows", "encoding", "format"};
    struct json_value m[MEMBERS], input[4];
    enum rows_format format = ROWS_AUTO;

    if (!open_bundle(text, len, m, err))
        return false;
    json_members(&m[MEMBER_INPUT], names, 4, input);
    char *word = decoded(&input[3], NULL);
    bool ok = input[0].kind == JSON_STRING && input[1].kind == JSON_STRING && word != NULL &&
              rows_format_parse(word, &format);
    free(word);
    if (!ok)
        return broken(err, "it does not say what its rows are");
    *out = (struct bundle_origin){.path = decoded(&input[0], NULL),
                                  .rows = decoded(&input[1], NULL),
                                  .encoding = decoded(&input[2], NULL),
                                  .format = format};
    return true;
}

void bundle_origin_release(struct bundle_origin *origin)
{
    free(origin->path);
    free(origin->rows);
    free(origin->encoding);
    *origin = (struct bundle_origin){0};
}

/* ---- comparing ---- */

#define SINCE "since this job began"

static bool same_bytes(const struct json_value *a, const struct json_value *b)
{
    return a->kind == b->kind && a->len == b->len &&
           (a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
}

/* The first place where two values differ: a path, and the values there. */
struct difference {
    char path[160];
    struct json_value was, is;
};

static void go_down(struct difference *d, const struct json_value *name, size_t i)
{
    size_t len = strlen(d->path), room = sizeof(d->path) - len;

    if (name->kind != JSON_STRING) {
        (void)snprintf(d->path + len, room, "[%zu]", i);
        return;
    }
    if (len > 0 && room > 1) {
        d->path[len++] = '.';
        room--;
    }
    (void)json_string_decode_cut(name, d->path + len, room);
}

/* What @container has for @name, or at @i of a list; absent when there is nothing. */
static struct json_value counterpart(const struct json_value *container,
                                     const struct json_value *name, size_t i)
{
    struct json_iter it = json_iter_begin(container);
    struct json_value other, value;

    for (size_t k = 0; json_iter_next(&it, &other, &value); k++) {
        if (name->kind == JSON_STRING ? same_bytes(&other, name) : k == i)
            return value;
    }
    return (struct json_value){0};
}

/* The first thing in @a that @b has otherwise, or not; false when there is none. */
static bool step_in(const struct json_value *a, const struct json_value *b, struct json_value *name,
                    size_t *at, struct json_value *va, struct json_value *vb)
{
    struct json_iter it = json_iter_begin(a);

    for (*at = 0; json_iter_next(&it, name, va); (*at)++) {
        *vb = counterpart(b, name, *at);
        if (!same_bytes(va, vb))
            return true;
    }
    return false;
}

static void find_difference(struct json_value was, struct json_value is, struct difference *d)
{
    struct json_value name, old, new;
    size_t at;

    d->path[0] = '\0';
    while (was.kind == is.kind && (was.kind == JSON_OBJECT || was.kind == JSON_ARRAY) &&
           (step_in(&was, &is, &name, &at, &old, &new) ||
            step_in(&is, &was, &name, &at, &new, &old))) {
        go_down(d, &name, at);
        was = old;
        is = new;
    }
    d->was = was;
    d->is = is;
}

/* A value for a message: cut, and "nothing" when there is none. */
static const char *shown(const struct json_value *value, char out[48])
{
    if (value->kind == JSON_ABSENT)
        return "nothing";
    (void)snprintf(out, 48, "%.*s", value->len > 40 ? 40 : (int)value->len, value->text);
    if (value->len > 40) { /* not in the middle of a character */
        size_t end = 40;

        while (end > 0 && ((unsigned char)value->text[end] & 0xC0) == 0x80)
            end--;
        (void)snprintf(out + end, 48 - end, "...");
    }
    return out;
}

static bool compare_content(const struct recipe *recipe, const struct json_value *was,
                            struct err *err)
{
    struct json_value is;
    struct difference d;
    char before[48], now[48];

    if (!json_scan(recipe->content, strlen(recipe->content), &is, NULL))
        return err_set(err, ERR_INTERNAL, "the recipe's content is no JSON");
    if (same_bytes(was, &is))
        return true;
    find_difference(*was, is, &d);
    (void)err_set(err, ERR_CONFLICT, "%s has changed " SINCE ": %s was %s, is %s", recipe->name,
                  d.path[0] != '\0' ? d.path : "all", shown(&d.was, before), shown(&d.is, now));
    return err_one_line(err);
}

static bool compare_text(const char *what, const struct json_value *was, const char *is,
                         struct err *err)
{
    char before[128] = "not given";

    if (is == NULL ? was->kind != JSON_STRING : json_string_equals(was, is))
        return true;
    if (was->kind == JSON_STRING)
        (void)json_string_decode_cut(was, before, sizeof(before));
    (void)err_set(err, ERR_CONFLICT, "%s has changed " SINCE ": was %s, is %s", what, before,
                  is != NULL ? is : "not given");
    return err_one_line(err);
}

static bool compare_files(const struct recipe *recipe, const struct json_value *files,
                          struct err *err)
{
    for (size_t i = 0; i < recipe->file_count; i++) {
        const struct recipe_file *file = &recipe->files[i];
        struct json_value entry;

        if (!find_file(files, file->path, &entry))
            return err_set(err, ERR_CONFLICT, "%s is new " SINCE, file->path);
        struct json_value sha = json_member(&entry, "sha256");
        if (!json_string_equals(&sha, file->sha256))
            return err_set(err, ERR_CONFLICT, "%s has changed " SINCE, file->path);
    }
    return true;
}

static bool compare_input(const struct recipe *recipe, const struct bundle_input *input,
                          const struct json_value *was, struct err *err)
{
    static const char *const names[] = {"format", "encoding", "rows"};
    struct json_value m[3];

    json_members(was, names, 3, m);
    if (!compare_text("the input's format", &m[0], rows_format_name(input->format), err) ||
        !compare_text("the input's encoding", &m[1], recipe->encoding, err))
        return false;
    return json_string_equals(&m[2], input->rows) ||
           err_set(err, ERR_CONFLICT, "%s has changed " SINCE, input->path);
}

bool bundle_compare(const struct recipe *recipe, const struct bundle_input *input, const char *text,
                    size_t len, struct err *err)
{
    struct json_value m[MEMBERS];

    if (!open_bundle(text, len, m, err) || !compare_content(recipe, &m[MEMBER_RECIPE], err) ||
        !compare_text("--model", &m[MEMBER_MODEL], recipe->model_override, err) ||
        !compare_files(recipe, &m[MEMBER_FILES], err) ||
        !compare_input(recipe, input, &m[MEMBER_INPUT], err))
        return false;
    return json_string_equals(&m[MEMBER_DIGEST], recipe->digest) ||
           err_set(err, ERR_CONFLICT, "%s has changed " SINCE, recipe->name);
}
