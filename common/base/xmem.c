#include "common/base/xmem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

void *xcalloc(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (p == NULL)
        log_fatal("out of memory: %zu x %zu bytes", count, size);
    return p;
}

void *xrealloc(void *p, size_t count, size_t size)
{
    void *q = reallocarray(p, count, size);
    if (q == NULL && count != 0 && size != 0)
        log_fatal("out of memory: %zu x %zu bytes", count, size);
    return q;
}

char *xstrdup(const char *s)
{
    return s == NULL ? NULL : xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t len)
{
    char *copy = xcalloc(len + 1, 1);

    if (len != 0)
        memcpy(copy, s, len);
    return copy;
}
