#ifndef DIGEST_CRC32C_H
#define DIGEST_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/**
 * CRC-32C (Castagnoli, RFC 3720 B.4) of @len bytes, going on from @crc, which is 0 at
 * the start: crc32c(crc32c(0, a), b) is the sum of a and b one behind the other. Uses
 * the CPU's own instruction where there is one.
 */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);

/**
 * The sum of a and b one behind the other, from the sum of each and the length of b:
 * for when they were read apart.
 */
uint32_t crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t len_b);

/** crc32c() without the CPU's help, for comparison. */
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t len);

#endif
