#ifndef PROTOCOL_PROTOCOL_REPLY_H
#define PROTOCOL_PROTOCOL_REPLY_H

#include "common/model/batch.h"
#include "common/model/job_view.h"
#include "common/redis/redis_reply.h"

/* From what the scripts answer to the structs of common/model. Missing fields become 0 and "". */

/** An unsigned number; 0 for anything else. */
uint64_t reply_unsigned(const struct redis_reply *r);

/** The text into @out of @size bytes, cut. */
void reply_copy(const struct redis_reply *r, char *out, size_t size);

/** "OPEN", ...; JOB_OPEN for anything else. */
enum job_state reply_job_state(const struct redis_reply *r);

/** A batch record's @fields into @batch, which owns nothing yet. */
void reply_batch(const struct redis_reply *fields, const char *bid, struct batch *batch);

/** A job record's @fields; texts stay borrowed from the reply. */
void reply_job(const struct redis_reply *fields, int64_t now_ms, struct job_view *job);

/** The money of a job_view that its record does not hold. */
void reply_job_money(const struct redis_reply *row, struct job_view *job);

/** One element of what members answers. */
void reply_member(const struct redis_reply *row, struct member *member);

/** One batch of job_view. */
void reply_batch_view(const struct redis_reply *row, struct batch_view *view);

/** One lane of job_view; texts stay borrowed from the reply. */
void reply_lane_view(const struct redis_reply *row, struct lane_view *view);

/** Account and number from element @at of a flat list on. */
void reply_account_view(const struct redis_reply *list, size_t at, struct account_view *view);

/** One job of job_list. */
void reply_job_row(const struct redis_reply *row, struct job_row *job);

#endif
