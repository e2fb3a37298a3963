#ifndef SIMULATOR_BODY_H
#define SIMULATOR_BODY_H

#include <stdint.h>

#include "common/base/buf.h"
#include "simulator/answer.h"

/* Different ids of one answer come from one hash and a number each. */
enum body_id {
    BODY_ID_LINE = 1,
    BODY_ID_REQUEST,
    BODY_ID_ANSWER,
    BODY_ID_MESSAGE,
    BODY_ID_ALIEN,
    BODY_ID_VECTOR
};

/** What an id of the answer to @rq is made from. */
uint64_t body_hash(const struct answer_style *style, const struct answer_request *rq,
                   enum body_id use);

/** @prefix and the hash in hexadecimal. */
void body_put_id(struct buf *out, const char *prefix, uint64_t hash);

/** The made-up answer as the endpoint gives it, one JSON object. */
struct answer_usage body_write(struct buf *out, const struct answer_style *style,
                               const struct answer_request *rq);

#endif
