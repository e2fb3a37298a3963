#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/** Milliseconds of a clock that never jumps; the epoch means nothing. For deadlines. */
int64_t clock_mono_ms(void);

/** Milliseconds since 1970 of the wall clock. For people and logs, never for decisions. */
int64_t clock_unix_ms(void);

#endif
