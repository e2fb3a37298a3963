#ifndef CLI_TEMP_FOLDER_H
#define CLI_TEMP_FOLDER_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/err.h"

/** Room for its path and the NUL. */
#define TEMP_FOLDER_MAX 4096

/**
 * Make an empty folder of our own, "sheaf-@what-XXXXXX", in $TMPDIR if that is an absolute path,
 * else in /tmp. Its path into @out; the caller removes it. ERR_UNAVAILABLE, with @out "", when it
 * cannot be made.
 */
MUST_CHECK bool temp_folder_make(const char *what, char out[TEMP_FOLDER_MAX], struct err *err);

#endif
