#include "worker/segment_builder.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/codec/segment.h"
#include "common/json/result_line.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"
#include "worker/core/classify.h"

struct builder {
    const struct chunk_source *source;
    struct tally *tally;
    struct record *records;
    size_t count, cap;
};

static void add_record(struct builder *b, const struct record *record)
{
    if (b->count == b->cap) {
        b->cap = b->cap == 0 ? 1024 : b->cap * 2;
        b->records = xrealloc(b->records, b->cap, sizeof(*b->records));
    }
    b->records[b->count++] = *record;
}

static bool is_blank(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
            return false;
    }
    return true;
}

static void read_line(struct builder *b, const char *line, size_t len, uint64_t offset)
{
    struct result_line result;
    struct json_error error;
    uint64_t ordinal;

    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (is_blank(line, len))
        return;
    if (!result_line_parse(line, len, &result, &error)) {
        tally_note_garbled(b->tally);
        return;
    }
    if (!ordinal_parse(result.custom_id, b->source->ji, &ordinal)) {
        tally_note_alien(b->tally);
        return;
    }
    const struct member *member = tally_member(b->tally, ordinal);
    enum outcome outcome = b->source->refused ? OUTCOME_PERM : classify_line(&result);

    if (!tally_note(b->tally, ordinal, outcome) || member == NULL)
        return;
    if (outcome == OUTCOME_FREE && classify_unpaid(&result))
        b->tally->unpaid++;
    struct record record = {.ordinal = ordinal,
                            .offset = offset,
                            .outcome = outcome,
                            .attempt = member->attempt,
                            .line = line,
                            .len = len};
    add_record(b, &record);
}

static void read_lines(struct builder *b, const char *data, size_t len)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t at = 0;

    if (b->source->file_offset == 0 && len >= 3 && memcmp(data, mark, 3) == 0)
        at = 3;
    while (at < len) {
        const char *newline = memchr(data + at, '\n', len - at);
        size_t end = newline == NULL ? len : (size_t)(newline - data);

        read_line(b, data + at, end - at, b->source->offset + at);
        at = end + 1;
    }
}

static bool publish_part(struct sink *sink, const struct builder *b, const struct record *records,
                         size_t count, struct err *err)
{
    struct segment_batch batch = {.created_ms = b->source->batch->remote_created_ms};
    uint32_t part = ordinal_part(records[0].ordinal);
    char name[LAYOUT_NAME_MAX];

    memcpy(batch.bid, b->source->batch->bid, sizeof(batch.bid));
    struct sink_writer *w =
        sink_begin(sink, layout_segment(name, part, b->source->file, b->source->file_offset), err);
    if (w == NULL)
        return false;
    if (!segment_write(part, &batch, records, count, sink_write_fn, w, err)) {
        sink_abort(w);
        return false;
    }
    return sink_commit(w, NULL, err);
}

bool segments_publish(struct sink *sink, const struct chunk_source *source, const char *data,
                      size_t len, struct tally *tally, struct err *err)
{
    struct builder b = {.source = source, .tally = tally};
    bool ok = true;

    read_lines(&b, data, len);
    if (b.count > 0)
        qsort(b.records, b.count, sizeof(*b.records), record_compare);
    for (size_t from = 0, to = 0; ok && from < b.count; from = to) {
        while (to < b.count &&
               ordinal_part(b.records[to].ordinal) == ordinal_part(b.records[from].ordinal))
            to++;
        ok = publish_part(sink, &b, b.records + from, to - from, err);
    }
    free(b.records);
    return ok;
}
