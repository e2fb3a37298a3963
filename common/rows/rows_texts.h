#ifndef ROWS_ROWS_TEXTS_H
#define ROWS_ROWS_TEXTS_H

/* Which files of a folder are rows: shared by the files of this folder, not for others. */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"

/** The names of the files in @path that are rows, sorted; free with rows_texts_free(). */
MUST_CHECK bool rows_texts_list(const char *path, char ***names, size_t *count, struct err *err);

/** Free a list of names. */
void rows_texts_free(char **names, size_t count);

/** @folder/@name, which the caller frees with free(). */
char *rows_texts_path(const char *folder, const char *name);

#endif
