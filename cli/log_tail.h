#ifndef CLI_LOG_TAIL_H
#define CLI_LOG_TAIL_H

#include <stdio.h>
#include <sys/types.h>

/** Where in a growing log a reader is. */
struct log_tail {
    int fd; /* borrowed */
    off_t at;
};

/** Start at the end of @fd. */
void log_tail_init(struct log_tail *tail, int fd);

/** Copy the whole lines that have come since to @out. */
void log_tail_copy(struct log_tail *tail, FILE *out);

#endif
