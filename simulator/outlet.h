#ifndef SIMULATOR_OUTLET_H
#define SIMULATOR_OUTLET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "simulator/folder.h"

/* A file that is being written through a buffer of about a megabyte. */
struct outlet {
    int fd;
    char path[FOLDER_PATH_MAX];
    struct buf buf; /* append here, then outlet_spill() */
};

/** A new temporary file. */
MUST_CHECK bool outlet_open(struct outlet *o, const struct folder *folder, struct err *err);

/** Write the buffer out when it is big enough. */
MUST_CHECK bool outlet_spill(struct outlet *o, struct err *err);

/** Take the last @n bytes of what was written away. */
MUST_CHECK bool outlet_shorten(struct outlet *o, uint64_t n, struct err *err);

/** Write the rest out and close; the file stays at its path. */
MUST_CHECK bool outlet_finish(struct outlet *o, struct err *err);

/** Close and remove the file, wherever it got to; harmless after the file was renamed. */
void outlet_drop(struct outlet *o);

#endif
