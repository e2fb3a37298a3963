#ifndef WORKER_CORE_POLL_SEARCH_H
#define WORKER_CORE_POLL_SEARCH_H

#include <stdint.h>

#include "common/provider/remote.h"

/** What a page of the provider's list of batches says about one that GET does not find. */
enum poll_search {
    POLL_SEARCH_MORE,    /* nothing yet: the next page */
    POLL_SEARCH_FOUND,   /* it is there */
    POLL_SEARCH_ABSENT,  /* it is not: it would have come by now */
    POLL_SEARCH_ENDLESS, /* the list has no end that we could wait for: this proves nothing */
};

/** "more", "found", ... */
const char *poll_search_name(enum poll_search answer);

/**
 * Pure. @remote was created at @created_ms by the provider's clock, and @pages came before @page.
 * A list that goes from new to old need not be read beyond that time, with ten minutes for
 * what clocks differ by; any other is read to its end.
 */
enum poll_search poll_search_page(const struct remote_batch_page *page, const char *remote,
                                  int64_t created_ms, unsigned pages);

#endif
