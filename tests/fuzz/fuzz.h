#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/log.h"

/** What libFuzzer calls with each input; 0 always. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** End the run, with the input kept, when something that must hold does not. */
#define FUZZ_CHECK(condition)                                                                  \
    do {                                                                                       \
        if (!(condition))                                                                      \
            log_fatal("ev=fuzz_check file=%s line=%d not=%s", __FILE__, __LINE__, #condition); \
    } while (0)

#endif
