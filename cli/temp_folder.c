#include "cli/temp_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool temp_folder_make(const char *what, char out[TEMP_FOLDER_MAX], struct err *err)
{
    const char *base = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe) */

    (void)snprintf(out, TEMP_FOLDER_MAX, "%.3000s/sheaf-%s-XXXXXX",
                   base != NULL && base[0] == '/' ? base : "/tmp", what);
    if (mkdtemp(out) != NULL)
        return true;
    (void)err_set(err, ERR_UNAVAILABLE, "%s: %s", out, strerror(errno));
    out[0] = '\0';
    return false;
}
