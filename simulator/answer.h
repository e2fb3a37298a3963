#ifndef SIMULATOR_ANSWER_H
#define SIMULATOR_ANSWER_H

#include <stdint.h>

#include "common/base/buf.h"
#include "simulator/garble.h"
#include "simulator/hash.h"
#include "simulator/line.h"
#include "simulator/options.h"

struct script;

/* What the answers of one batch have in common. Borrowed texts. */
struct answer_style {
    const struct dialect *dialect;
    const char *endpoint;
    const char *batch_id;
    uint64_t seed;
    const struct script *script; /* NULL: answers are hashes */
};

struct answer_usage {
    uint64_t input_tokens, output_tokens;
};

/* One request that is answered. @sha is the SHA-256 of its body. */
struct answer_request {
    const struct line *line;
    unsigned char sha[DIGEST_BYTES];
    enum garble garble; /* what is done to the answer's text */
};

/** The first 64 bits of the digest: what faults and the ledger know a body by. */
uint64_t answer_body_hash(const struct answer_request *rq);

/**
 * One result line with a made-up answer, LF included. Apart from the custom_id
 * (and Zhipu's batch id) it depends on the seed and the body's bytes only.
 */
struct answer_usage answer_success(struct buf *out, const struct answer_style *style,
                                   const struct answer_request *rq);

/** The same answer under a custom_id that nobody asked for. */
void answer_alien(struct buf *out, const struct answer_style *style,
                  const struct answer_request *rq);

/** A line that says the request was answered with HTTP @status. */
void answer_failure(struct buf *out, const struct answer_style *style,
                    const struct answer_request *rq, unsigned status, const char *code,
                    const char *message);

/** A line with status_code 0, an empty request_id and an empty body. */
void answer_nothing(struct buf *out, const struct answer_style *style,
                    const struct answer_request *rq);

/** A line that says the request was not executed: batch_expired, batch_cancelled. */
void answer_unexecuted(struct buf *out, const struct answer_style *style,
                       const struct answer_request *rq, const char *code, const char *message);

#endif
