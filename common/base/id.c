#include "common/base/id.h"

#include <sys/random.h>

#include "common/base/log.h"

static void fill(void *out, size_t len)
{
    if (getrandom(out, len, 0) != (ssize_t)len)
        log_fatal("getrandom gave no bytes");
}

uint32_t id_random_below(uint32_t bound)
{
    uint64_t r;

    fill(&r, sizeof(r));
    return (uint32_t)(r % bound);
}

void id_random(char *out, size_t len)
{
    static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz";

    for (size_t i = 0; i < len; i++)
        out[i] = alphabet[id_random_below(sizeof(alphabet) - 1)];
    out[len] = '\0';
}
