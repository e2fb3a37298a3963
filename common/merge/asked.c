#include "common/merge/asked.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/codec/evidence.h"
#include "common/merge/batch_table.h"
#include "common/merge/lineage.h"
#include "common/merge/report.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define MAX_BYTES   (8u << 20)
#define TASKS       ((size_t)PART_WINDOWS * 1024)
#define NEVER       0u /* last[]: no batch that counts was asked */
#define MAX_REASONS 255u

struct reason {
    char failure[sizeof(((struct evidence *)0)->failure)];
    char message[sizeof(((struct evidence *)0)->message)];
};

/* One evidence file, and when its batch ended. */
struct ended {
    char *name;
    int64_t ended_ms, created_ms;
    char bid[BATCH_ID_LEN + 1];
    uint32_t generation; /* this and the next: once it is applied */
    uint8_t reason;
};

struct asked {
    struct sink *sink;
    const struct lineage *lineage;
    uint32_t part;
    struct ended *files;
    size_t count, applied;
    bool sorted;
    struct reason *reasons; /* reasons[1] is "nothing failed" */
    size_t reason_count;
    uint8_t *times; /* by ordinal, within the part */
    uint32_t *last; /* the same: the file that says why, counted from 1 */
    struct {
        bool known;
        uint32_t lines, crc;
    } windows[PART_WINDOWS];
};

struct asked *asked_new(struct sink *sink, uint32_t part, const struct lineage *lineage)
{
    struct asked *a = xcalloc(1, sizeof(*a));

    a->sink = sink;
    a->lineage = lineage;
    a->part = part;
    a->reasons = xcalloc(MAX_REASONS + 1, sizeof(*a->reasons));
    a->reason_count = 2;
    a->times = xcalloc(TASKS, 1);
    a->last = xcalloc(TASKS, sizeof(*a->last));
    return a;
}

void asked_free(struct asked *a)
{
    if (a == NULL)
        return;
    for (size_t i = 0; i < a->count; i++)
        free(a->files[i].name);
    free(a->files);
    free(a->reasons);
    free(a->times);
    free(a->last);
    free(a);
}

static bool read_evidence(struct asked *a, const char *file, struct evidence *out, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    char folder[LAYOUT_NAME_MAX];
    struct buf doc = BUF_INIT(MAX_BYTES);

    int n = snprintf(name, sizeof(name), "%s/%s", layout_part(folder, a->part), file);
    if (n < 0 || (size_t)n >= sizeof(name))
        return err_set(err, ERR_PERMANENT, "name \"%s\" is too long", file);
    bool ok =
        sink_read(a->sink, name, &doc, err) && (evidence_decode(doc.data, doc.len, out, err) ||
                                                err_wrap(err, "%s/%s", sink_path(a->sink), name));
    buf_release(&doc);
    return ok;
}

bool asked_add(struct asked *a, const char *name, struct batch_table *batches, struct err *err)
{
    struct evidence e = {0};

    if (!read_evidence(a, name, &e, err))
        return false;
    if ((a->count & (a->count - 1)) == 0)
        a->files = xrealloc(a->files, a->count == 0 ? 1 : a->count * 2, sizeof(*a->files));
    struct ended *file = &a->files[a->count++];
    *file = (struct ended){
        .name = xstrdup(name), .ended_ms = e.ended_ms, .created_ms = e.remote_created_ms};
    memcpy(file->bid, e.bid, sizeof(file->bid));
    batch_table_add(batches, e.bid, lineage_of_file(a->lineage, name), e.ended_ms);
    if (e.bill.priced)
        batch_table_price(batches, &e.quote);
    evidence_release(&e);
    return true;
}

static int compare_ended(const void *a, const void *b)
{
    const struct ended *x = a;
    const struct ended *y = b;

    if (x->ended_ms != y->ended_ms)
        return x->ended_ms < y->ended_ms ? -1 : 1;
    if (x->created_ms != y->created_ms)
        return x->created_ms < y->created_ms ? -1 : 1;
    int order = strcmp(x->bid, y->bid);
    return order != 0 ? order : strcmp(x->name, y->name);
}

