#ifndef WORKER_DOWNLOAD_H
#define WORKER_DOWNLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct daemon;
struct provider_error;

/**
 * One remote result file coming in from some offset on, cut into chunks
 * (worker/core/chunk.h). Holds one chunk and what follows it in the same
 * network read; the transfer waits while a chunk is being integrated.
 */
struct download;

/** A chunk. Borrowed until download_chunk_done(). */
struct download_chunk {
    const char *data; /* whole lines, but the last may lack its newline */
    size_t len;
    uint64_t bytes; /* of the file that the chunk covers: more than @len after an oversize line */
    bool oversize;  /* a line too long to be read was passed over at its end */
};

struct download_hooks {
    /* A chunk is ready, or the file is complete. Runs on the loop. */
    void (*chunk_ready)(void *arg);
    /* The transfer ended early; borrowed error. What came is kept: see download_retry(). */
    void (*failed)(const struct provider_error *error, void *arg);
    void *arg;
};

/** Longest result line that can be read, bytes. */
#define DOWNLOAD_LINE_MAX (24u << 20)

/**
 * Start reading @file_id (borrowed until download_free()), which is @size bytes long, at byte
 * @offset, the beginning of a chunk. Never NULL. Free with download_free().
 */
struct download *download_new(struct daemon *daemon, const char *file_id, uint64_t size,
                              uint64_t offset, uint64_t chunk_bytes,
                              const struct download_hooks *hooks);

/** The size that the server told of last; -1 before, or when it told none. */
int64_t download_announced(const struct download *d);

/** No callback from now on. Safe inside the hooks. NULL is fine. */
void download_free(struct download *d);

/** True, with *@chunk, when one is ready. */
bool download_next_chunk(struct download *d, struct download_chunk *chunk);

/** The chunk that download_next_chunk() gave is integrated. */
void download_chunk_done(struct download *d);

/** Everything up to the file's size has been taken. */
bool download_is_complete(const struct download *d);

/** No chunk is ready: let the transfer go on. */
void download_resume(struct download *d);

/**
 * After failed(), and later than in it: read on behind the last whole line that came. A server may
 * give the lines in another order each time, so a line is only ever read from one answer, and an
 * answer that does not begin with what the last one ended with is of another file
 * (RFC 9110, 15.3.7.3 allows to combine parts of the same representation only). The chunk
 * under way is then read anew: while one is being integrated, wait for that.
 */
void download_retry(struct download *d);

/**
 * In failed() and until download_retry(): it failed as the file is another one than that whose
 * bytes came before. Chunks that were taken can be of no use for the rest of it.
 */
bool download_has_changed(const struct download *d);

/** Bytes of the file up to the last one that came. */
uint64_t download_received(const struct download *d);

#endif
