#include "simulator/edit.h"

#include <json-c/json.h>
#include <string.h>

#include "simulator/text.h"

/* The object that holds the last name of @member; NULL when it is not there. */
static struct json_object *holder(struct json_object *object, const char **member)
{
    char name[64];
    size_t n;

    while (object != NULL && (*member)[n = strcspn(*member, ".")] == '.') {
        struct json_object *inner = NULL;

        if (n >= sizeof(name))
            return NULL;
        memcpy(name, *member, n);
        name[n] = '\0';
        (void)json_object_object_get_ex(object, name, &inner);
        object = inner;
        *member += n + 1;
    }
    return json_object_is_type(object, json_type_object) ? object : NULL;
}

static void edit_one(struct json_object *object, const char *member, const char *json)
{
    object = holder(object, &member);
    if (object == NULL)
        return;
    if (json == NULL)
        json_object_object_del(object, member);
    else
        (void)json_object_object_add(object, member, json_tokener_parse(json));
}

/* The entries when @root is a listing, else NULL. */
static struct json_object *entries(struct json_object *root)
{
    struct json_object *list = root;

    if (json_object_is_type(root, json_type_object) &&
        !json_object_object_get_ex(root, "data", &list))
        (void)json_object_object_get_ex(root, "value", &list);
    return json_object_is_type(list, json_type_array) ? list : NULL;
}

void edit_member(struct buf *doc, const char *member, const char *json)
{
    struct json_object *root = doc->len != 0 ? json_tokener_parse(doc->data) : NULL;

    if (root == NULL)
        return;
    struct json_object *list = entries(root);
    if (list == NULL)
        edit_one(root, member, json);
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++)
        edit_one(json_object_array_get_idx(list, i), member, json);
    buf_clear(doc);
    text_put(doc, json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN |
                                                           JSON_C_TO_STRING_NOSLASHESCAPE));
    text_put(doc, "\n");
    json_object_put(root);
}
