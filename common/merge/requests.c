#include "common/merge/requests.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/codec/ids.h"
#include "common/input/line_reader.h"
#include "common/input/shard_plan.h"
#include "common/input/source.h"
#include "common/input/window.h"
#include "common/json/request_line.h"
#include "common/json/scan.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define INDEX_VERSION   1
#define INDEX_MAX_BYTES 4096u
#define IDS_MAX_BYTES   (40u << 20)
#define REASON_BYTES    (REQUEST_WHY_SIZE + 32)

struct requests {
    struct sink *sink;
    const struct job_spec *spec;
    struct source *source; /* of a job that is read again; else NULL */
    struct line_reader *lines;
    struct window_cutter *cutter;
    struct window cut;
    struct ids ids;  /* of an inline job */
    uint64_t window; /* number of the current one */
    uint64_t next;   /* number of the next one */
    uint32_t count;  /* requests in the current one */
    uint32_t at;     /* requests given of it */
    char reason[REASON_BYTES];
};

static bool write_index(struct buf *out, uint32_t part, uint64_t offset, uint64_t line)
{
    return buf_printf(out,
                      "{\"version\":%d,\"window\":%" PRIu64 ",\"offset\":%" PRIu64
                      ",\"line\":%" PRIu64 "}\n",
                      INDEX_VERSION, (uint64_t)part * PART_WINDOWS, offset, line);
}

bool requests_publish_index(struct sink *sink, uint32_t part, uint64_t offset, uint64_t line,
                            struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    struct buf doc = BUF_INIT(INDEX_MAX_BYTES);
    struct buf found = BUF_INIT(INDEX_MAX_BYTES);
    bool existed = false;
    bool ok = false;

    layout_index(name, part);
    if (!write_index(&doc, part, offset, line)) {
        err_set(err, ERR_INTERNAL, "index of part %" PRIu32 " is too long", part);
        goto out;
    }
    if (!sink_publish(sink, name, doc.data, doc.len, &existed, err))
        goto out;
    if (existed) {
        if (!sink_read(sink, name, &found, err))
            goto out;
        if (found.len != doc.len || memcmp(found.data, doc.data, doc.len) != 0) {
            err_set(err, ERR_CONFLICT,
                    "part %" PRIu32 " of the input no longer starts where it did: "
                    "the input has changed",
                    part);
            goto out;
        }
    }
    ok = true;
out:
    buf_release(&doc);
    buf_release(&found);
    return ok;
}

static bool parse_index(const struct buf *doc, uint32_t part, uint64_t *offset, uint64_t *line)
{
    static const char *const names[] = {"version", "window", "offset", "line"};
    struct json_value v[ARRAY_LEN(names)];
    int64_t n[ARRAY_LEN(names)];

    if (!json_scan_object(doc->data, doc->len, names, ARRAY_LEN(names), v, NULL))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!json_to_int64(&v[i], &n[i]) || n[i] < 0)
            return false;
    }
    if (n[0] != INDEX_VERSION || n[1] != (int64_t)part * PART_WINDOWS || n[3] < 1)
        return false;
    *offset = (uint64_t)n[2];
    *line = (uint64_t)n[3];
    return true;
}

bool requests_find_part(struct sink *sink, uint32_t part, uint64_t *offset, uint64_t *line,
                        struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    struct buf doc = BUF_INIT(INDEX_MAX_BYTES);
    bool ok;

    if (part == 0) {
        *offset = 0;
        *line = 1;
        return true;
    }
    ok = sink_read(sink, layout_index(name, part), &doc, err);
    if (ok && !parse_index(&doc, part, offset, line))
        ok = err_set(err, ERR_PERMANENT, "%s/%s is not an index", sink_path(sink), name);
    buf_release(&doc);
    return ok;
}

static bool open_source(struct requests *r, uint32_t part, struct err *err)
{
    struct window_limits limits = {r->spec->window_lines, r->spec->window_bytes};
    uint64_t offset = 0;
    uint64_t line = 1;

    if (!requests_find_part(r->sink, part, &offset, &line, err))
        return false;
    r->source = source_open(r->spec->source, err);
    if (r->source == NULL || (offset != 0 && !source_seek(r->source, offset, err)))
        return false;
    r->lines = line_reader_new(r->source, REQUEST_LINE_MAX_BYTES);
    line_reader_start(r->lines, offset, line);
    r->cutter = window_cutter_new(r->lines, limits, r->next);
    return true;
}

