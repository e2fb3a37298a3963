#include "worker/core/poll_search.h"

#include <stdbool.h>
#include <string.h>

#define PAGES_MAX 500 /* of 100 batches */
#define SKEW_MS   600000

const char *poll_search_name(enum poll_search answer)
{
    switch (answer) {
    case POLL_SEARCH_MORE: return "more";
    case POLL_SEARCH_FOUND: return "found";
    case POLL_SEARCH_ABSENT: return "absent";
    case POLL_SEARCH_ENDLESS: return "endless";
    }
    return "?";
}

/* The page ends with what is older, and its order is not the other one. */
static bool is_past(const struct remote_batch_page *page, int64_t created_ms)
{
    if (page->count == 0)
        return false;
    int64_t first = page->items[0].created_unix_ms;
    int64_t last = page->items[page->count - 1].created_unix_ms;

    return last != 0 && last < created_ms - SKEW_MS && first > last;
}

enum poll_search poll_search_page(const struct remote_batch_page *page, const char *remote,
                                  int64_t created_ms, unsigned pages)
{
    for (size_t i = 0; i < page->count; i++) {
        if (strcmp(page->items[i].id, remote) == 0)
            return POLL_SEARCH_FOUND;
    }
    if (!page->has_more || is_past(page, created_ms))
        return POLL_SEARCH_ABSENT;
    return pages + 1 < PAGES_MAX ? POLL_SEARCH_MORE : POLL_SEARCH_ENDLESS;
}