static uint8_t reason_index(struct asked *a, const struct evidence *e)
{
    size_t alike = 0;

    if (e->failure[0] == '\0')
        return 1;
    for (size_t i = 2; i < a->reason_count; i++) {
        if (strcmp(a->reasons[i].failure, e->failure) != 0)
            continue;
        if (strcmp(a->reasons[i].message, e->message) == 0)
            return (uint8_t)i;
        alike = i;
    }
    /* Few places left: a message that only differs in an id is not worth one. */
    if (alike != 0 && a->reason_count > MAX_REASONS / 2)
        return (uint8_t)alike;
    if (a->reason_count > MAX_REASONS)
        return (uint8_t)MAX_REASONS;
    struct reason *r = &a->reasons[a->reason_count];
    memcpy(r->failure, e->failure, sizeof(r->failure));
    memcpy(r->message, e->message, sizeof(r->message));
    return (uint8_t)a->reason_count++;
}

static void apply_task(struct asked *a, uint64_t ordinal, size_t at, bool sent)
{
    if (sent && a->times[at] < UINT8_MAX)
        a->times[at]++;
    if (a->files[a->applied - 1].generation >= lineage_of_task(a->lineage, ordinal))
        a->last[at] = (uint32_t)a->applied;
}

static bool apply_member(struct asked *a, const struct member *m, bool sent)
{
    uint32_t at = m->window % PART_WINDOWS;
    size_t base = (size_t)at * 1024;

    if (m->window / PART_WINDOWS != a->part)
        return false;
    /* Shards of one window are of one cut: they can only agree. */
    if (a->windows[at].known &&
        (a->windows[at].lines != m->lines ||
         (m->crc != 0 && a->windows[at].crc != 0 && a->windows[at].crc != m->crc)))
        return false;
    a->windows[at].known = true;
    a->windows[at].lines = m->lines;
    if (m->crc != 0)
        a->windows[at].crc = m->crc;
    for (uint32_t i = 0; i < m->lines; i++) {
        if (!mask_get(m->mask, i))
            apply_task(a, ordinal_make(m->window, i), base + i, sent);
    }
    return true;
}

bool asked_apply(struct asked *a, struct batch_table *batches, struct report *report, bool *done,
                 struct err *err)
{
    struct evidence e = {0};
    bool ok = true;

    if (!a->sorted && a->count != 0)
        qsort(a->files, a->count, sizeof(*a->files), compare_ended);
    a->sorted = true;
    *done = a->applied == a->count;
    if (*done)
        return true;

    const char *name = a->files[a->applied++].name;
    if (!read_evidence(a, name, &e, err))
        return false;
    bool sent = e.remote[0] != '\0';
    a->files[a->applied - 1].reason = reason_index(a, &e);
    a->files[a->applied - 1].generation = batch_table_find(batches, e.bid)->generation;
    for (size_t i = 0; ok && i < e.count; i++)
        ok = apply_member(a, &e.members[i], sent) ||
             err_set(err, ERR_INPUT,
                     "%s: window %" PRIu32 " is not as in other batches: the input has changed",
                     name, e.members[i].window);
    if (sent)
        report_add_batch(report, e.bid);
    spend_add_evidence(&report->spend, &e);
    evidence_release(&e);
    return ok;
}

static size_t task_index(uint64_t ordinal)
{
    return (size_t)(ordinal_window(ordinal) % PART_WINDOWS) * 1024 + ordinal_line(ordinal);
}

struct asked_task asked_task(const struct asked *a, uint64_t ordinal)
{
    size_t at = task_index(ordinal);
    const struct ended *last = a->last[at] == NEVER ? NULL : &a->files[a->last[at] - 1];
    const struct reason *reason = &a->reasons[last == NULL ? 0 : last->reason];

    return (struct asked_task){
        .known = last != NULL,
        .times = a->times[at],
        .ended_ms = last == NULL ? 0 : last->ended_ms,
        .failure = reason->failure,
        .message = reason->message,
    };
}

bool asked_same_window(const struct asked *a, uint32_t window, uint32_t lines, uint32_t crc)
{
    uint32_t at = window % PART_WINDOWS;

    if (!a->windows[at].known)
        return true;
    return a->windows[at].lines == lines &&
           (a->windows[at].crc == 0 || crc == 0 || a->windows[at].crc == crc);
}
