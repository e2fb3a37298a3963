#include "simulator/window.h"

#include <stdlib.h>

#include "common/base/xmem.h"

void window_release(struct window *w)
{
    free(w->at);
    *w = (struct window){.span_ms = w->span_ms};
}

static void grow(struct window *w)
{
    size_t cap = w->cap == 0 ? 64 : 2 * w->cap;
    int64_t *at = xcalloc(cap, sizeof(*at));

    for (size_t i = 0; i < w->count; i++)
        at[i] = w->at[(w->head + i) % w->cap];
    free(w->at);
    w->at = at;
    w->head = 0;
    w->cap = cap;
}

uint64_t window_count(struct window *w, int64_t now_ms)
{
    while (w->count != 0 && now_ms - w->at[w->head] >= w->span_ms) {
        w->head = (w->head + 1) % w->cap;
        w->count--;
    }
    return w->count;
}

void window_add(struct window *w, int64_t now_ms)
{
    (void)window_count(w, now_ms);
    if (w->count == w->cap)
        grow(w);
    w->at[(w->head + w->count++) % w->cap] = now_ms;
    if (w->count > w->peak)
        w->peak = w->count;
}

int64_t window_wait_ms(struct window *w, uint64_t limit, int64_t now_ms)
{
    uint64_t count = window_count(w, now_ms);

    if (count < limit)
        return 0;
    return w->at[(w->head + (size_t)(count - limit)) % w->cap] + w->span_ms - now_ms;
}
