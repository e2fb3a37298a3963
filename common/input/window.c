#include "common/input/window.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/digest/crc32c.h"
#include "common/input/line_reader.h"

enum { BLANKS_HELD_BYTES = 1024 * 1024 };

/* Consecutive lines: what is known of them, and their bytes as far as they are held. */
struct run {
    uint64_t offset;
    uint64_t len;
    uint64_t first_line;
    uint64_t line_count;
    uint32_t crc32c;
    bool held; /* @bytes has all @len bytes */
    char *bytes;
    size_t used;
    size_t cap; /* the memory never moves: lines point into it */
};

struct window_cutter {
    struct line_reader *reader;
    struct window_limits limits;
    uint64_t index;
    struct line next; /* read, but in no window yet */
    bool has_next;
    bool at_end;
    struct run run; /* the window being cut */
    struct run gap; /* blank lines behind it that may not be part of it */
    struct window_line *lines;
    uint32_t count;
    uint32_t lines_cap;
};

struct window_cutter *window_cutter_new(struct line_reader *reader, struct window_limits limits,
                                        uint64_t first_index)
{
    struct window_cutter *c = xcalloc(1, sizeof(*c));
    size_t longest = line_reader_limit(reader) + 1; /* with its newline */

    c->reader = reader;
    c->limits = limits;
    if (c->limits.max_lines == 0)
        c->limits.max_lines = 1;
    c->index = first_index;
    c->run.cap = (limits.max_bytes > longest ? limits.max_bytes : longest) + BLANKS_HELD_BYTES;
    c->gap.cap = BLANKS_HELD_BYTES;
    c->run.bytes = xcalloc(1, c->run.cap); /* large, but only what is written becomes resident */
    c->gap.bytes = xcalloc(1, c->gap.cap);
    return c;
}

void window_cutter_free(struct window_cutter *cutter)
{
    if (cutter == NULL)
        return;
    free(cutter->run.bytes);
    free(cutter->gap.bytes);
    free(cutter->lines);
    free(cutter);
}

static void run_clear(struct run *run)
{
    run->len = run->line_count = 0;
    run->crc32c = 0;
    run->used = 0;
    run->held = true;
}

/* Count @line in, and forget the bytes held when they would become more than @held_max. */
static void run_count(struct run *run, const struct line *line, size_t held_max)
{
    if (run->line_count == 0) {
        run->offset = line->offset;
        run->first_line = line->number;
    }
    run->crc32c = line->too_long ? crc32c_combine(run->crc32c, line->crc32c, line->len)
                                 : crc32c(run->crc32c, line->bytes, line->len);
    run->len += line->len;
    run->line_count++;
    if (run->held && (line->too_long || run->len > held_max))
        run->held = false;
}

static char *run_append(struct run *run, const char *bytes, size_t len)
{
    char *at = run->bytes + run->used;

    memcpy(at, bytes, len);
    run->used += len;
    return at;
}

static void add_blank(struct run *run, const struct line *line, size_t held_max)
{
    run_count(run, line, held_max);
    if (run->held)
        (void)run_append(run, line->bytes, line->len);
}

/* Two runs, one behind the other, become one. */
static void run_join(struct run *run, const struct run *behind)
{
    run->crc32c = crc32c_combine(run->crc32c, behind->crc32c, behind->len);
    run->len += behind->len;
    run->line_count += behind->line_count;
    run->held = run->held && behind->held && run->len <= run->cap;
    if (run->held)
        (void)run_append(run, behind->bytes, behind->used);
}

static void add_request(struct window_cutter *c, const struct line *line)
{
    struct run *run = &c->run;
    const char *text = NULL;

    run_count(run, line, run->cap);
    if (run->held)
        text = run_append(run, line->bytes, line->len) + (line->text - line->bytes);
    else
        text = run_append(run, line->text, line->text_len);
    if (c->count == c->lines_cap) {
        c->lines_cap = c->lines_cap == 0 ? 64 : c->lines_cap * 2;
        c->lines = xrealloc(c->lines, c->lines_cap, sizeof(*c->lines));
    }
    c->lines[c->count++] = (struct window_line){
        .text = text,
        .text_len = line->text_len,
        .number = line->number,
        .too_long = line->too_long,
    };
}

