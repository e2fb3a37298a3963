#ifndef SINK_SINK_INTERNAL_H
#define SINK_SINK_INTERNAL_H

/* Shared by the files of the directory sink only. */

#include <stdbool.h>

#include "common/base/err.h"
#include "common/sink/sink.h"

struct sink {
    char path[SINK_PATH_MAX];
    int dir; /* the job's folder */
};

/** Fill @err from errno value @error: "cannot <what> <path>/<name>: ...". False. */
bool sink_fail(struct err *err, int error, const char *what, const struct sink *sink,
               const char *name);

/** The folder at @url: what is behind "dir:". NULL with ERR_USAGE when it is no sink's address. */
const char *sink_root(const char *url, struct err *err);

/** Absolute path of the job's folder into @out. */
bool sink_folder_path(char out[SINK_PATH_MAX], const char *url, const char *job, const char *ji,
                      struct err *err);

/** Make the folder that holds @path durable, as far as the file system lets us. */
void sink_sync_parent(const char *path);

#endif
