#ifndef TESTLIB_SCRATCH_H
#define TESTLIB_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of one test's own. */

#define SCRATCH_PATH_MAX 64

/** Make a new folder below the temporary one. */
static inline void scratch_make(char path[SCRATCH_PATH_MAX])
{
    (void)snprintf(path, SCRATCH_PATH_MAX, "/tmp/sheaf-test-XXXXXX");
    if (mkdtemp(path) == NULL)
        abort();
}

/** The same in memory where that can be: for tests that write very many files. */
static inline void scratch_make_fast(char path[SCRATCH_PATH_MAX])
{
    (void)snprintf(path, SCRATCH_PATH_MAX, "/dev/shm/sheaf-test-XXXXXX");
    if (mkdtemp(path) == NULL)
        scratch_make(path);
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int type,
                                     struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/** Remove it with all that is in it. */
static inline void scratch_remove(const char *path)
{
    (void)nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
