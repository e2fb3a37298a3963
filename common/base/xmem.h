#ifndef BASE_XMEM_H
#define BASE_XMEM_H

#include <stddef.h>

/*
 * Allocation that cannot fail: out of memory aborts the process. Everything we
 * must not lose is in Redis and the sink, so a restart is the recovery. Use
 * plain malloc() and an error, or a capped struct buf, for sizes that a peer
 * chose (response bodies, downloads).
 */

/** @count zeroed elements of @size bytes; the caller frees with free(). */
void *xcalloc(size_t count, size_t size);

/** @p resized to @count elements of @size bytes; new bytes are not zeroed. */
void *xrealloc(void *p, size_t count, size_t size);

/** A copy of @s that the caller frees with free(); NULL gives NULL. */
char *xstrdup(const char *s);

/** A NUL-terminated copy of the @len bytes at @s; the caller frees it. */
char *xstrndup(const char *s, size_t len);

#endif
