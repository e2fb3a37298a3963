#ifndef CODEC_EVIDENCE_H
#define CODEC_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/model/batch.h"
#include "common/model/bill.h"
#include "common/model/price.h"

/** Version of the evidence document. Change the layout, raise the number, keep the old readers. */
#define EVIDENCE_VERSION 2

/** The first one: it has no bill. */
#define EVIDENCE_VERSION_1 1

/**
 * That a batch has ended and all its lines of one part are in the sink: what it
 * was asked for, so that what is missing is known. One document a part and
 * batch. It must not depend on who writes it: every worker has to write the
 * same bytes, so @ended_ms is the provider's time or one stored in Redis.
 */
struct evidence {
    char bid[BATCH_ID_LEN + 1];
    char remote[REMOTE_ID_MAX + 1]; /* "" when there never was a remote batch */
    int64_t remote_created_ms;      /* the provider's own time, 0 unknown */
    int64_t run_ms, ended_ms;       /* 0 unknown */
    char failure[64];               /* why nothing came; "" normally */
    char message[256];              /* for people, goes with @failure */
    uint64_t lines;                 /* of the remote files, all parts */
    uint64_t alien;                 /* lines for tasks that it was not asked for */
    uint64_t garbled;               /* lines that could not be read */
    uint64_t duplicate;             /* lines beyond the first for a task */
    bool billed;                    /* the rest of what it cost is known: not of version 1 */
    char model[256];                /* that the lines name; "" unknown */
    struct price_quote quote;       /* of the batch; nothing without bill.priced */
    struct bill bill;               /* of the lines of this part */
    /*
     * The batch's shards of this part, in order of window. Of each, @window,
     * @lines, @attempt, @crc and @mask are stored; a clear bit was asked for.
     */
    const struct member *members;
    size_t count;
    void *owned; /* by evidence_decode() only */
};

/** Append the document to @out. False past the limit of @out. */
MUST_CHECK bool evidence_encode(const struct evidence *evidence, struct buf *out);

/** ERR_PERMANENT for anything else than a whole document of a known version. */
MUST_CHECK bool evidence_decode(const void *bytes, size_t len, struct evidence *out,
                                struct err *err);

/** Free what evidence_decode() made. */
void evidence_release(struct evidence *evidence);

#endif
