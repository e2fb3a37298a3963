/*
 * Putting values into the text of an object, in one pass over each object that a path goes through:
 * find for each path the member it goes into, sort the paths by that, then copy the text and write
 * what is new where it belongs.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/json/scan.h"
#include "common/rows/row_path.h"
#include "common/rows/row_writer.h"

/* A value on its way down. */
struct pending {
    const char *path; /* what is left of it; "" when it has arrived */
    size_t used;      /* how much of @path the name is that it takes next */
    size_t member;    /* number of the member it goes into; from @members on those that are new */
    struct slice json;
};

static bool splice_object(struct buf *out, const struct json_value *object, struct pending *puts,
                          size_t count, unsigned depth);

/* Which member of @object each path goes into. Returns how many members there are. */
static size_t find_members(const struct json_value *object, struct pending *puts, size_t count)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value name;
    struct json_value value;
    size_t members = 0;

    for (size_t i = 0; i < count; i++) {
        puts[i].used = 0;
        puts[i].member = SIZE_MAX;
    }
    for (; json_iter_next(&it, &name, &value); members++)
        for (size_t i = 0; i < count; i++) {
            size_t n = row_path_match(&name, puts[i].path);

            if (n > 0 && n >= puts[i].used) {
                puts[i].used = n;
                puts[i].member = members;
            }
        }
    return members;
}

static bool same_name(const struct pending *a, const struct pending *b)
{
    return a->used == b->used && memcmp(a->path, b->path, a->used) == 0;
}

/* Paths that found no member make one, of their first name; those of one name share it. */
static void add_members(struct pending *puts, size_t count, size_t members)
{
    for (size_t i = 0; i < count; i++) {
        if (puts[i].member != SIZE_MAX)
            continue;
        puts[i].used = strcspn(puts[i].path, ".");
        puts[i].member = members + i;
        for (size_t k = 0; k < i; k++)
            if (puts[k].member >= members && same_name(&puts[k], &puts[i])) {
                puts[i].member = puts[k].member;
                break;
            }
    }
}

/* By member; those of one member stay in their order. There are few. */
static void sort_puts(struct pending *puts, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct pending put = puts[i];
        size_t k = i;

        for (; k > 0 && puts[k - 1].member > put.member; k--)
            puts[k] = puts[k - 1];
        puts[k] = put;
    }
}

static size_t group_size(const struct pending *puts, size_t count)
{
    size_t n = 1;

    while (n < count && puts[n].member == puts[0].member)
        n++;
    return n;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as a path has names, ROW_PATH_NAMES_MAX */

/* One step down: the @count paths have gone into the member whose value is @value. */
static bool splice_value(struct buf *out, struct json_value value, struct pending *puts,
                         size_t count, unsigned depth)
{
    size_t first = 0;

    for (size_t i = 0; i < count; i++) {
        puts[i].path += puts[i].used;
        if (*puts[i].path == '.')
            puts[i].path++;
        if (*puts[i].path != '\0')
            continue;
        first = i + 1; /* this replaces all that came before it */
        value = (struct json_value){.text = puts[i].json.p, .len = puts[i].json.len};
        value.kind = value.text[0] == '{' ? JSON_OBJECT : JSON_NULL;
    }
    if (first == count)
        return buf_append(out, value.text, value.len);
    if (value.kind != JSON_OBJECT)
        value = (struct json_value){.kind = JSON_OBJECT, .text = "{}", .len = 2};
    return splice_object(out, &value, puts + first, count - first, depth);
}

/* The new members, behind the others. */
static bool splice_new(struct buf *out, struct pending *puts, size_t count, bool comma,
                       unsigned depth)
{
    for (size_t n = 0; count > 0; puts += n, count -= n, comma = true) {
        n = group_size(puts, count);
        if (comma && !buf_append(out, ",", 1))
            return false;
        if (!json_string_encode(out, puts->path, puts->used) || !buf_append(out, ":", 1) ||
            !splice_value(out, (struct json_value){.kind = JSON_ABSENT}, puts, n, depth))
            return false;
    }
    return true;
}

static bool splice_object(struct buf *out, const struct json_value *object, struct pending *puts,
                          size_t count, unsigned depth)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value value;
    const char *copied = object->text;
    const char *behind = object->text + 1; /* the last member, or the brace */
    size_t members = find_members(object, puts, count);

    if (depth == 0)
        return false;
    add_members(puts, count, members);
    sort_puts(puts, count);
    for (size_t m = 0; m < members && json_iter_next(&it, NULL, &value); m++) {
        behind = value.text + value.len;
        if (count == 0 || puts->member != m)
            continue;

        size_t n = group_size(puts, count);

        if (!buf_append(out, copied, (size_t)(value.text - copied)) ||
            !splice_value(out, value, puts, n, depth - 1))
            return false;
        copied = behind;
        puts += n;
        count -= n;
    }
    return buf_append(out, copied, (size_t)(behind - copied)) &&
           splice_new(out, puts, count, members > 0, depth - 1) &&
           buf_append(out, behind, (size_t)(object->text + object->len - behind));
}

/* NOLINTEND(misc-no-recursion) */

bool row_splice(struct buf *out, const struct json_value *object, const struct row_put *puts,
                size_t count)
{
    static const struct json_value empty = {.kind = JSON_OBJECT, .text = "{}", .len = 2};
    struct pending *pending = xcalloc(count + 1, sizeof(*pending));
    size_t before = out->len;

    for (size_t i = 0; i < count; i++)
        pending[i] = (struct pending){.path = puts[i].path, .json = puts[i].json};

    bool ok = splice_object(out, object->kind == JSON_OBJECT ? object : &empty, pending, count,
                            ROW_PATH_NAMES_MAX + 1);

    if (!ok && out->data != NULL) {
        out->len = before;
        out->data[before] = '\0';
    }
    free(pending);
    return ok;
}
