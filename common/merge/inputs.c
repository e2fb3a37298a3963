#include "common/merge/inputs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/json/scan.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define INPUTS_VERSION 1
#define MAX_BYTES      (256u << 20) /* some million files */

void inputs_release(struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++)
        free(inputs->names[i]);
    free(inputs->names);
    *inputs = (struct inputs){0};
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t len = strlen(name);
    size_t n = strlen(suffix);

    return len > n && strcmp(name + len - n, suffix) == 0;
}

bool inputs_is_segment(const char *name)
{
    return has_suffix(name, ".seg");
}

static void add(struct inputs *inputs, char *name)
{
    /* Room doubles whenever the count is a power of two. */
    if ((inputs->count & (inputs->count - 1)) == 0)
        inputs->names =
            xrealloc(inputs->names, inputs->count == 0 ? 1 : inputs->count * 2, sizeof(char *));
    inputs->names[inputs->count++] = name;
}

static bool on_file(const char *name, void *arg, struct err *err)
{
    (void)err;
    if (inputs_is_segment(name) || has_suffix(name, ".end"))
        add(arg, xstrdup(name));
    return true;
}

bool inputs_list(struct sink *sink, uint32_t part, struct inputs *out, struct err *err)
{
    char folder[LAYOUT_NAME_MAX];
    struct inputs found = {0};

    if (!sink_list(sink, layout_part(folder, part), on_file, &found, err)) {
        inputs_release(&found);
        return false;
    }
    *out = found;
    return true;
}

static bool write_doc(const struct inputs *inputs, struct buf *out)
{
    bool ok =
        buf_printf(out, "{\"version\":%d,\"windows\":%" PRIu32 ",\"cancelled\":%s,\"files\":[",
                   INPUTS_VERSION, inputs->windows, inputs->cancelled ? "true" : "false");

    for (size_t i = 0; ok && i < inputs->count; i++)
        ok = buf_append(out, ",\n", i == 0 ? 0 : 2) &&
             json_string_encode(out, inputs->names[i], strlen(inputs->names[i]));
    return ok && buf_printf(out, "]}\n");
}

static bool parse_names(const struct json_value *files, struct inputs *out)
{
    struct json_iter it = json_iter_begin(files);
    struct json_value v;

    if (files->kind != JSON_ARRAY)
        return false;
    while (json_iter_next(&it, NULL, &v)) {
        char name[LAYOUT_NAME_MAX];
        size_t len;

        if (!json_string_decode(&v, name, sizeof(name), &len) || strlen(name) != len ||
            strchr(name, '/') != NULL)
            return false;
        add(out, xstrdup(name));
    }
    return true;
}

static bool parse_doc(const struct buf *doc, struct inputs *out)
{
    static const char *const names[] = {"version", "windows", "cancelled", "files"};
    struct json_value v[ARRAY_LEN(names)];
    int64_t version;
    int64_t windows;

    if (!json_scan_object(doc->data, doc->len, names, ARRAY_LEN(names), v, NULL) ||
        !json_to_int64(&v[0], &version) || version != INPUTS_VERSION ||
        !json_to_int64(&v[1], &windows) || windows < 0 || windows > PART_WINDOWS ||
        v[2].kind != JSON_BOOL)
        return false;
    out->windows = (uint32_t)windows;
    out->cancelled = v[2].text[0] == 't';
    return parse_names(&v[3], out);
}

bool inputs_load(struct sink *sink, uint32_t part, uint32_t generation, struct inputs *out,
                 bool *found, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    struct buf doc = BUF_INIT(MAX_BYTES);
    struct inputs loaded = {0};
    bool ok;

    if (!sink_exists(sink, layout_inputs(name, part, generation), found, err))
        return false;
    if (!*found)
        return true;
    ok = sink_read(sink, name, &doc, err);
    if (ok && !parse_doc(&doc, &loaded))
        ok = err_set(err, ERR_PERMANENT, "%s/%s is not a list of files", sink_path(sink), name);
    buf_release(&doc);
    if (ok)
        *out = loaded;
    else
        inputs_release(&loaded);
    return ok;
}

bool inputs_publish(struct sink *sink, uint32_t part, uint32_t generation,
                    const struct inputs *inputs, bool *same, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    struct buf doc = BUF_INIT(MAX_BYTES);
    struct buf found = BUF_INIT(MAX_BYTES);
    bool existed = false;
    bool ok = false;

    layout_inputs(name, part, generation);
    if (!write_doc(inputs, &doc)) {
        err_set(err, ERR_PERMANENT, "part %" PRIu32 " has too many files", part);
        goto out;
    }
    if (!sink_publish(sink, name, doc.data, doc.len, &existed, err) ||
        (existed && !sink_read(sink, name, &found, err)))
        goto out;
    *same = !existed || (found.len == doc.len && memcmp(found.data, doc.data, doc.len) == 0);
    ok = true;
out:
    buf_release(&doc);
    buf_release(&found);
    return ok;
}
