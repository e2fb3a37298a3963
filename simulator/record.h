#ifndef SIMULATOR_RECORD_H
#define SIMULATOR_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/buf.h"

struct err;

/* How a plain struct is kept as a JSON file: one row a member. */
enum record_kind {
    RECORD_TEXT,   /* char *, owned by the struct, may be NULL */
    RECORD_NUMBER, /* int64_t */
    RECORD_FLAG,   /* bool */
};

struct record_field {
    const char *name;
    enum record_kind kind;
    size_t offset;
};

/** Raise it when the meaning of a stored member changes; others are refused. */
#define RECORD_VERSION 1

/** @object as JSON text. */
void record_write(const struct record_field *fields, size_t count, const void *object,
                  struct buf *out);

/** Fill the zeroed @object from the file @path; members that are not there stay zero. */
MUST_CHECK bool record_read(const struct record_field *fields, size_t count, const char *path,
                            void *object, struct err *err);

/** Free the texts. */
void record_release(const struct record_field *fields, size_t count, void *object);

#endif
