#ifndef SIMULATOR_FOLDER_H
#define SIMULATOR_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"

struct err;

/* Where the simulator keeps its files: files/ batches/ ledger/ tmp/ and a lock. */
struct folder {
    char *path;
    bool private; /* made by us: goes away at the end */
    int lock_fd;
};

/** Make @dir, or a private one when NULL, ready and lock it; what a dead process left half done
 * goes. */
MUST_CHECK bool folder_open(struct folder *f, const char *dir, struct err *err);

/** Unlock; a private folder is removed. */
void folder_close(struct folder *f);

#define FOLDER_PATH_MAX 4096

/** "<folder>/<sub>/<name><suffix>" in @out. */
void folder_path(const struct folder *f, const char *sub, const char *name, const char *suffix,
                 char out[FOLDER_PATH_MAX]);

/** Replace the file @path by @len bytes in one step; a kill at any moment leaves the old or the
 * new. */
MUST_CHECK bool folder_replace(const char *path, const void *bytes, size_t len, struct err *err);

/** A new file tmp/<random> opened for writing and reading, its path in @path; -1 with @err. */
int folder_temporary(const struct folder *f, char path[FOLDER_PATH_MAX], struct err *err);

/** Write all of it to @fd. */
MUST_CHECK bool folder_write(int fd, const void *bytes, size_t len, struct err *err);

/** Called with each name in a sub-folder. */
typedef bool (*folder_each_fn)(const char *name, void *arg, struct err *err);

/** Call @fn for each entry of @sub; stops with false when it does. */
MUST_CHECK bool folder_each(const struct folder *f, const char *sub, folder_each_fn fn, void *arg,
                            struct err *err);

#endif
