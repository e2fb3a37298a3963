#include "producer/cut.h"

#include <stdlib.h>

#include "common/base/xmem.h"
#include "common/input/line_reader.h"
#include "common/input/source.h"
#include "common/json/request_line.h"

struct cut {
    const char *path;
    const struct job_spec *spec;
    struct source *source;
    struct line_reader *reader;
    struct window_cutter *cutter;
    uint32_t next; /* number of the window that cut_next() gives */
    uint64_t offset;
};

static void close_reading(struct cut *cut)
{
    window_cutter_free(cut->cutter);
    line_reader_free(cut->reader);
    cut->cutter = NULL;
    cut->reader = NULL;
}

static void start_reading(struct cut *cut, const struct job_cursor *at)
{
    struct window_limits limits = {.max_lines = cut->spec->window_lines,
                                   .max_bytes = cut->spec->window_bytes};

    close_reading(cut);
    cut->reader = line_reader_new(cut->source, REQUEST_LINE_MAX_BYTES);
    line_reader_start(cut->reader, at->offset, at->line);
    cut->cutter = window_cutter_new(cut->reader, limits, at->window);
    cut->next = at->window;
    cut->offset = at->offset;
}

struct cut *cut_new(const char *path, const struct job_spec *spec, struct err *err)
{
    static const struct job_cursor start = {.line = 1};
    struct source *source = source_open(path, err);

    if (source == NULL)
        return NULL;
    struct cut *cut = xcalloc(1, sizeof(*cut));
    cut->path = path;
    cut->spec = spec;
    cut->source = source;
    start_reading(cut, &start);
    return cut;
}

void cut_free(struct cut *cut)
{
    if (cut == NULL)
        return;
    close_reading(cut);
    source_close(cut->source);
    free(cut);
}

static bool go_forward(struct cut *cut, const struct job_cursor *cursor, struct err *err)
{
    struct window window;
    bool end = false;

    if (cursor->window < cut->next)
        return err_set(err, ERR_TEMPORARY,
                       "%s: cannot be read again from the beginning; start again", cut->path);
    while (cut->next < cursor->window && !end) {
        if (!cut_next(cut, &window, &end, err))
            return false;
    }
    if (cut->next != cursor->window || cut->offset != cursor->offset)
        return err_set(err, ERR_CONFLICT, "%s: is not the input that was cut before", cut->path);
    return true;
}

bool cut_go_to(struct cut *cut, const struct job_cursor *cursor, struct err *err)
{
    if (cursor->window == cut->next && cursor->offset == cut->offset)
        return true;
    if (!source_is_seekable(cut->source))
        return go_forward(cut, cursor, err);
    if (!source_seek(cut->source, cursor->offset, err))
        return false;
    start_reading(cut, cursor);
    return true;
}

bool cut_next(struct cut *cut, struct window *window, bool *end, struct err *err)
{
    if (!window_cutter_next(cut->cutter, window, end, err))
        return false;
    if (!*end) {
        cut->next++;
        cut->offset = window->offset + window->len;
    }
    return true;
}
