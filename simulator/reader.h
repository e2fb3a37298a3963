#ifndef SIMULATOR_READER_H
#define SIMULATOR_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "simulator/line.h"

struct err;

#define READER_BLOCK_LINES 1000
#define READER_LINE_MAX    ((size_t)64 << 20)

/* Some lines of a file, without their LF; blank ones are among them. */
struct block {
    struct slice lines[READER_BLOCK_LINES];
    size_t count;
    uint64_t first; /* number of the first line, from 1 */
};

/** Reads a file in blocks of whole lines, through a buffer of a few megabytes. */
struct reader {
    int fd;
    struct buf window;
    size_t used; /* bytes of the window that the last block took */
    uint64_t lines;
    bool ended;
};

/** Borrows @fd. */
void reader_init(struct reader *r, int fd);

void reader_release(struct reader *r);

/**
 * The next block, valid until the next call. At the end of the file its count
 * is 0. How a file is cut depends on its bytes only. False when it can't be
 * read or a line is longer than READER_LINE_MAX.
 */
MUST_CHECK bool reader_next(struct reader *r, struct block *out, struct err *err);

/** Whether there is nothing but white space in @line. */
bool line_is_blank(struct slice line);

#endif
