#ifndef PRODUCER_FINGERPRINT_H
#define PRODUCER_FINGERPRINT_H

#include <stdbool.h>

#include "common/base/err.h"

/**
 * What an input is, whatever its name, age or place: SHA-256 of its size, its
 * content and the model that is put into bodies. Content is all of it up to 256
 * MiB; of a larger file the first and last MiB and 256 blocks of 64 KiB spread
 * evenly between them (every window's checksum is compared again when its batch
 * is built). Of standard input, which cannot be read twice, only the model
 * counts. @out holds 65 bytes. ERR_INPUT when @path cannot be read.
 */
MUST_CHECK bool fingerprint_of(const char *path, const char *model, char out[65], struct err *err);

#endif
