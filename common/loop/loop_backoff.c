#include "common/loop/loop_backoff.h"

int64_t backoff_ms(unsigned attempt, int64_t base_ms, int64_t cap_ms, uint32_t random)
{
    int64_t most = base_ms;

    for (unsigned i = 0; i < attempt && most < cap_ms; i++)
        most = most > cap_ms / 2 ? cap_ms : most * 2;
    if (most > cap_ms)
        most = cap_ms;
    if (most > INT32_MAX) /* 24 days; keeps the product below 2^63 */
        most = INT32_MAX;

    /* random / 2^32 is in [0, 1): scale without the bias of a remainder */
    return (int64_t)(((uint64_t)(most + 1) * random) >> 32);
}
