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

#endif
