/*
 * The terms in the order of the file, each with the place of its parent; found through a table
 * of names. Terms of one name (below different parents) are a chain.
 */
#include "common/recipe/vocabulary.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/nearest.h"
#include "common/base/xmem.h"
#include "common/json/scan.h"
#include "common/recipe/json_path.h"
#include "common/recipe/json_place.h"

#define TERM_MAX  512 /* bytes of a term with its NUL */
#define LEVEL_MAX 16
#define WORDS_MAX 8 /* for a name, or for children */
#define NONE      SIZE_MAX

struct term {
    char *name; /* owned */
    size_t len;
    size_t parent; /* NONE: the top */
    size_t same;   /* the next term of that name; NONE */
    unsigned level;
    bool has_children;
};

struct vocabulary {
    struct term *terms; /* owned, as is the table */
    size_t count, cap;
    size_t *table; /* first term of a name; NONE; a power of two, at most half full */
    size_t table_size;
};

/* Terms by name */

static size_t hash(const char *name, size_t len)
{
    uint64_t h = 0xCBF29CE484222325; /* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)name[i]) * 0x100000001B3;
    return (size_t)(h ^ h >> 32);
}

/* The place in the table of the terms of that name, or the free one for it. */
static size_t *slot(const struct vocabulary *v, const char *name, size_t len)
{
    size_t i = hash(name, len) & (v->table_size - 1);

    while (v->table[i] != NONE) {
        const struct term *t = &v->terms[v->table[i]];

        if (t->len == len && memcmp(t->name, name, len) == 0)
            break;
        i = (i + 1) & (v->table_size - 1);
    }
    return &v->table[i];
}

static void link_term(struct vocabulary *v, size_t i)
{
    size_t *first = slot(v, v->terms[i].name, v->terms[i].len);

    v->terms[i].same = *first;
    *first = i;
}

static void grow(struct vocabulary *v)
{
    if (v->count < v->cap)
        return;
    v->cap = v->cap == 0 ? 64 : v->cap * 2;
    v->terms = xrealloc(v->terms, v->cap, sizeof(*v->terms));
    v->table_size = v->cap * 2;
    v->table = xrealloc(v->table, v->table_size, sizeof(*v->table));
    for (size_t i = 0; i < v->table_size; i++)
        v->table[i] = NONE;
    for (size_t i = 0; i < v->count; i++)
        link_term(v, i);
}

static const struct term *find_below(const struct vocabulary *v, const char *name, size_t len,
                                     size_t parent)
{
    for (size_t i = *slot(v, name, len); i != NONE; i = v->terms[i].same)
        if (v->terms[i].parent == parent)
            return &v->terms[i];
    return NULL;
}

/* Reading the file */

struct reader {
    struct json_file file;
    struct vocabulary *v;
    struct err *err;
};

/* NOLINTBEGIN(misc-no-recursion): as deep as the file, up to LEVEL_MAX */
static bool read_terms(struct reader *r, const struct json_value *value, size_t parent);

static bool wrong(const struct reader *r, const struct json_value *at, const char *what)
{
    return json_place_fail(&r->file, at->text, r->err, "%s", what);
}

static bool has_control(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7F)
            return true;
    return false;
}

/* *@index is the new term. */
static bool add_term(struct reader *r, const struct json_value *string, size_t parent,
                     size_t *index)
{
    struct vocabulary *v = r->v;
    char name[TERM_MAX];
    size_t len = 0;

    if (!json_string_decode(string, name, sizeof(name), &len))
        return wrong(r, string, "a term is longer than 511 bytes");
    if (len == 0 || has_control(name, len))
        return wrong(r, string, "a term is empty or has a control character in it");
    grow(v);
    if (find_below(v, name, len, parent) != NULL)
        return json_place_fail(&r->file, string->text, r->err, "the term \"%s\" is there twice",
                               name);
    v->terms[v->count] = (struct term){.name = xstrndup(name, len), .len = len, .parent = parent};
    if (parent != NONE) {
        v->terms[v->count].level = v->terms[parent].level + 1;
        v->terms[parent].has_children = true;
        if (v->terms[v->count].level == LEVEL_MAX) {
            free(v->terms[v->count].name);
            return wrong(r, string, "terms are nested too deeply");
        }
    }
    link_term(v, v->count);
    *index = v->count++;
    return true;
}

