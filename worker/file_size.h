#ifndef WORKER_FILE_SIZE_H
#define WORKER_FILE_SIZE_H

#include <stdint.h>

struct daemon;
struct provider_error;

/**
 * Asks how large a result file is: GET /files/{id} where the provider has that, else what its
 * content announces.
 */
struct file_size;

/** @error NULL: @bytes. Borrowed for the callback, which may free. */
typedef void (*file_size_fn)(const struct provider_error *error, int64_t bytes, void *arg);

/** @file is borrowed until file_size_free(). @done runs once, later. Never NULL. */
struct file_size *file_size_new(struct daemon *daemon, const char *file, file_size_fn done,
                                void *arg);

/** No callback from now on. Safe in @done. NULL is fine. */
void file_size_free(struct file_size *f);

#endif
