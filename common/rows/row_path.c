#include "common/rows/row_path.h"

#include <string.h>

enum {
    NAME_BYTES = 1024
}; /* an escaped name that is longer when decoded is never part of a path */

bool row_path_check(const char *path, struct err *err)
{
    size_t names = 0;

    if (*path == '\0')
        return err_set(err, ERR_USAGE, "a path is empty");
    for (const char *p = path; p != NULL; names++) {
        const char *dot = strchr(p, '.');

        if (dot == p || *p == '\0')
            return err_set(err, ERR_USAGE, "\"%s\" has an empty name in it", path);
        p = dot != NULL ? dot + 1 : NULL;
    }
    if (names > ROW_PATH_NAMES_MAX)
        return err_set(err, ERR_USAGE, "\"%.40s...\" has more than %d names in it", path,
                       ROW_PATH_NAMES_MAX);
    return true;
}

size_t row_path_match(const struct json_value *name, const char *path)
{
    char decoded[NAME_BYTES];
    const char *text = name->text + 1;
    size_t len = name->len - 2;

    if (memchr(text, '\\', len) != NULL) {
        if (!json_string_decode(name, decoded, sizeof(decoded), &len))
            return 0;
        text = decoded;
    }
    if (len == 0 || strncmp(path, text, len) != 0 || memchr(text, '\0', len) != NULL)
        return 0;
    return path[len] == '\0' || path[len] == '.' ? len : 0;
}

/* The element of an array that the number at the start of @path names; *@used is its length. */
static struct json_value element_at(const struct json_value *array, const char *path, size_t *used)
{
    struct json_iter it = json_iter_begin(array);
    struct json_value value = {.kind = JSON_ABSENT};
    size_t len = strcspn(path, ".");
    size_t index = 0;

    if (len == 0 || len > 9 || strspn(path, "0123456789") < len || (len > 1 && path[0] == '0'))
        return value;
    for (size_t i = 0; i < len; i++)
        index = index * 10 + (size_t)(path[i] - '0');
    *used = len;
    for (size_t i = 0; i <= index; i++)
        if (!json_iter_next(&it, NULL, &value))
            return (struct json_value){.kind = JSON_ABSENT};
    return value;
}

static struct json_value member_at(const struct json_value *object, const char *path, size_t *used)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value found = {.kind = JSON_ABSENT};
    struct json_value name;
    struct json_value value;

    while (json_iter_next(&it, &name, &value)) {
        size_t n = row_path_match(&name, path);

        if (n > 0 && n >= *used) {
            *used = n;
            found = value;
        }
    }
    return found;
}

struct json_value row_at(const struct json_value *object, const char *path)
{
    struct json_value at = *object;

    for (;;) {
        size_t used = 0;

        if (at.kind == JSON_OBJECT)
            at = member_at(&at, path, &used);
        else if (at.kind == JSON_ARRAY)
            at = element_at(&at, path, &used);
        else
            at = (struct json_value){.kind = JSON_ABSENT};
        if (at.kind == JSON_ABSENT || path[used] == '\0')
            return at;
        path += used + 1;
    }
}
