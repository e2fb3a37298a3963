#ifndef SIMULATOR_UPLOAD_H
#define SIMULATOR_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"

struct dialect_files;
struct err;
struct folder;
struct MHD_Connection;
struct upload;

/* What an upload brought. */
struct upload_parts {
    bool multipart; /* it was one, whole and well-formed */
    bool has_file;
    bool too_big;                                  /* more than @max_bytes; the rest was not kept */
    const char *path;                              /* of the temporary file */
    const char *trouble;                           /* it could not be written; else NULL */
    struct buf filename, purpose, anchor, seconds; /* empty when not given */
};

/** Starts taking the multipart body of @conn, with the parts that @dialect knows. The file goes to
 * a temporary file in @folder. */
struct upload *upload_new(struct MHD_Connection *conn, const struct folder *folder,
                          const struct dialect_files *dialect, uint64_t max_bytes);

/** More of the body. */
void upload_feed(struct upload *u, const char *bytes, size_t len);

/** The body is complete. Borrowed until upload_free(). */
const struct upload_parts *upload_end(struct upload *u);

/** Removes the temporary file unless it was moved. NULL is fine. */
void upload_free(struct upload *u);

#endif
