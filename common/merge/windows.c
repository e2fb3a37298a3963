#include "common/merge/windows.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/codec/payload.h"
#include "common/input/line_reader.h"
#include "common/input/source.h"
#include "common/json/request_line.h"
#include "common/merge/requests.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define FILE_MAX_BYTES (64u << 20)

struct windows {
    struct sink *sink;
    const struct job_spec *spec;
    struct source *source; /* of a job that is read again; else NULL */
    struct line_reader *reader;
    struct window_cutter *cutter;
    struct buf file; /* req/ of the window, of an inline job */
    struct payload payload;
    struct window_line *lines; /* ORDINAL_LINES of them */
};

static bool open_source(struct windows *w, uint32_t part, struct err *err)
{
    struct window_limits limits = {w->spec->window_lines, w->spec->window_bytes};
    uint64_t offset = 0;
    uint64_t line = 1;

    if (!requests_find_part(w->sink, part, &offset, &line, err))
        return false;
    w->source = source_open(w->spec->source, err);
    if (w->source == NULL || (offset != 0 && !source_seek(w->source, offset, err)))
        return false;
    w->reader = line_reader_new(w->source, REQUEST_LINE_MAX_BYTES);
    line_reader_start(w->reader, offset, line);
    w->cutter = window_cutter_new(w->reader, limits, (uint64_t)part * PART_WINDOWS);
    return true;
}

struct windows *windows_new(struct sink *sink, const struct job_spec *spec, uint32_t part,
                            struct err *err)
{
    struct windows *w = xcalloc(1, sizeof(*w));

    w->sink = sink;
    w->spec = spec;
    w->file = BUF_INIT(FILE_MAX_BYTES);
    w->lines = xcalloc(ORDINAL_LINES, sizeof(*w->lines));
    if (spec->inline_payload || open_source(w, part, err))
        return w;
    windows_free(w);
    return NULL;
}

void windows_free(struct windows *w)
{
    if (w == NULL)
        return;
    window_cutter_free(w->cutter);
    line_reader_free(w->reader);
    source_close(w->source);
    payload_release(&w->payload);
    buf_release(&w->file);
    free(w->lines);
    free(w);
}

static bool read_kept(struct windows *w, uint32_t wanted, struct window *out, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    bool exists = false;

    layout_requests(name, wanted);
    if (!sink_exists(w->sink, name, &exists, err))
        return false;
    if (!exists)
        return err_set(err, ERR_INPUT,
                       "the lines of window %" PRIu32 " are no longer in %s: submit the same input "
                       "again, under the same name",
                       wanted, sink_path(w->sink));
    payload_release(&w->payload);
    buf_clear(&w->file);
    if (!sink_read(w->sink, name, &w->file, err) ||
        !payload_decode(w->file.data, w->file.len, &w->payload, err))
        return false;
    /* Where it stood in the input matters no more, but for a byte order mark at the very start. */
    *out = (struct window){.index = wanted,
                           .offset = wanted > 0,
                           .len = w->payload.len,
                           .first_line = w->payload.first_line,
                           .crc32c = w->payload.crc,
                           .lines = w->lines,
                           .bytes = w->payload.bytes};
    out->count = (uint32_t)window_split(out->bytes, out->len, out->offset, out->first_line,
                                        REQUEST_LINE_MAX_BYTES, w->lines, ORDINAL_LINES);
    return true;
}

bool windows_step(struct windows *w, uint32_t wanted, struct window *out, bool *found,
                  struct err *err)
{
    bool end = false;

    if (w->spec->inline_payload) {
        *found = true;
        return read_kept(w, wanted, out, err);
    }
    if (!window_cutter_next(w->cutter, out, &end, err))
        return false;
    if (end)
        return err_set(err, ERR_INPUT, "%s: is shorter than it was", w->spec->source);
    *found = out->index == wanted;
    return true;
}

bool windows_check(const struct windows *w, const struct window *window, uint32_t lines,
                   uint32_t crc, struct err *err)
{
    if (window->count == lines && window->crc32c == crc)
        return true;
    return err_set(err, ERR_INPUT,
                   "%s has changed since its requests were sent, at line %" PRIu64 " or behind it",
                   w->spec->inline_payload ? "the input" : w->spec->source, window->first_line);
}

const void *windows_payload(const struct windows *w, size_t *len)
{
    *len = w->file.len;
    return w->file.len == 0 ? NULL : w->file.data;
}