/* Have the next line in c->next, or c->at_end. */
static bool peek(struct window_cutter *c, struct err *err)
{
    bool end = false;

    if (c->has_next || c->at_end)
        return true;
    if (!line_reader_next(c->reader, &c->next, &end, err))
        return false;
    c->has_next = !end;
    c->at_end = end;
    return true;
}

static bool next_is_blank(const struct window_cutter *c)
{
    return c->has_next && !c->next.too_long && line_is_blank(c->next.text, c->next.text_len);
}

static bool next_fits(const struct window_cutter *c, bool blank)
{
    if (!c->has_next)
        return false;
    if (c->count == 0)
        return true; /* a window has a request */
    if (c->next.too_long || c->lines[c->count - 1].too_long)
        return false;
    if (!blank && c->count == c->limits.max_lines)
        return false;
    return c->run.len + c->next.len <= c->limits.max_bytes;
}

/* Take the lines of the window itself; what was in the gap comes first. */
static bool fill_window(struct window_cutter *c, struct err *err)
{
    c->count = 0;
    run_clear(&c->run);
    if (c->gap.line_count > 0) {
        c->run.offset = c->gap.offset;
        c->run.first_line = c->gap.first_line;
        run_join(&c->run, &c->gap);
    }
    run_clear(&c->gap);
    for (;;) {
        if (!peek(c, err))
            return false;

        bool blank = next_is_blank(c);

        if (!next_fits(c, blank))
            return true;
        if (blank)
            add_blank(&c->run, &c->next, c->count == 0 ? BLANKS_HELD_BYTES : c->run.cap);
        else
            add_request(c, &c->next);
        c->has_next = false;
    }
}

/* Blank lines that do not fit: the next window's, unless the input ends with them. */
static bool fill_gap(struct window_cutter *c, struct err *err)
{
    for (;;) {
        if (!peek(c, err))
            return false;
        if (!next_is_blank(c))
            break;
        add_blank(&c->gap, &c->next, c->gap.cap);
        c->has_next = false;
    }
    if (c->at_end && c->gap.line_count > 0) {
        run_join(&c->run, &c->gap);
        run_clear(&c->gap);
    }
    return true;
}

bool window_cutter_next(struct window_cutter *cutter, struct window *out, bool *end,
                        struct err *err)
{
    const struct run *run = &cutter->run;

    if (!fill_window(cutter, err))
        return false;
    if (cutter->count == 0) {
        *end = true;
        return true;
    }
    if (!fill_gap(cutter, err))
        return false;
    *end = false;
    *out = (struct window){
        .index = cutter->index++,
        .offset = run->offset,
        .len = run->len,
        .first_line = run->first_line,
        .line_count = run->line_count,
        .count = cutter->count,
        .crc32c = run->crc32c,
        .lines = cutter->lines,
        .bytes = run->held ? run->bytes : NULL,
    };
    return true;
}

size_t window_split(const char *bytes, size_t len, uint64_t offset, uint64_t first_line,
                    size_t max_line_bytes, struct window_line *lines, size_t cap)
{
    size_t kept = max_line_bytes < LINE_KEPT_BYTES ? max_line_bytes : LINE_KEPT_BYTES;
    size_t count = 0;

    for (size_t pos = 0; pos < len; first_line++) {
        const char *start = bytes + pos;
        const char *newline = memchr(start, '\n', len - pos);
        size_t line_len = newline != NULL ? (size_t)(newline - start) + 1 : len - pos;
        size_t content = line_len - (newline != NULL ? 1 : 0);
        struct window_line line = {.number = first_line, .too_long = content > max_line_bytes};

        line_text(start, line.too_long ? kept : line_len, offset + pos, &line.text, &line.text_len);
        pos += line_len;
        if (!line.too_long && line_is_blank(line.text, line.text_len))
            continue;
        if (count < cap)
            lines[count] = line;
        count++;
    }
    return count;
}
