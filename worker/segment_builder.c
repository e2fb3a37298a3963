#include "worker/segment_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/xmem.h"
#include "common/codec/segment.h"
#include "common/codec/segment_format.h"
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

/* What the line says that it took; false: nothing. */
static bool read_usage(const struct result_line *line, struct usage *out)
{
    if (line->prompt_tokens < 0 && line->completion_tokens < 0)
        return false;
    *out = (struct usage){
        .prompt = line->prompt_tokens > 0 ? (uint64_t)line->prompt_tokens : 0,
        .cached = line->cached_tokens > 0 ? (uint64_t)line->cached_tokens : 0,
        .completion = line->completion_tokens > 0 ? (uint64_t)line->completion_tokens : 0,
        .reasoning = line->reasoning_tokens > 0 ? (uint64_t)line->reasoning_tokens : 0,
    };
    return true;
}

/* A failure that says nothing cost nothing. */
static void note_usage(struct builder *b, uint64_t ordinal, const struct result_line *line,
                       enum outcome outcome)
{
    struct usage usage;

    if (read_usage(line, &usage))
        tally_note_usage(b->tally, ordinal, &usage);
    else if (outcome == OUTCOME_OK)
        tally_note_usage(b->tally, ordinal, NULL);
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
        tally_note_unpaid(b->tally);
    note_usage(b, ordinal, &result, outcome);
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

/* A segment on its way to the sink. */
struct outgoing {
    struct sink_writer *writer;
    uint8_t hash[SEGMENT_FOOTER_BYTES]; /* what it ends with: a hash of all before */
};

static bool write_on(void *arg, const void *bytes, size_t len, struct err *err)
{
    struct outgoing *out = arg;

    if (len == sizeof(out->hash))
        memcpy(out->hash, bytes, len);
    return sink_write(out->writer, bytes, len, err);
}

/* Whether segment @name in the sink ends with @hash. */
static bool is_same(struct sink *sink, const char *name, const uint8_t *hash, bool *same,
                    struct err *err)
{
    uint8_t there[SEGMENT_FOOTER_BYTES];
    int fd = sink_open_read(sink, name, err);

    if (fd < 0)
        return false;
    off_t size = lseek(fd, 0, SEEK_END);
    bool ok = size >= (off_t)sizeof(there) &&
              pread(fd, there, sizeof(there), size - (off_t)sizeof(there)) == sizeof(there);

    (void)close(fd);
    if (!ok)
        return err_set(err, ERR_UNAVAILABLE, "%s cannot be read", name);
    *same = memcmp(there, hash, sizeof(there)) == 0;
    return true;
}

/* In another pass the same place may hold other lines. */
static void name_file(const struct chunk_source *source, char *out, size_t size)
{
    if (source->batch->pass == 0)
        (void)snprintf(out, size, "%s", source->file);
    else
        (void)snprintf(out, size, "%s pass %u", source->file, source->batch->pass);
}

static bool publish_part(struct sink *sink, const struct builder *b, const struct record *records,
                         size_t count, bool *differs, struct err *err)
{
    struct outgoing out = {0};
    bool existed = false, same = true;
    struct segment_batch batch = {.created_ms = b->source->batch->remote_created_ms};
    uint32_t part = ordinal_part(records[0].ordinal);
    char name[LAYOUT_NAME_MAX];
    char file[REMOTE_ID_MAX + 16];

    name_file(b->source, file, sizeof(file));
    memcpy(batch.bid, b->source->batch->bid, sizeof(batch.bid));
    out.writer = sink_begin(sink, layout_segment(name, part, file, b->source->file_offset), err);
    if (out.writer == NULL)
        return false;
    if (!segment_write(part, &batch, records, count, write_on, &out, err)) {
        sink_abort(out.writer);
        return false;
    }
    if (!sink_commit(out.writer, &existed, err) ||
        (existed && !is_same(sink, name, out.hash, &same, err)))
        return false;
    *differs = *differs || !same;
    return true;
}

bool segments_publish(struct sink *sink, const struct chunk_source *source, const char *data,
                      size_t len, struct tally *tally, bool *differs, struct err *err)
{
    struct builder b = {.source = source, .tally = tally};
    bool ok = true;

    *differs = false;
    read_lines(&b, data, len);
    if (b.count > 0)
        qsort(b.records, b.count, sizeof(*b.records), record_compare);
    for (size_t from = 0, to = 0; ok && from < b.count; from = to) {
        while (to < b.count &&
               ordinal_part(b.records[to].ordinal) == ordinal_part(b.records[from].ordinal))
            to++;
        ok = publish_part(sink, &b, b.records + from, to - from, differs, err);
    }
    free(b.records);
    return ok;
}
