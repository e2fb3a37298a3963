/* One answer to a pack of rows: which part of it is for which row. */
#include <string.h>

#include "common/base/xmem.h"
#include "common/recipe/answer_internal.h"
#include "common/recipe/json_compact.h"

#define ID_MAX 1024 /* bytes of an id that is compared */
#define NONE   SIZE_MAX

struct splitter {
    const struct answer_rule *rule;
    const struct answer_pack *pack;
    struct buf *json;
    const size_t *table; /* index of an id, by its hash; NONE */
    size_t table_size;   /* a power of two */
    const char *whole;   /* a value that ends behind this was cut off inside; NULL: none was */
    unsigned repairs;
    bool named; /* an element had an id */
    struct answer *out;
};

/* Ids */

static size_t hash(const char *id)
{
    uint64_t h = 0xCBF29CE484222325; /* FNV-1a */

    for (; *id != '\0'; id++)
        h = (h ^ (unsigned char)*id) * 0x100000001B3;
    return (size_t)(h ^ h >> 32);
}

/* Of ids that are there twice the first one counts. */
static void index_ids(struct answer_scratch *scratch, struct splitter *s)
{
    size_t size = 8;

    while (size < s->pack->count * 2)
        size *= 2;
    if (size > scratch->table_cap) {
        scratch->table = xrealloc(scratch->table, size, sizeof(*scratch->table));
        scratch->table_cap = size;
    }
    for (size_t i = 0; i < size; i++)
        scratch->table[i] = NONE;
    for (size_t i = 0; i < s->pack->count; i++) {
        size_t at = hash(s->pack->ids[i]) & (size - 1);

        while (scratch->table[at] != NONE &&
               strcmp(s->pack->ids[scratch->table[at]], s->pack->ids[i]) != 0)
            at = (at + 1) & (size - 1);
        if (scratch->table[at] == NONE)
            scratch->table[at] = i;
    }
    s->table = scratch->table;
    s->table_size = size;
}

/* The row that the JSON string or number @id names; NONE. */
static size_t row_of(const struct splitter *s, const struct json_value *id)
{
    char text[ID_MAX];

    if (id->kind == JSON_NUMBER && id->len < sizeof(text)) {
        memcpy(text, id->text, id->len);
        text[id->len] = '\0';
    } else if (!json_string_decode(id, text, sizeof(text), NULL)) {
        return NONE;
    }
    for (size_t at = hash(text) & (s->table_size - 1);; at = (at + 1) & (s->table_size - 1)) {
        if (s->table[at] == NONE || strcmp(s->pack->ids[s->table[at]], text) == 0)
            return s->table[at];
    }
}

/* Answers */

/* @element without its id, as compact JSON in the buffer, which has room. */
static bool put_rest(const struct splitter *s, const struct json_value *element,
                     struct json_value *out)
{
    struct json_iter it = json_iter_begin(element);
    struct json_value name;
    struct json_value value;
    size_t start = s->json->len;
    bool ok = buf_append(s->json, "{", 1);

    while (ok && json_iter_next(&it, &name, &value)) {
        if (json_string_equals(&name, s->pack->id_field))
            continue;
        ok = (s->json->len == start + 1 || buf_append(s->json, ",", 1)) &&
             json_compact(s->json, &name) && buf_append(s->json, ":", 1) &&
             json_compact(s->json, &value);
    }
    ok = ok && buf_append(s->json, "}", 1);
    *out = (struct json_value){JSON_OBJECT, s->json->data + start, s->json->len - start};
    return ok;
}

static bool put_compact(const struct splitter *s, const struct json_value *value,
                        struct json_value *out)
{
    size_t start = s->json->len;
    bool ok = json_compact(s->json, value);

    *out = (struct json_value){value->kind, s->json->data + start, s->json->len - start};
    return ok;
}

/* The one member of @element that is not its id; absent when there are none or several. */
static struct json_value only_other(const struct splitter *s, const struct json_value *element)
{
    struct json_iter it = json_iter_begin(element);
    struct json_value name;
    struct json_value value;
    struct json_value found = {.kind = JSON_ABSENT};

    while (json_iter_next(&it, &name, &value)) {
        if (json_string_equals(&name, s->pack->id_field))
            continue;
        if (found.kind != JSON_ABSENT)
            return (struct json_value){.kind = JSON_ABSENT};
        found = value;
    }
    return found;
}

static bool is_text(const struct json_value *value, char why[WHY_MAX])
{
    if (value->kind != JSON_STRING)
        return why_set(why, "expected a text, got %s", json_kind_name(value->kind));
    return value->len > 2 || why_set(why, "the answer is empty");
}

