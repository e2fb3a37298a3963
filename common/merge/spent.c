#include "common/merge/spent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/codec/evidence.h"
#include "common/merge/inputs.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define EVIDENCE_MAX_BYTES (8u << 20)

void spent_release(struct spent_list *list)
{
    free(list->items);
    *list = (struct spent_list){0};
}

static bool note(struct spent_list *list, const struct evidence *e, const char *currency,
                 struct err *err)
{
    if (!e->bill.priced || e->bill.nano == 0)
        return true;
    if (strcmp(e->quote.currency, currency) != 0)
        return err_set(err, ERR_CONFLICT,
                       "by the bills in its sink the job has spent money in %s, and its provider "
                       "bills in %s by the prices that are given now",
                       e->quote.currency, currency);
    if ((list->count & (list->count - 1)) == 0)
        list->items =
            xrealloc(list->items, list->count == 0 ? 1 : list->count * 2, sizeof(*list->items));
    struct spent_cost *cost = &list->items[list->count++];
    *cost = (struct spent_cost){.nano = e->bill.nano};
    memcpy(cost->bid, e->bid, sizeof(cost->bid));
    return true;
}

static bool read_document(struct sink *sink, uint32_t part, const char *file, const char *currency,
                          struct spent_list *list, struct err *err)
{
    struct buf doc = BUF_INIT(EVIDENCE_MAX_BYTES);
    char name[LAYOUT_NAME_MAX];
    char folder[LAYOUT_NAME_MAX];
    struct evidence e = {0};
    int n = snprintf(name, sizeof(name), "%s/%s", layout_part(folder, part), file);

    if (n < 0 || (size_t)n >= sizeof(name))
        return err_set(err, ERR_PERMANENT, "name \"%s\" is too long", file);
    bool ok = sink_read(sink, name, &doc, err) && (evidence_decode(doc.data, doc.len, &e, err) ||
                                                   err_wrap(err, "%s/%s", sink_path(sink), name));
    if (ok) {
        ok = note(list, &e, currency, err);
        evidence_release(&e);
    }
    buf_release(&doc);
    return ok;
}

static bool read_part(struct sink *sink, uint32_t part, const char *currency,
                      struct spent_list *list, struct err *err)
{
    struct inputs files = {0};
    bool ok = inputs_list(sink, part, &files, err);

    for (size_t i = 0; ok && i < files.count; i++) {
        if (!inputs_is_segment(files.names[i]))
            ok = read_document(sink, part, files.names[i], currency, list, err);
    }
    inputs_release(&files);
    return ok;
}

bool spent_read(struct sink *sink, const char *currency, struct spent_list *out, struct err *err)
{
    struct spent_list list = {0};
    char name[LAYOUT_NAME_MAX];
    bool more = true;
    bool ok = true;

    /* Where each part but the first begins was published before its first window was put. */
    for (uint32_t part = 0; ok && more; part++)
        ok = read_part(sink, part, currency, &list, err) &&
             sink_exists(sink, layout_index(name, part + 1), &more, err);
    if (ok)
        *out = list;
    else
        spent_release(&list);
    return ok;
}
