#include "simulator/pauses.h"

#include <microhttpd.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/xmem.h"

void pauses_init(struct pauses *p)
{
    *p = (struct pauses){0};
    if (pthread_mutex_init(&p->lock, NULL) != 0)
        log_fatal("no mutex");
}

void pauses_release(struct pauses *p)
{
    free(p->list);
    (void)pthread_mutex_destroy(&p->lock);
}

bool pauses_add(struct pauses *p, struct MHD_Connection *conn, int64_t until_ms)
{
    (void)pthread_mutex_lock(&p->lock);
    bool open = !p->closed;
    if (open) {
        if (p->count == p->cap) {
            p->cap = p->cap == 0 ? 16 : 2 * p->cap;
            p->list = xrealloc(p->list, p->cap, sizeof(*p->list));
        }
        MHD_suspend_connection(conn);
        p->list[p->count++] = (struct pause){conn, until_ms};
    }
    (void)pthread_mutex_unlock(&p->lock);
    return open;
}

void pauses_wake(struct pauses *p, int64_t now_ms)
{
    size_t kept = 0;

    (void)pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->count; i++) {
        if (p->list[i].until_ms <= now_ms)
            MHD_resume_connection(p->list[i].conn);
        else
            p->list[kept++] = p->list[i];
    }
    p->count = kept;
    (void)pthread_mutex_unlock(&p->lock);
}

void pauses_close(struct pauses *p)
{
    (void)pthread_mutex_lock(&p->lock);
    p->closed = true;
    (void)pthread_mutex_unlock(&p->lock);
    pauses_wake(p, INT64_MAX);
}
