#ifndef UNIT_INPUT_FILES_H
#define UNIT_INPUT_FILES_H

#include <stddef.h>

/* Files for the tests of common/input, in one temporary folder. */

/** Make the folder; for cmocka's group set-up. */
int input_files_setup(void **state);

/** Remove it and everything in it; for cmocka's group tear-down. */
int input_files_teardown(void **state);

/** Path of @name in the folder; lives until the next call. */
const char *input_path(const char *name);

/** Write @len bytes as file @name. Returns its path. */
const char *input_file(const char *name, const char *bytes, size_t len);

#endif
