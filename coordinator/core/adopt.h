#ifndef COORDINATOR_CORE_ADOPT_H
#define COORDINATOR_CORE_ADOPT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/provider/remote.h"

/*
 * Which file in the provider's list an upload of unknown outcome has stored. Pure.
 *
 * Only one that came since the record is in BUILD. An older one of the same name may be an orphan
 * that the reaper has seen for long and deletes this very moment; as long as a record is in BUILD
 * it notes none of its files, so what came since then is safe from it.
 */

/** How far a file's time may be rounded down: the providers give seconds. */
#define ADOPT_SLACK_MS 1000

struct adopt_facts {
    const char *name;  /* that we have given it */
    uint64_t size;     /* in bytes */
    int64_t build_ms;  /* Redis time: since when the record is in BUILD */
    int64_t now_ms;    /* Redis time */
    int64_t theirs_ms; /* the provider's clock at @now_ms; -1: unknown, taken for ours */
};

/** By the provider's clock: the time of the oldest file that may be it. */
int64_t adopt_since_ms(const struct adopt_facts *facts);

/** Whether @file is it: usable, of that name and size, and not older. */
bool adopt_is_ours(const struct adopt_facts *facts, const struct remote_file *file);

#endif
