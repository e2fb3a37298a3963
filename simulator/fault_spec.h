#ifndef SIMULATOR_FAULT_SPEC_H
#define SIMULATOR_FAULT_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "simulator/faults.h"

struct err;

/** Which name @spec begins with, as a number, and how long that is. False when there is none. */
MUST_CHECK bool fault_spec_name(const char *spec, uint8_t *row, size_t *len, struct err *err);

/** The fault that @spec describes, armed. False when it can't be read. */
MUST_CHECK bool fault_spec_read(const char *spec, struct fault *out, struct err *err);

#endif
