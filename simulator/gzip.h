#ifndef SIMULATOR_GZIP_H
#define SIMULATOR_GZIP_H

#include <stdint.h>

struct err;
struct folder;

/**
 * The bytes of @fd from its start, gzipped into a new file without a name; its
 * size in @bytes. Returns its descriptor, -1 with @err.
 */
int gzip_file(const struct folder *folder, int fd, uint64_t *bytes, struct err *err);

#endif