static struct json_value first_of(const struct json_value *object, const char *const names[],
                                  size_t count)
{
    struct json_value found[WORDS_MAX];

    json_members(object, names, count, found);
    for (size_t i = 0; i < count; i++)
        if (found[i].kind != JSON_ABSENT)
            return found[i];
    return (struct json_value){.kind = JSON_ABSENT};
}

/* An element of a list: a name, or an object with a name and perhaps children. */
static bool read_element(struct reader *r, const struct json_value *value, size_t parent)
{
    static const char *const name_words[] = {"name",         "label", "title",    "value",
                                             "parent_topic", "topic", "category", "type"};
    static const char *const child_words[] = {"children",   "items",     "sub",
                                              "sub_topics", "subtopics", "subcategories"};
    struct json_value name = *value;
    struct json_value children = {.kind = JSON_ABSENT};
    size_t index = 0;

    if (value->kind == JSON_OBJECT) {
        _Static_assert(ARRAY_LEN(name_words) <= WORDS_MAX && ARRAY_LEN(child_words) <= WORDS_MAX,
                       "room for what is found");
        name = first_of(value, name_words, ARRAY_LEN(name_words));
        children = first_of(value, child_words, ARRAY_LEN(child_words));
    }
    if (name.kind != JSON_STRING)
        return wrong(
            r, name.kind == JSON_ABSENT ? value : &name,
            "expected a term: a string, or an object with \"name\" and perhaps \"children\"");
    if (!add_term(r, &name, parent, &index))
        return false;
    return children.kind == JSON_ABSENT || read_terms(r, &children, index);
}

static bool read_members(struct reader *r, const struct json_value *object, size_t parent)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value name;
    struct json_value value;
    size_t index = 0;

    while (json_iter_next(&it, &name, &value))
        if (!add_term(r, &name, parent, &index) || !read_terms(r, &value, index))
            return false;
    return true;
}

static bool read_terms(struct reader *r, const struct json_value *value, size_t parent)
{
    struct json_iter it = json_iter_begin(value);
    struct json_value element;

    if (value->kind == JSON_NULL && parent != NONE)
        return true;
    if (value->kind == JSON_OBJECT)
        return read_members(r, value, parent);
    if (value->kind != JSON_ARRAY)
        return wrong(r, value,
                     "expected a list of terms, or an object of terms and their children");
    while (json_iter_next(&it, NULL, &element))
        if (!read_element(r, &element, parent))
            return false;
    return true;
}

/* NOLINTEND(misc-no-recursion) */

/*
 * The member of @value that the dotted @path begins with, and what is left of the path: a member
 * whose name has the dot in it wins. Its name is written to @name.
 */
static struct json_value step(const struct json_value *value, const char **path,
                              char name[TERM_MAX])
{
    size_t len = strlen(*path);

    while (len > 0 && len < TERM_MAX) {
        memcpy(name, *path, len);
        name[len] = '\0';

        struct json_value found = json_member(value, name);
        const char *dot = strrchr(name, '.');

        if (found.kind != JSON_ABSENT || dot == NULL) {
            *path += len + ((*path)[len] == '.' ? 1 : 0);
            return found;
        }
        len = (size_t)(dot - name);
    }
    *path += strlen(*path);
    return (struct json_value){.kind = JSON_ABSENT};
}

/* @path leads nowhere: @object has no member @word. */
static bool fail_path(const struct reader *r, const struct json_value *object, const char *word,
                      const char *path)
{
    struct json_iter it = json_iter_begin(object);
    struct nearest near = {.word = word};
    struct json_value name;
    struct json_value value;
    char best[TERM_MAX];
    char seen[TERM_MAX];

    while (object->kind == JSON_OBJECT && json_iter_next(&it, &name, &value)) {
        (void)json_string_decode_cut(&name, seen, sizeof(seen));
        if (nearest_look(&near, seen))
            near.name = memcpy(best, seen, strlen(seen) + 1);
    }
    if (near.name == NULL)
        return json_place_fail(&r->file, object->text, r->err, "there is no \"%s\" here (path %s)",
                               word, path);
    return json_place_fail(&r->file, object->text, r->err,
                           "there is no \"%s\" here (path %s); did you mean \"%s\"?", word, path,
                           near.name);
}

