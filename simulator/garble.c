#include "simulator/garble.h"

#include <json-c/json.h>
#include <string.h>

#include "simulator/text.h"

#define PLAIN (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

static const char wrong_word[] = "no-such-word";

static void set_text(struct buf *text, const char *to)
{
    buf_clear(text);
    text_put(text, to);
}

static void surround(struct buf *text, const char *before, const char *behind)
{
    struct buf whole = TEXT_INIT;

    text_put(&whole, before);
    text_bytes(&whole, text->data, text->len);
    text_put(&whole, behind);
    buf_release(text);
    *text = whole;
}

/* Double quotes become single ones, and a comma comes before the bracket that ends it. */
static void loosen(struct buf *text)
{
    char last[2] = "";
    bool free_quotes = text->len > 0 && memchr(text->data, '\'', text->len) == NULL;

    for (size_t i = 0; i < text->len && free_quotes; i++) {
        if (text->data[i] == '"')
            text->data[i] = '\'';
    }
    if (text->len > 0)
        last[0] = text->data[text->len - 1];
    if (last[0] != '}' && last[0] != ']')
        return;
    text->len--;
    text_put(text, ",");
    text_put(text, last);
}

static void cut_off(struct buf *text)
{
    size_t len = text->len * 2 / 3;

    while (len > 0 && ((unsigned char)text->data[len] & 0xC0) == 0x80)
        len--;
    text->len = len;
    text->data[len] = '\0';
}

/* Where a value stands. */
struct place {
    struct json_object *in;
    const char *name; /* of an object's member */
    size_t at;        /* of a list's element */
};

static void put_at(const struct place *place, struct json_object *value)
{
    if (place->name != NULL)
        (void)json_object_object_add(place->in, place->name, value);
    else
        (void)json_object_array_put_idx(place->in, place->at, value);
}

static bool is_leaf(struct json_object *value)
{
    return json_object_is_type(value, json_type_string) ||
           json_object_is_type(value, json_type_int) ||
           json_object_is_type(value, json_type_double);
}

/* NOLINTBEGIN(misc-no-recursion): as deep as json-c parses, 32 levels */

static bool last_leaf(struct json_object *value, struct place *out);

/* One step of it: the value @v at @here. */
static bool look_at(struct json_object *v, struct place here, struct place *out)
{
    if (!is_leaf(v))
        return last_leaf(v, out);
    *out = here;
    return true;
}

/* The last string or number in @value: depth first, as the text has them. */
static bool last_leaf(struct json_object *value, struct place *out)
{
    bool found = false;

    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            found |=
                look_at(json_object_array_get_idx(value, i), (struct place){value, NULL, i}, out);
    } else if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, name, v)
        {
            found |= look_at(v, (struct place){value, name, 0}, out);
        }
    }
    return found;
}

/* NOLINTEND(misc-no-recursion) */

static struct json_object *at_place(const struct place *p)
{
    return p->name != NULL ? json_object_object_get(p->in, p->name)
                           : json_object_array_get_idx(p->in, p->at);
}

/* The object to change: @root, or the first element of a list. */
static struct json_object *first_of(struct json_object *root)
{
    if (json_object_is_type(root, json_type_array) && json_object_array_length(root) > 0)
        return json_object_array_get_idx(root, 0);
    return root;
}

static void put_wrong_word(struct json_object *root)
{
    struct place place;

    if (!last_leaf(first_of(root), &place))
        return;
    bool text = json_object_is_type(at_place(&place), json_type_string);
    put_at(&place, json_object_new_string(text ? wrong_word : "three"));
}

static void put_extra_key(struct json_object *root)
{
    struct json_object *object = first_of(root);

    if (json_object_is_type(object, json_type_object))
        (void)json_object_object_add(object, "comment", json_object_new_string("made up"));
}

static void forget(struct json_object *root)
{
    struct json_object *list = root;

    if (json_object_is_type(root, json_type_object)) {
        json_object_object_foreach(root, name, value)
        {
            (void)name;
            if (json_object_is_type(value, json_type_array))
                list = value;
        }
    }
    if (json_object_is_type(list, json_type_array) && json_object_array_length(list) > 0)
        (void)json_object_array_del_idx(list, json_object_array_length(list) - 1, 1);
}

static void change_json(struct buf *text, enum garble how)
{
    struct json_object *root = json_tokener_parse(text->data);

    if (!json_object_is_type(root, json_type_object) &&
        !json_object_is_type(root, json_type_array)) {
        if (how == GARBLE_WRONG_WORD)
            set_text(text, wrong_word);
        json_object_put(root);
        return;
    }
    if (how == GARBLE_WRONG_WORD)
        put_wrong_word(root);
    else if (how == GARBLE_EXTRA_KEY)
        put_extra_key(root);
    else
        forget(root);
    set_text(text, json_object_to_json_string_ext(root, PLAIN));
    json_object_put(root);
}

void garble_text(struct buf *text, enum garble how)
{
    switch (how) {
    case GARBLE_NONE: break;
    case GARBLE_PROSE: set_text(text, "I would need to know more to answer that."); break;
    case GARBLE_WRAPPED:
        surround(text, "Here is the answer:\n", "\nLet me know if you need anything else.");
        break;
    case GARBLE_FENCED: surround(text, "```json\n", "\n```"); break;
    case GARBLE_LOOSE: loosen(text); break;
    case GARBLE_CUT_OFF: cut_off(text); break;
    case GARBLE_WRONG_WORD:
    case GARBLE_EXTRA_KEY:
    case GARBLE_FORGOTTEN: change_json(text, how); break;
    }
}
