#ifndef WORKER_CORE_CLASSIFY_H
#define WORKER_CORE_CLASSIFY_H

#include "common/model/outcome.h"

struct result_line;

/**
 * What a provider's result line means for its task. It is a success when there
 * is no error, the status is 2xx and the body has no "error" member; which of
 * the two files it came from says nothing. Expired, cancelled and timed-out
 * requests were not billed and are free; 408, 409, 429, 5xx, status 0 and
 * whatever has no status and no known code are tried again; other statuses will
 * not change. (OpenAI Batch guide: "batch_expired", "batch_cancelled"; OpenAI
 * API reference: "request_timeout".)
 */
enum outcome classify_line(const struct result_line *line);

#endif
