#ifndef COORDINATOR_BATCH_FILE_H
#define COORDINATOR_BATCH_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/model/batch.h"
#include "common/model/job_spec.h"

struct provider_profile;

/**
 * The input file of one remote batch, being written to a nameless temporary
 * file (it goes with the process): one line a task that its shards still ask
 * for, our wire id as custom_id, the user's body byte for byte.
 */
struct batch_file;

/** Why a window could not be added. */
enum batch_file_result {
    BATCH_FILE_OK,
    BATCH_FILE_CHANGED,    /* the bytes are not what was cut: the input has changed */
    BATCH_FILE_UNREADABLE, /* the source cannot be read here */
    BATCH_FILE_FAILED,     /* the temporary file cannot be written */
};

/** Borrows @spec and @profile. NULL (with @err, ERR_UNAVAILABLE) when no temporary file can be
 * made. */
struct batch_file *batch_file_new(const struct job_spec *spec,
                                  const struct provider_profile *profile, struct err *err);

/** Closes the file. NULL is fine. */
void batch_file_free(struct batch_file *file);

/** Append what @member asks for of its window, whose @len bytes are @bytes. */
MUST_CHECK enum batch_file_result batch_file_add(struct batch_file *file,
                                                 const struct member *member, const char *bytes,
                                                 size_t len, struct err *err);

/** The same for a window that is read again from the job's source. */
MUST_CHECK enum batch_file_result
batch_file_add_from_source(struct batch_file *file, const struct member *member, struct err *err);

/** Everything is added: flush. */
MUST_CHECK bool batch_file_finish(struct batch_file *file, struct err *err);

/** For the upload: descriptor, size in bytes, lines. Valid until batch_file_free(). */
int batch_file_fd(const struct batch_file *file);
uint64_t batch_file_size(const struct batch_file *file);
uint64_t batch_file_lines(const struct batch_file *file);

/** What the user's lines call ("/v1/chat/completions"); all lines of a lane agree. "" while empty.
 */
const char *batch_file_endpoint(const struct batch_file *file);

#endif
