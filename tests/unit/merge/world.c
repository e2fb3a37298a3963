#include "tests/testlib/unit.h"

#include "tests/unit/merge/world.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/input/line_reader.h"
#include "common/input/source.h"
#include "common/input/window.h"
#include "common/json/request_line.h"
#include "common/merge/requests.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"

void world_make(struct world *w, uint32_t window_lines)
{
    memset(w, 0, sizeof(*w));
    scratch_make_fast(w->path);
    (void)snprintf(w->input, sizeof(w->input), "%s/in.jsonl", w->path);
    w->spec = (struct job_spec){
        .job = "job",
        .ji = "abc123def456",
        .provider = "openai",
        .base_url = "https://api.example.com",
        .model = "m",
        .window_lines = window_lines,
        .window_bytes = 2000000,
        .chunk_bytes = JOB_CHUNK_BYTES,
        .max_attempts = 3,
    };
    memcpy(w->spec.source, w->input, sizeof(w->input));
    (void)snprintf(w->spec.sink, sizeof(w->spec.sink), "dir:%s/sink", w->path);
    w->sink = sink_open(w->spec.sink, w->spec.job, w->spec.ji, true, NULL);
    assert_non_null(w->sink);
}

void world_free(struct world *w)
{
    sink_close(w->sink);
    scratch_remove(w->path);
}

void world_write_path(const char *path, const char *text, size_t len)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

void world_write_input(struct world *w, const char *text, size_t len)
{
    world_write_path(w->input, text, len);
}

uint32_t world_cut(struct world *w)
{
    struct source *source = source_open(w->input, NULL);
    struct line_reader *lines = line_reader_new(source, REQUEST_LINE_MAX_BYTES);
    struct window_limits limits = {w->spec.window_lines, w->spec.window_bytes};
    struct window_cutter *cutter = window_cutter_new(lines, limits, 0);
    struct window window;
    uint32_t count = 0;
    bool end = false;

    for (;;) {
        assert_true(window_cutter_next(cutter, &window, &end, NULL));
        if (end)
            break;
        if (count != 0 && count % PART_WINDOWS == 0)
            assert_true(requests_publish_index(w->sink, count / PART_WINDOWS, window.offset,
                                               window.first_line, NULL));
        count++;
    }
    window_cutter_free(cutter);
    line_reader_free(lines);
    source_close(source);
    return count;
}

void world_segment(struct world *w, uint32_t part, const struct segment_batch *batch,
                   const char *file, uint64_t offset, struct record *records, size_t count)
{
    char name[LAYOUT_NAME_MAX];
    struct sink_writer *writer =
        sink_begin(w->sink, layout_segment(name, part, file, offset), NULL);

    assert_non_null(writer);
    if (count != 0)
        qsort(records, count, sizeof(*records), record_compare);
    assert_true(segment_write(part, batch, records, count, sink_write_fn, writer, NULL));
    assert_true(sink_commit(writer, NULL, NULL));
}

struct record world_record(uint32_t window, uint32_t line, uint64_t offset, enum outcome outcome,
                           const char *text)
{
    return (struct record){
        .ordinal = ordinal_make(window, line),
        .offset = offset,
        .outcome = outcome,
        .line = text,
        .len = strlen(text),
    };
}

void world_evidence(struct world *w, uint32_t part, const struct evidence *evidence)
{
    char name[LAYOUT_NAME_MAX];
    struct buf doc = BUF_INIT(1 << 20);

    assert_true(evidence_encode(evidence, &doc));
    assert_true(sink_publish(w->sink, layout_end(name, part, evidence->bid), doc.data, doc.len,
                             NULL, NULL));
    buf_release(&doc);
}

void world_asked(struct world *w, const char *bid, uint32_t window, uint32_t lines,
                 const char *failure)
{
    struct member member = {.window = window, .lines = lines};
    struct evidence e = {.remote = "remote", .members = &member, .count = 1};

    (void)snprintf(e.bid, sizeof(e.bid), "%s", bid);
    (void)snprintf(e.failure, sizeof(e.failure), "%s", failure);
    world_evidence(w, window / PART_WINDOWS, &e);
}

enum merge_result world_merge(struct world *w, uint32_t part, uint32_t windows, bool cancelled,
                              struct err *err)
{
    uint32_t in_part = windows - part * PART_WINDOWS;

    if (in_part > PART_WINDOWS)
        in_part = PART_WINDOWS;
    struct merge_plan plan = {.part = part, .windows = in_part, .cancelled = cancelled};
    struct merge *m = merge_new(w->sink, &w->spec, &plan);
    enum merge_result result;
    do
        result = merge_step(m, 3, err); /* small steps: every stage is entered and left often */
    while (result == MERGE_MORE);
    merge_free(m);
    return result;
}

struct buf world_read(struct world *w, const char *name)
{
    struct buf out = BUF_INIT(64u << 20);
    struct err err = {0};

    if (!sink_read(w->sink, name, &out, &err))
        fail_msg("%s", err.msg);
    assert_true(buf_append(&out, "", 0));
    return out;
}

struct buf world_read_path(const char *path)
{
    struct buf out = BUF_INIT(64u << 20);
    char chunk[4096];
    size_t n;
    FILE *file = fopen(path, "r");

    if (file == NULL)
        fail_msg("cannot open %s", path);
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        assert_true(buf_append(&out, chunk, n));
    (void)fclose(file);
    assert_true(buf_append(&out, "", 0));
    return out;
}

void world_assert(struct world *w, const char *name, const char *text)
{
    struct buf got = world_read(w, name);

    assert_string_equal(got.data, text);
    buf_release(&got);
}

uint32_t world_random(uint64_t *seed, uint32_t bound)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ z >> 31) % bound);
}
