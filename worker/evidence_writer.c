#include "worker/evidence_writer.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/codec/evidence.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define DOCUMENT_MAX_BYTES (4u << 20)

static uint32_t part_of(const struct member *m)
{
    return m->window / PART_WINDOWS;
}

static bool write_part(struct sink *sink, struct evidence *evidence, struct err *err)
{
    struct buf document = BUF_INIT(DOCUMENT_MAX_BYTES);
    char name[LAYOUT_NAME_MAX];
    uint32_t part = part_of(evidence->members);
    bool ok = evidence_encode(evidence, &document);

    if (!ok)
        err_set(err, ERR_INTERNAL, "evidence of batch %s is too large", evidence->bid);
    ok = ok && sink_publish(sink, layout_end(name, part, evidence->bid), document.data,
                            document.len, NULL, err);
    buf_release(&document);
    return ok;
}

bool evidence_write(struct sink *sink, const struct batch *batch, const char *message,
                    const struct member *members, size_t count, const struct tally *tally,
                    struct err *err)
{
    struct evidence evidence = {.remote_created_ms = batch->remote_created_ms,
                                .run_ms = batch->run_ms,
                                .ended_ms = batch->ended_ms,
                                .lines = tally->lines,
                                .alien = tally->alien,
                                .garbled = tally->garbled,
                                .duplicate = tally->duplicate};

    memcpy(evidence.bid, batch->bid, sizeof(evidence.bid));
    memcpy(evidence.remote, batch->remote, sizeof(evidence.remote));
    memcpy(evidence.failure, batch->failure, sizeof(evidence.failure));
    (void)snprintf(evidence.message, sizeof(evidence.message), "%s", message);
    evidence.billed = true;
    evidence.quote = batch->quote;
    memcpy(evidence.model, batch->model, sizeof(evidence.model));
    for (size_t from = 0, to = 0, part = 0; from < count; from = to, part++) {
        tally_bill(tally, part, batch, &evidence.bill);
        while (to < count && part_of(&members[to]) == part_of(&members[from]))
            to++;
        evidence.members = members + from;
        evidence.count = to - from;
        if (!write_part(sink, &evidence, err))
            return false;
    }
    return true;
}
