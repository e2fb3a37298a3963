#include "common/merge/sightings.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"

/* What one pass had of one batch. */
struct sighting {
    char bid[BATCH_ID_LEN + 1];
    uint32_t pass;
    bool ok;
    bool first; /* of its batch */
    uint64_t lines;
};

static struct sighting *append(struct sightings *s, const char *bid, uint32_t pass, bool ok)
{
    if (s->count == s->cap) {
        s->cap = s->cap == 0 ? 8 : 2 * s->cap;
        s->items = xrealloc(s->items, s->cap, sizeof(*s->items));
    }
    struct sighting *own = &s->items[s->count++];

    *own = (struct sighting){.pass = pass, .ok = ok};
    memcpy(own->bid, bid, strlen(bid) + 1);
    return own;
}

enum sighting_kind sightings_add(struct sightings *s, const char *bid, uint32_t pass, bool ok)
{
    struct sighting *own = NULL;
    uint64_t most = 0;

    for (size_t i = 0; i < s->count; i++) {
        struct sighting *item = &s->items[i];

        if (item->ok != ok || strcmp(item->bid, bid) != 0)
            continue;
        most = item->lines > most ? item->lines : most;
        own = item->pass == pass ? item : own;
    }
    if (own == NULL)
        own = append(s, bid, pass, ok);
    own->first = own->first || most == 0;
    if (++own->lines <= most)
        return SIGHTING_REREAD;
    return most == 0 ? SIGHTING_FIRST : SIGHTING_REPEAT;
}

size_t sightings_paid(const struct sightings *s)
{
    size_t paid = 0;

    for (size_t i = 0; i < s->count; i++)
        paid += s->items[i].ok && s->items[i].first;
    return paid;
}

void sightings_clear(struct sightings *s)
{
    s->count = 0;
}

void sightings_release(struct sightings *s)
{
    free(s->items);
    *s = (struct sightings){0};
}
