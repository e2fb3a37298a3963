#include "common/recipe/column_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/nearest.h"
#include "common/base/xmem.h"
#include "common/recipe/condition.h"
#include "common/recipe/template.h"
#include "common/rows/row_path.h"

#define NAMES_MAX 512 /* columns that are remembered for "did you mean" */
#define NAME_SIZE 128

/* A column that is used, where first without a way out. */
struct column {
    char *path;
    char *place;      /* NULL: each use of it has one */
    bool in_template; /* where it stands */
    bool seen;
};

struct column_check {
    struct column *columns;
    size_t count;
    char (*names)[NAME_SIZE];
    size_t name_count;
    uint64_t rows;
    const char *when_name; /* of the condition that is being walked */
};

static void use(struct column_check *c, const char *path, const char *place, bool in_template)
{
    struct column *column = NULL;

    for (size_t i = 0; i < c->count && column == NULL; i++) {
        if (strcmp(c->columns[i].path, path) == 0)
            column = &c->columns[i];
    }
    if (column == NULL) {
        c->columns = xrealloc(c->columns, c->count + 1, sizeof(*c->columns));
        column = &c->columns[c->count++];
        *column = (struct column){.path = xstrdup(path)};
    }
    if (column->place != NULL)
        return;
    column->place = xstrdup(place);
    column->in_template = in_template;
}

static void use_in_template(void *arg, const char *path, const struct template_place *place,
                            bool optional)
{
    char *text = NULL;

    if (!optional && asprintf(&text, "%s:%zu:%zu", place->name, place->line, place->column) < 0)
        abort();
    use(arg, path, text, true);
    free(text);
}

static void use_in_condition(void *arg, const char *path, size_t column)
{
    struct column_check *c = arg;
    char *text = NULL;

    if (asprintf(&text, "%s: column %zu", c->when_name, column) < 0)
        abort();
    use(c, path, text, false);
    free(text);
}

static void use_id(struct column_check *c, const struct recipe *recipe)
{
    char *text = NULL;

    if (asprintf(&text, "%s:%zu:%zu: id_field", recipe->name, recipe->id_line, recipe->id_column) <
        0)
        abort();
    use(c, recipe->id_field, text, false);
    free(text);
}

static void use_in_analysis(struct column_check *c, const struct analysis *a)
{
    if (a->when != NULL) {
        c->when_name = a->when_name;
        condition_columns(a->when, use_in_condition, c);
    }
    if (a->system != NULL)
        template_columns(a->system, use_in_template, c);
    template_columns(a->prompt, use_in_template, c);
    for (size_t i = 0; i < a->image_count; i++)
        template_columns(a->images[i], use_in_template, c);
}

struct column_check *column_check_new(const struct recipe *recipe)
{
    struct column_check *c = xcalloc(1, sizeof(*c));

    c->names = xcalloc(NAMES_MAX, sizeof(*c->names));
    if (recipe->id_field != NULL)
        use_id(c, recipe);
    for (size_t i = 0; i < recipe->count; i++)
        use_in_analysis(c, &recipe->analyses[i]);
    return c;
}

static void remember(struct column_check *c, const char *name)
{
    if (c->name_count == NAMES_MAX)
        return;
    for (size_t i = 0; i < c->name_count; i++) {
        if (strcmp(c->names[i], name) == 0)
            return;
    }
    memcpy(c->names[c->name_count++], name, strlen(name) + 1);
}

/* "ABOVE.KEY", or only the key when @above is empty; false when it is too long. */
static bool full_name(const char *above, const struct json_value *key, char out[NAME_SIZE])
{
    int used = snprintf(out, NAME_SIZE, "%s%s", above, above[0] != '\0' ? "." : "");

    return used < NAME_SIZE && json_string_decode(key, out + used, NAME_SIZE - (size_t)used, NULL);
}

static void learn_members(struct column_check *c, const struct json_value *object,
                          const char *above)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value key;
    struct json_value value;
    char name[NAME_SIZE];

    while (json_iter_next(&it, &key, &value)) {
        if (full_name(above, &key, name))
            remember(c, name);
    }
}

/* The names in @object and, of its members that are objects, those in them. */
static void learn(struct column_check *c, const struct json_value *object)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value key;
    struct json_value value;
    char name[NAME_SIZE];

    learn_members(c, object, "");
    while (json_iter_next(&it, &key, &value)) {
        if (value.kind == JSON_OBJECT && full_name("", &key, name))
            learn_members(c, &value, name);
    }
}

void column_check_row(struct column_check *c, const struct json_value *object)
{
    if (object->kind != JSON_OBJECT)
        return;
    c->rows++;
    learn(c, object);
    for (size_t i = 0; i < c->count; i++) {
        if (!c->columns[i].seen)
            c->columns[i].seen = row_at(object, c->columns[i].path).kind != JSON_ABSENT;
    }
}

static bool unknown(const struct column_check *c, const struct column *column, struct err *err)
{
    static const char *const own[] = {"vocabulary", "_id", "_index"}; /* what templates have too */
    struct nearest near = {.word = column->path};
    const char *who = c->rows < COLUMN_CHECK_ROWS ? "no row" : "none of the first 1000 rows";

    for (size_t i = 0; i < c->name_count; i++)
        (void)nearest_look(&near, c->names[i]);
    for (size_t i = 0; column->in_template && i < sizeof(own) / sizeof(own[0]); i++)
        (void)nearest_look(&near, own[i]);
    if (near.name == NULL)
        (void)err_set(err, ERR_USAGE, "%s: %s has a column \"%s\"", column->place, who,
                      column->path);
    else
        (void)err_set(err, ERR_USAGE, "%s: %s has a column \"%s\"; did you mean \"%s\"?",
                      column->place, who, column->path, near.name);
    return err_one_line(err);
}

bool column_check_done(const struct column_check *c, struct err *err)
{
    for (size_t i = 0; i < c->count && c->rows > 0; i++) {
        if (!c->columns[i].seen && c->columns[i].place != NULL)
            return unknown(c, &c->columns[i], err);
    }
    return true;
}

void column_check_free(struct column_check *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->count; i++) {
        free(c->columns[i].path);
        free(c->columns[i].place);
    }
    free(c->columns);
    free(c->names);
    free(c);
}