/* Judge @value, or @element without its id when @value is absent, for row @i. */
static void settle(struct splitter *s, size_t i, const struct json_value *element,
                   const struct json_value *value)
{
    struct answer *out = &s->out[i];
    struct json_value compact;
    bool has_room = value->kind == JSON_ABSENT ? put_rest(s, element, &compact)
                                               : put_compact(s, value, &compact);

    out->repairs = s->repairs;
    if (!has_room)
        (void)why_set(out->why, "the answer is too long");
    else if (s->rule->type != ANSWER_TEXT || is_text(&compact, out->why))
        answer_settle(s->rule, &compact, out);
    if (out->verdict == ANSWER_INVALID)
        answer_invalid(out);
}

/*
 * Row @i is named once more. In what a model wrote as one whole the first counts; among objects
 * picked out of its words one may be an example, and which one nobody knows.
 */
static void repeat(struct splitter *s, size_t i)
{
    if ((s->repairs & 1u << REPAIR_LIST) == 0)
        return;
    answer_invalid(&s->out[i]);
    (void)why_set(s->out[i].why, "there are several answers for id \"%s\"", s->pack->ids[i]);
}

/* Whether row @i is named for the first time, and not by what was cut off inside. */
static bool claim(struct splitter *s, size_t i, const struct json_value *value)
{
    if (i == NONE || (s->whole != NULL && value->text + value->len > s->whole))
        return false;
    if (!s->out[i].forgotten) {
        repeat(s, i);
        return false;
    }
    s->out[i].forgotten = false;
    return true;
}

/* The member of @element that the recipe says is the answer; absent without. */
static struct json_value answer_member(const struct splitter *s, const struct json_value *element)
{
    if (s->pack->answer_field == NULL)
        return (struct json_value){.kind = JSON_ABSENT};
    return json_member(element, s->pack->answer_field);
}

/* @element is for row @i. */
static void take_for(struct splitter *s, size_t i, const struct json_value *element)
{
    struct json_value value = answer_member(s, element);

    if (!claim(s, i, element))
        return;
    if (s->pack->answer_field != NULL) {
        if (value.kind == JSON_ABSENT) {
            (void)why_set(s->out[i].why, "the element has no \"%s\"", s->pack->answer_field);
            return;
        }
    } else if (s->rule->type == ANSWER_TEXT) {
        value = only_other(s, element);
    }
    settle(s, i, element, &value);
}

static void take_element(struct splitter *s, const struct json_value *element)
{
    struct json_value id = json_member(element, s->pack->id_field);

    s->named = s->named || id.kind != JSON_ABSENT;
    take_for(s, id.kind == JSON_ABSENT ? NONE : row_of(s, &id), element);
}

static void take_list(struct splitter *s, const struct json_value *list)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value element;

    while (json_iter_next(&it, NULL, &element))
        take_element(s, &element);
}

static bool is_list_of_objects(const struct json_value *list)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value element;

    if (list->kind != JSON_ARRAY)
        return false;
    while (json_iter_next(&it, NULL, &element))
        if (element.kind != JSON_OBJECT)
            return false;
    return true;
}

/* The member of an object that holds the answers: its only list of objects, or its only member. */
static struct json_value inner(const struct json_value *object)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value list = {.kind = JSON_ABSENT};
    struct json_value last = {.kind = JSON_ABSENT};
    struct json_value value;
    size_t lists = 0;
    size_t members = 0;

    for (; json_iter_next(&it, NULL, &value); members++) {
        last = value;
        if (is_list_of_objects(&value)) {
            list = value;
            lists++;
        }
    }
    if (lists == 1)
        return list;
    return members == 1 ? last : (struct json_value){.kind = JSON_ABSENT};
}

/* The only element of a list; absent when there are none or several. */
static struct json_value only_element(const struct json_value *list)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value first = {.kind = JSON_ABSENT};
    struct json_value second;

    if (list->kind != JSON_ARRAY || !json_iter_next(&it, NULL, &first) ||
        json_iter_next(&it, NULL, &second))
        return (struct json_value){.kind = JSON_ABSENT};
    return first;
}

/* Whether @element is a valid answer to the only row. */
static bool fits(struct splitter *s, const struct json_value *element)
{
    s->out[0] = (struct answer){.verdict = ANSWER_INVALID, .forgotten = true};
    s->json->len = 0;
    if (element->kind == JSON_OBJECT)
        take_for(s, 0, element);
    return s->out[0].verdict != ANSWER_INVALID;
}

/* Whether @object has several members. */
static bool has_others(const struct json_value *object)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value value;
    size_t count = 0;

    while (count < 2 && json_iter_next(&it, NULL, &value))
        count++;
    return count == 2;
}

/* What is valid of both; else what is wrong with @likely. @other may be NULL. */
static void take_valid(struct splitter *s, const struct json_value *likely,
                       const struct json_value *other)
{
    if (!fits(s, likely) && other != NULL && !fits(s, other))
        (void)fits(s, likely);
}

