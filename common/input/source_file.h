#ifndef INPUT_SOURCE_FILE_H
#define INPUT_SOURCE_FILE_H

/* Between the files of struct source; not for others. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

/** The compressed bytes of a file, in blocks. */
struct source_file {
    int fd;
    const char *name; /* for messages */
    char *block;      /* [pos, len) is not used yet */
    size_t pos, len;
    uint64_t offset; /* in the file, of the end of the block */
};

/** Have at least one byte in the block, unless the file ends: then pos == len. */
MUST_CHECK bool source_file_fill(struct source_file *file, struct err *err);

/** Offset in the file of the next byte that is not used yet. */
uint64_t source_file_offset(const struct source_file *file);

/** read(2) that goes on after a signal; ERR_INPUT names the file. */
MUST_CHECK bool source_file_read(int fd, const char *name, char *buf, size_t cap, size_t *got,
                                 struct err *err);

/** One kind of compression. */
struct source_codec {
    const char *suffix; /* ".gz" */
    void *(*open)(void);
    /* As source_read(). */
    bool (*read)(void *state, struct source_file *file, char *buf, size_t cap, size_t *got,
                 struct err *err);
    void (*close)(void *state);
};

extern const struct source_codec source_gzip;
extern const struct source_codec source_zstd;

#endif