static bool find_root(const struct reader *r, const char *path, struct json_value *root)
{
    const char *rest = path == NULL ? "" : path;
    char name[TERM_MAX];

    if (!json_place_scan(&r->file, root, r->err))
        return false;
    while (*rest != '\0') {
        struct json_value next = step(root, &rest, name);

        if (next.kind == JSON_ABSENT)
            return fail_path(r, root, name, path);
        *root = next;
    }
    return true;
}

struct vocabulary *vocabulary_parse(const char *name, const char *text, size_t len,
                                    const char *path, struct err *err)
{
    struct vocabulary *v = xcalloc(1, sizeof(*v));
    struct reader r = {
        .file = {name, text, len},
          .v = v, .err = err
    };
    struct json_value root;

    grow(v);
    if (find_root(&r, path, &root) && read_terms(&r, &root, NONE) &&
        (v->count > 0 || wrong(&r, &root, "the vocabulary has no term")))
        return v;
    vocabulary_free(v);
    return NULL;
}

void vocabulary_free(struct vocabulary *vocabulary)
{
    if (vocabulary == NULL)
        return;
    for (size_t i = 0; i < vocabulary->count; i++)
        free(vocabulary->terms[i].name);
    free(vocabulary->terms);
    free(vocabulary->table);
    free(vocabulary);
}

bool vocabulary_text(const struct vocabulary *vocabulary, struct buf *out)
{
    for (size_t i = 0; i < vocabulary->count; i++) {
        const struct term *t = &vocabulary->terms[i];

        if (!buf_printf(out, "%s%*s- %s", i > 0 ? "\n" : "", (int)(2 * t->level), "", t->name))
            return false;
    }
    return true;
}

/* Checking */

struct checker {
    const struct vocabulary *v;
    const struct vocabulary_rule *rule;
    char *why;
};

/* Whether the @len bytes at @path are the term @i, or it behind "/" and terms above it. */
static bool path_ends_in(const struct vocabulary *v, size_t i, const char *path, size_t len)
{
    while (i != NONE) {
        const struct term *t = &v->terms[i];

        if (len < t->len || memcmp(path + len - t->len, t->name, t->len) != 0)
            return false;
        if (len == t->len)
            return true;
        len -= t->len + 1;
        if (path[len] != '/')
            return false;
        i = t->parent;
    }
    return false;
}

/* A term of any level, or a path of terms. */
static bool is_known(const struct vocabulary *v, const char *name, size_t len)
{
    if (*slot(v, name, len) != NONE)
        return true;
    for (size_t at = 1; at + 1 < len; at++) {
        if (name[at] != '/')
            continue;
        for (size_t i = *slot(v, name + at + 1, len - at - 1); i != NONE; i = v->terms[i].same)
            if (path_ends_in(v, i, name, len))
                return true;
    }
    return false;
}

/* A string of the answer as text; a length of 0 when it cannot be a term. */
static size_t decode(const struct json_value *string, char name[TERM_MAX * 2])
{
    size_t len = 0;

    return json_string_decode(string, name, (size_t)TERM_MAX * 2, &len) ? len : 0;
}

static bool fail_unknown(const struct checker *c, const struct json_value *string,
                         const struct json_path *place)
{
    char shown[JSON_SHOWN_MAX];
    char words[WHY_MAX];

    (void)json_string_decode_cut(string, shown, sizeof(shown));
    (void)why_set(words, "\"%s\" is not in the vocabulary", shown);
    return json_path_fail(place, c->why, words);
}

static bool fail_kind(const struct checker *c, const struct json_value *value,
                      const struct json_path *place)
{
    return json_path_fail_got(place, c->why, "expected a term of the vocabulary", value);
}

static bool check_term(const struct checker *c, const struct json_value *value,
                       const struct json_path *place)
{
    char name[TERM_MAX * 2];

    if (value->kind != JSON_STRING)
        return fail_kind(c, value, place);
    return is_known(c->v, name, decode(value, name)) || fail_unknown(c, value, place);
}

