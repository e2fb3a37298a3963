#ifndef ENRICH_RESULT_FILE_H
#define ENRICH_RESULT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/json/result_line.h"
#include "common/json/scan.h"

/*
 * One file of a merged part, read line by line: the line it stands at has been parsed. Memory: the
 * longest line and a bit more.
 */
struct result_file;

/** Longest line, with its newline; the merge writes none that is longer. */
#define RESULT_FILE_LINE_MAX (64u << 20)

/** Never NULL; it has no file yet. Free with result_file_free(). */
struct result_file *result_file_new(void);

/** NULL is fine. */
void result_file_free(struct result_file *f);

/** Go to the first line of @fd, which is taken, also on failure. @name (copied) is for messages. */
MUST_CHECK bool result_file_open(struct result_file *f, int fd, const char *name, struct err *err);

/**
 * The line it stands at, without its newline; NULL: there is none (or no file). Borrowed until the
 * next call that is not this one.
 */
const struct result_line *result_file_line(const struct result_file *f, struct slice *text,
                                           uint64_t *offset);

/** Go to the next line. ERR_PERMANENT when it is no result line, or has no end. */
MUST_CHECK bool result_file_next(struct result_file *f, struct err *err);

#endif
