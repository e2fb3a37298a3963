#ifndef SIMULATOR_INTAKE_H
#define SIMULATOR_INTAKE_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "simulator/dialect.h"

/* Why an uploaded batch file is refused. */
struct intake_refusal {
    unsigned status; /* HTTP */
    const char *zhipu_code;
    char message[600];
};

/**
 * Check the batch file @fd, called @filename, as the API does while it is being
 * uploaded. False with @out filled when it is refused.
 */
MUST_CHECK bool intake_check(int fd, const char *filename, const struct dialect *dialect,
                             struct intake_refusal *out);

#endif