struct requests *requests_new(struct sink *sink, const struct job_spec *spec, uint32_t part,
                              struct err *err)
{
    struct requests *r = xcalloc(1, sizeof(*r));

    r->sink = sink;
    r->spec = spec;
    r->next = (uint64_t)part * PART_WINDOWS;
    if (spec->inline_payload || open_source(r, part, err))
        return r;
    requests_free(r);
    return NULL;
}

void requests_free(struct requests *r)
{
    if (r == NULL)
        return;
    window_cutter_free(r->cutter);
    line_reader_free(r->lines);
    source_close(r->source);
    ids_release(&r->ids);
    free(r);
}

static bool next_manifest(struct requests *r, bool *end, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    struct buf doc = BUF_INIT(IDS_MAX_BYTES);
    bool exists;
    bool ok = false;

    layout_ids(name, (uint32_t)r->next);
    if (!sink_exists(r->sink, name, &exists, err))
        return false;
    *end = !exists;
    if (!exists)
        return true;
    ids_release(&r->ids);
    if (sink_read(r->sink, name, &doc, err))
        ok = ids_decode(doc.data, doc.len, &r->ids, err) ||
             err_wrap(err, "%s/%s", sink_path(r->sink), name);
    buf_release(&doc);
    if (ok)
        r->count = (uint32_t)r->ids.count;
    return ok;
}

static bool next_window(struct requests *r, bool *end, struct err *err)
{
    *end = false;
    if (r->next > ORDINAL_MAX_WINDOW)
        return err_set(err, ERR_INPUT, "the input has too many windows");
    if (r->spec->inline_payload) {
        if (!next_manifest(r, end, err))
            return false;
    } else {
        if (!window_cutter_next(r->cutter, &r->cut, end, err))
            return false;
        r->count = r->cut.count;
    }
    r->at = 0;
    if (*end)
        r->count = 0;
    else
        r->window = r->next++;
    return true;
}

static void fill_from_line(struct requests *r, struct request *out)
{
    const struct window_line *text = &r->cut.lines[r->at];
    struct request_line line;
    char why[REQUEST_WHY_SIZE];
    bool valid = shard_line_parse(r->spec, text, &line, why);

    if (!valid)
        (void)snprintf(r->reason, sizeof(r->reason), "line %" PRIu64 ": %s", text->number, why);
    out->line = text->number;
    out->id = line.custom_id.len != 0 ? line.custom_id.p : NULL;
    out->id_len = line.custom_id.len;
    out->reason = valid ? NULL : r->reason;
    out->crc = r->cut.crc32c;
}

static void fill_from_manifest(struct requests *r, struct request *out)
{
    const struct ids_entry *e = &r->ids.entries[r->at];

    if (e->reason != NULL)
        (void)snprintf(r->reason, sizeof(r->reason), "line %" PRIu64 ": %.*s", e->line,
                       (int)(e->reason_len < REQUEST_WHY_SIZE ? e->reason_len : REQUEST_WHY_SIZE),
                       e->reason);
    out->line = e->line;
    out->id = e->id;
    out->id_len = e->id_len;
    out->reason = e->reason != NULL ? r->reason : NULL;
    out->crc = r->ids.crc;
}

enum requests_read requests_next(struct requests *r, struct request *out, struct err *err)
{
    while (r->at == r->count) {
        bool end;

        if (!next_window(r, &end, err))
            return REQUESTS_FAILED;
        if (end)
            return REQUESTS_END;
    }
    if (r->spec->inline_payload)
        fill_from_manifest(r, out);
    else
        fill_from_line(r, out);
    out->ordinal = ordinal_make((uint32_t)r->window, r->at);
    out->lines = r->count;
    r->at++;
    return REQUESTS_ONE;
}

bool requests_at_window(const struct requests *r, uint32_t window)
{
    return r->at == r->count && r->next == window;
}