/* Whether @value is a child of a term named as @parent. */
static bool check_child(const struct checker *c, const struct json_value *parent,
                        const struct json_value *value, const struct json_path *place)
{
    const struct vocabulary *v = c->v;
    char name[TERM_MAX * 2];
    char above[JSON_SHOWN_MAX];
    char words[WHY_MAX];
    size_t len = 0;

    if (value->kind != JSON_STRING)
        return fail_kind(c, value, place);
    len = decode(value, name);
    for (size_t i = *slot(v, name, len); i != NONE; i = v->terms[i].same)
        if (v->terms[i].parent != NONE &&
            json_string_equals(parent, v->terms[v->terms[i].parent].name))
            return true;
    (void)json_string_decode_cut(value, name, JSON_SHOWN_MAX);
    (void)json_string_decode_cut(parent, above, sizeof(above));
    (void)why_set(words, "\"%s\" is not below \"%s\" in the vocabulary", name, above);
    return json_path_fail(place, c->why, words);
}

static bool parent_has_children(const struct vocabulary *v, const struct json_value *parent)
{
    char name[TERM_MAX * 2];
    size_t len = decode(parent, name);

    for (size_t i = *slot(v, name, len); i != NONE; i = v->terms[i].same)
        if (v->terms[i].has_children)
            return true;
    return false;
}

static bool check_children(const struct checker *c, const struct json_value *parent,
                           const struct json_value *children, const struct json_path *place)
{
    struct json_iter it = json_iter_begin(children);
    struct json_path here = {.up = place};
    struct json_value child;

    if ((children->kind == JSON_ABSENT || children->kind == JSON_NULL) &&
        !parent_has_children(c->v, parent))
        return true;
    if (children->kind != JSON_ARRAY)
        return check_child(c, parent, children, place);
    for (; json_iter_next(&it, NULL, &child); here.index++)
        if (!check_child(c, parent, &child, &here))
            return false;
    return true;
}

static bool check_pair(const struct checker *c, const struct json_value *object,
                       const struct json_path *place)
{
    struct json_path parent_place = {.up = place, .word = c->rule->parent};
    struct json_path child_place = {.up = place, .word = c->rule->child};
    struct json_value parent;
    struct json_value children;
    char name[TERM_MAX * 2];

    if (object->kind != JSON_OBJECT)
        return json_path_fail_got(place, c->why, "expected an object with a term", object);
    parent = json_member(object, c->rule->parent);
    if (parent.kind != JSON_STRING)
        return fail_kind(c, &parent, &parent_place);
    if (*slot(c->v, name, decode(&parent, name)) == NONE)
        return fail_unknown(c, &parent, &parent_place);
    if (c->rule->child == NULL)
        return true;
    children = json_member(object, c->rule->child);
    return check_children(c, &parent, &children, &child_place);
}

/* NOLINTBEGIN(misc-no-recursion): as deep as JSON, up to JSON_DEPTH_MAX */
static bool check_at(const struct checker *c, const struct json_value *value, const char *path,
                     const struct json_path *place)
{
    struct json_path here = {.up = place};
    char name[TERM_MAX];

    if (value->kind == JSON_ARRAY) {
        struct json_iter it = json_iter_begin(value);
        struct json_value element;

        for (; json_iter_next(&it, NULL, &element); here.index++)
            if (!check_at(c, &element, path, &here))
                return false;
        return true;
    }
    if (*path == '\0')
        return c->rule->parent == NULL ? check_term(c, value, place) : check_pair(c, value, place);

    struct json_value next = step(value, &path, name);

    here.word = name;
    if (next.kind == JSON_ABSENT)
        return fail_kind(c, &next, &here);
    return check_at(c, &next, path, &here);
}

/* NOLINTEND(misc-no-recursion) */

bool vocabulary_check(const struct vocabulary *vocabulary, const struct vocabulary_rule *rule,
                      const struct json_value *answer, char why[WHY_MAX])
{
    struct checker c = {.v = vocabulary, .rule = rule};
    struct json_path root = {.up = NULL};

    c.why = why;
    return check_at(&c, answer, rule->at == NULL ? "" : rule->at, &root);
}
