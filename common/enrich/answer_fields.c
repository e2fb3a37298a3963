#include "common/enrich/answer_fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/enrich/tally.h"

#define PATH_MAX_BYTES 256
#define NUMBER_MAX     64
#define STRING_MAX     (TALLY_TEXT_MAX + 8)
#define SUM_SCALE      0x1p64

/* A list or object that is walked. */
struct level {
    struct json_iter it;
    bool list;
    size_t len; /* of its path */
};

/* A place that grows and shrinks while an answer is walked. */
struct walk {
    struct answer_fields *fields;
    struct level levels[ANSWER_FIELDS_DEPTH];
    size_t depth;
    char path[PATH_MAX_BYTES];
    size_t len;
};

static struct enrich_field *field_at(struct walk *w)
{
    struct answer_fields *f = w->fields;

    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->items[i].path, w->path) == 0)
            return &f->items[i];
    if (f->count == ANSWER_FIELDS_MAX) {
        f->more = true;
        return NULL;
    }
    f->items = xrealloc(f->items, f->count + 1, sizeof(*f->items));
    f->items[f->count] = (struct enrich_field){
        .path = xstrdup(w->path), .whole = true, .tally = tally_new(ANSWER_FIELD_VALUES)};
    return &f->items[f->count++];
}

static void count_number(struct enrich_field *field, const struct json_value *value)
{
    char text[NUMBER_MAX];
    int64_t whole;
    double n;

    if (value->len >= sizeof(text))
        return;
    memcpy(text, value->text, value->len);
    text[value->len] = '\0';
    n = strtod(text, NULL);
    if (!isfinite(n))
        return;
    field->min = field->numbers == 0 || n < field->min ? n : field->min;
    field->max = field->numbers == 0 || n > field->max ? n : field->max;
    field->sum += n / SUM_SCALE;
    field->numbers++;
    field->whole = field->whole && json_to_int64(value, &whole);
}

double enrich_field_mean(const struct enrich_field *field)
{
    double mean = field->sum / (double)field->numbers * SUM_SCALE;

    /* rounding may have left the range */
    if (mean < field->min)
        return field->min;
    return mean > field->max ? field->max : mean;
}

static void count_scalar(struct walk *w, const struct json_value *value)
{
    struct enrich_field *field = field_at(w);
    char key[STRING_MAX + 1];
    size_t len;

    if (field == NULL)
        return;
    field->values++;
    key[0] = value->kind == JSON_STRING ? 's' : 'v';
    if (value->kind == JSON_STRING) {
        len = json_string_decode_cut(value, key + 1, STRING_MAX);
    } else {
        len = value->len < STRING_MAX ? value->len : STRING_MAX;
        memcpy(key + 1, value->text, len);
    }
    tally_add(field->tally, key, len + 1, 1);
    if (value->kind == JSON_NUMBER)
        count_number(field, value);
}

/* Go one step down, to a member or into a list. False: there is no room for its name. */
static bool push(struct walk *w, const struct json_value *name)
{
    char text[PATH_MAX_BYTES];
    size_t len = 2;

    if (name == NULL)
        memcpy(text, "[]", 3);
    else if (!json_string_decode(name, text, sizeof(text), &len) || strlen(text) != len)
        return false;
    size_t dot = name != NULL && w->len > 0;
    if (w->len + dot + len >= sizeof(w->path))
        return false;
    if (dot)
        w->path[w->len++] = '.';
    memcpy(w->path + w->len, text, len + 1);
    w->len += len;
    return true;
}

/* Count @value, or go into it. */
static void enter(struct walk *w, const struct json_value *value)
{
    struct json_iter it = json_iter_begin(value);
    struct json_value first;

    if (!json_iter_next(&it, NULL, &first))
        count_scalar(w, value);
    else if (w->depth == ANSWER_FIELDS_DEPTH)
        w->fields->more = true;
    else
        w->levels[w->depth++] =
            (struct level){json_iter_begin(value), value->kind == JSON_ARRAY, w->len};
}

/* The next element of the innermost list or object; out of it behind the last one. */
static void step(struct walk *w)
{
    struct level *inner = &w->levels[w->depth - 1];
    struct json_value name, value;

    w->len = inner->len;
    w->path[w->len] = '\0';
    if (!json_iter_next(&inner->it, &name, &value))
        w->depth--;
    else if (push(w, inner->list ? NULL : &name))
        enter(w, &value);
    else
        w->fields->more = true;
}

void answer_fields_add(struct answer_fields *fields, const struct slice *answer)
{
    struct walk w = {.fields = fields};
    struct json_value value;

    if (!json_scan(answer->p, answer->len, &value, NULL))
        return;
    enter(&w, &value);
    while (w.depth > 0)
        step(&w);
}

void answer_fields_release(struct answer_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        free(fields->items[i].path);
        tally_free(fields->items[i].tally);
    }
    free(fields->items);
    *fields = (struct answer_fields){0};
}
