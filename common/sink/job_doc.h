#ifndef SINK_JOB_DOC_H
#define SINK_JOB_DOC_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/model/job_spec.h"

/**
 * Version of the job document. Change the layout, raise the number, keep the
 * old reader.
 */
#define JOB_DOC_VERSION 2

/** Append @spec as one JSON object without a newline. False past the limit of @out. */
MUST_CHECK bool job_doc_write(const struct job_spec *spec, struct buf *out);

/**
 * The reverse. ERR_PERMANENT when it is not a job document, has a version that
 * this program does not know, or a member is missing or out of range.
 */
MUST_CHECK bool job_doc_parse(const char *text, size_t len, struct job_spec *spec, struct err *err);

#endif