/* The answer to the only row has no id: it is all of @root, or the only element in it. */
static void take_unnamed(struct splitter *s, const struct json_value *root)
{
    struct json_value inside = root->kind == JSON_OBJECT ? inner(root) : *root;
    struct json_value element = only_element(&inside);
    bool ruled = s->rule->schema != NULL || s->rule->vocabulary != NULL;

    if (element.kind != JSON_OBJECT)
        take_valid(s, root, NULL);
    else if (root->kind == JSON_OBJECT && has_others(root))
        take_valid(s, root, &element);
    else
        take_valid(s, &element, ruled ? root : NULL);
}

/*
 * A single row was asked about, and no element that names it is a valid answer. Elements with ids
 * may be a part of what the answer is: {"topics": [{"id": 1, ...}], "score": 2}.
 */
static void take_alone(struct splitter *s, const struct json_value *root)
{
    struct answer named = s->out[0];
    bool ruled = s->rule->schema != NULL || s->rule->vocabulary != NULL;

    if (!s->named)
        take_unnamed(s, root);
    else if (!((ruled || has_others(root)) && fits(s, root)))
        s->out[0] = named;
}

/* What is below an id is the answer, or an element as in a list, with the answer in it. */
static void take_keyed(struct splitter *s, const struct json_value *object)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value name;
    struct json_value value;

    while (json_iter_next(&it, &name, &value)) {
        size_t i = row_of(s, &name);
        struct json_value member = answer_member(s, &value);

        if (claim(s, i, &value))
            settle(s, i, &value, member.kind == JSON_ABSENT ? &value : &member);
    }
}

/* Shapes */

static bool is_keyed(const struct splitter *s, const struct json_value *object)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value name;
    struct json_value value;

    if (object->kind != JSON_OBJECT)
        return false;
    while (json_iter_next(&it, &name, &value))
        if (row_of(s, &name) != NONE)
            return true;
    return false;
}

/* False when the value has none of the shapes. */
static bool take_named(struct splitter *s, const struct json_value *root)
{
    struct json_value inside;

    if (root->kind == JSON_ARRAY) {
        take_list(s, root);
    } else if (is_keyed(s, root)) {
        take_keyed(s, root);
    } else if (json_member(root, s->pack->id_field).kind != JSON_ABSENT) {
        take_element(s, root);
    } else {
        inside = inner(root);
        if (inside.kind == JSON_ARRAY)
            take_list(s, &inside);
        else if (is_keyed(s, &inside))
            take_keyed(s, &inside);
        else
            return false;
    }
    return true;
}

static bool take(struct splitter *s, const struct json_value *root)
{
    bool ok = take_named(s, root);

    if (s->pack->count == 1 && s->out[0].verdict == ANSWER_INVALID &&
        (s->out[0].forgotten || s->named) &&
        json_member(root, s->pack->id_field).kind == JSON_ABSENT) {
        take_alone(s, root);
        ok = ok || !s->out[0].forgotten;
    }
    return ok;
}

static bool spoil(struct splitter *s, const char why[WHY_MAX])
{
    for (size_t i = 0; i < s->pack->count; i++) {
        s->out[i] = (struct answer){.verdict = ANSWER_INVALID};
        memcpy(s->out[i].why, why, WHY_MAX);
    }
    return false;
}

static void forget(struct splitter *s, const struct answer_content *content)
{
    for (size_t i = 0; i < s->pack->count; i++) {
        struct answer *out = &s->out[i];

        if (out->forgotten)
            (void)why_set(out->why, "the answer to the pack has nothing for id \"%s\"",
                          s->pack->ids[i]);
        if (out->verdict == ANSWER_INVALID)
            answer_say_cut(content, out->why);
    }
}

bool answer_split(const struct answer_rule *rule, const struct answer_pack *pack,
                  const struct answer_content *content, struct answer_scratch *scratch,
                  struct answer out[])
{
    struct splitter s = {.rule = rule, .pack = pack, .json = &scratch->json, .out = out};
    struct answer_value value;
    char why[WHY_MAX] = "";

    for (size_t i = 0; i < pack->count; i++)
        out[i] = (struct answer){.verdict = ANSWER_INVALID, .forgotten = true};
    buf_clear(&scratch->fixed);
    buf_clear(&scratch->json);
    if (!answer_read(rule, content, scratch, true, &value, why)) {
        answer_say_cut(content, why);
        return spoil(&s, why);
    }
    /* Every answer is a part of the text or smaller: the buffer never moves from here on. */
    if (!buf_reserve(&scratch->json, value.root.len + 1)) {
        (void)why_set(why, "the answer is too long");
        return spoil(&s, why);
    }
    s.repairs = value.done.repairs;
    if ((s.repairs & 1u << REPAIR_CUT) != 0)
        s.whole = scratch->fixed.data + value.done.whole;
    index_ids(scratch, &s);
    if (!take(&s, &value.root)) {
        (void)why_set(why, "expected a list of objects with \"%s\", or an object by id",
                      pack->id_field);
        return spoil(&s, why);
    }
    forget(&s, content);
    return true;
}
