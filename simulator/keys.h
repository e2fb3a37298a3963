#ifndef SIMULATOR_KEYS_H
#define SIMULATOR_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

#define KEYS_MAX 32

/** The keys that requests brought, by their hashes. Zero-initialise. */
struct keys {
    struct {
        uint64_t hash; /* hash_fnv() */
        uint64_t requests;
    } seen[KEYS_MAX]; /* the first ones */
    size_t count;
};

/** Count a request with @key. */
void keys_note(struct keys *keys, const char *key);

/** A JSON object: hash to number of requests. */
void keys_write(const struct keys *keys, struct buf *out);

#endif
