#ifndef SIMULATOR_WINDOW_H
#define SIMULATOR_WINDOW_H

#include <stddef.h>
#include <stdint.h>

/** When things happened during the last span of time. Zero-initialise, set @span_ms. */
struct window {
    int64_t span_ms;
    int64_t *at; /* a ring: the oldest at @head */
    size_t head, count, cap;
    uint64_t peak; /* the most there ever were in one span */
};

void window_release(struct window *w);

/** One more, now. Times must not go backwards. */
void window_add(struct window *w, int64_t now_ms);

/** How many there were in the span that ends now. */
uint64_t window_count(struct window *w, int64_t now_ms);

/** How long until there are fewer than @limit (at least 1) in the span; 0: there are. */
int64_t window_wait_ms(struct window *w, uint64_t limit, int64_t now_ms);

#endif
