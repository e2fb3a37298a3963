#ifndef BASE_ID_H
#define BASE_ID_H

#include <stddef.h>
#include <stdint.h>

/**
 * Fill @out with @len random characters of [0-9a-z] and a NUL (@out holds
 * @len + 1 bytes). From getrandom(2): names that leave Redis must not come
 * from a counter that a failover can turn back.
 */
void id_random(char *out, size_t len);

/** A random number in [0, @bound); @bound > 0. For jitter. */
uint32_t id_random_below(uint32_t bound);

#endif
