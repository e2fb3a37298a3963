#include "common/sink/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/digest/hash.h"

static const char *numbered(char out[LAYOUT_NAME_MAX], const char *folder, uint32_t n,
                            const char *extension)
{
    (void)snprintf(out, LAYOUT_NAME_MAX, "%s/%07" PRIu32 "%s", folder, n, extension);
    return out;
}

const char *layout_index(char out[LAYOUT_NAME_MAX], uint32_t part)
{
    return numbered(out, LAYOUT_IDX, part, "");
}

const char *layout_ids(char out[LAYOUT_NAME_MAX], uint32_t window)
{
    return numbered(out, LAYOUT_IDS, window, "");
}

const char *layout_requests(char out[LAYOUT_NAME_MAX], uint32_t window)
{
    return numbered(out, LAYOUT_REQ, window, "");
}

const char *layout_generation(char out[LAYOUT_NAME_MAX], uint32_t number)
{
    (void)snprintf(out, LAYOUT_NAME_MAX, LAYOUT_GENERATION "%" PRIu32, number);
    return out;
}

const char *layout_ended(char out[LAYOUT_NAME_MAX], uint32_t generation)
{
    (void)snprintf(out, LAYOUT_NAME_MAX, "ended.g%" PRIu32, generation);
    return out;
}

const char *layout_cancelled(char out[LAYOUT_NAME_MAX], uint32_t generation)
{
    if (generation == 0)
        (void)snprintf(out, LAYOUT_NAME_MAX, LAYOUT_CANCELLED);
    else
        (void)snprintf(out, LAYOUT_NAME_MAX, "cancelled.g%" PRIu32 ".json", generation);
    return out;
}

const char *layout_part(char out[LAYOUT_NAME_MAX], uint32_t part)
{
    (void)snprintf(out, LAYOUT_NAME_MAX, "part-%07" PRIu32, part);
    return out;
}

const char *layout_segment(char out[LAYOUT_NAME_MAX], uint32_t part, const char *remote_file,
                           uint64_t offset)
{
    char hash[HASH_HEX_LEN + 1];

    hash_hex(remote_file, strlen(remote_file), hash);
    (void)snprintf(out, LAYOUT_NAME_MAX, "part-%07" PRIu32 "/%s.%013" PRIu64 ".seg", part, hash,
                   offset);
    return out;
}

const char *layout_end(char out[LAYOUT_NAME_MAX], uint32_t part, const char *bid)
{
    (void)snprintf(out, LAYOUT_NAME_MAX, "part-%07" PRIu32 "/%s.end", part, bid);
    return out;
}

static const char *merged(char out[LAYOUT_NAME_MAX], const char *folder, uint32_t part,
                          uint32_t generation, const char *extension)
{
    char named[32];

    if (generation == 0)
        return numbered(out, folder, part, extension);
    (void)snprintf(named, sizeof(named), "%s.g%" PRIu32, folder, generation);
    return numbered(out, named, part, extension);
}

const char *layout_inputs(char out[LAYOUT_NAME_MAX], uint32_t part, uint32_t generation)
{
    return merged(out, LAYOUT_IN, part, generation, ".json");
}

const char *layout_out(char out[LAYOUT_NAME_MAX], uint32_t part, uint32_t generation)
{
    return merged(out, LAYOUT_OUT, part, generation, ".jsonl");
}

const char *layout_dead(char out[LAYOUT_NAME_MAX], uint32_t part, uint32_t generation)
{
    return merged(out, LAYOUT_DEAD, part, generation, ".jsonl");
}

const char *layout_bad(char out[LAYOUT_NAME_MAX], uint32_t part, uint32_t generation)
{
    return merged(out, LAYOUT_BAD, part, generation, "");
}

const char *layout_report(char out[LAYOUT_NAME_MAX], uint32_t part, uint32_t generation)
{
    return merged(out, LAYOUT_REP, part, generation, ".json");
}
