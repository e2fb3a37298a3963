#ifndef SIMULATOR_PLAN_H
#define SIMULATOR_PLAN_H

#include <stdbool.h>

#include "common/base/attr.h"

struct request;

/* The faults around a request, by its stages. Each takes the lock. */

/** Its head is there. False when a fault has answered it. */
MUST_CHECK bool plan_head(struct request *rq);

/** All of it is there. False when a fault has answered it; rq->until_ms says when to carry it out.
 */
MUST_CHECK bool plan_before(struct request *rq);

/** It was carried out: rq->reply may become another one. */
void plan_after(struct request *rq);

/** It is about to be answered; rq->until_ms says when. */
void plan_answer(struct request *rq);

#endif
