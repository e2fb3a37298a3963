#include "simulator/keys.h"

#include <inttypes.h>
#include <string.h>

#include "simulator/hash.h"
#include "simulator/text.h"

void keys_note(struct keys *keys, const char *key)
{
    uint64_t hash = hash_fnv(key, strlen(key));
    size_t at = 0;

    while (at < keys->count && keys->seen[at].hash != hash)
        at++;
    if (at == KEYS_MAX)
        return;
    if (at == keys->count)
        keys->seen[keys->count++].hash = hash;
    keys->seen[at].requests++;
}

void keys_write(const struct keys *keys, struct buf *out)
{
    text_put(out, "{");
    for (size_t i = 0; i < keys->count; i++)
        text_f(out, "%s\"%016" PRIx64 "\":%" PRIu64, i == 0 ? "" : ",", keys->seen[i].hash,
               keys->seen[i].requests);
    text_put(out, "}");
}
