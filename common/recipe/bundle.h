#ifndef RECIPE_BUNDLE_H
#define RECIPE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/recipe/recipe.h"

struct buf;

/*
 * The bundle: a recipe with the content of every file it was made from, and which rows it was
 * begun with, as one JSON document (docs/files.md). With it answers can be judged and rows written
 * when the recipe's own files are gone or changed; and what changed has a name. It holds no key
 * and nothing of the environment.
 */

/** Version of the format: a program that does not know it refuses the bundle. */
#define BUNDLE_VERSION 1

/** Room for the largest bundle. */
#define BUNDLE_MAX_BYTES (256u << 20)

/** The rows that a job is about. Borrowed texts. */
struct bundle_input {
    const char *path; /* as it is opened: absolute */
    const char *rows; /* fingerprint of the rows' bytes; any text without control characters */
    enum rows_format format; /* as it turned out: not ROWS_AUTO */
};

/** Append the bundle. False, with nothing appended, past the limit of @out. */
MUST_CHECK bool bundle_write(const struct recipe *recipe, const struct bundle_input *input,
                             struct buf *out);

/**
 * Whether the bundle at @text is of this recipe and input. ERR_CONFLICT names the first thing that
 * changed since: "data/topics.json has changed since this job began". Input paths may differ: the
 * fingerprint decides. ERR_PERMANENT when the bundle is broken.
 */
MUST_CHECK bool bundle_compare(const struct recipe *recipe, const struct bundle_input *input,
                               const char *text, size_t len, struct err *err);

/** The input in a bundle; owned texts. */
struct bundle_origin {
    char *path;
    char *rows;
    char *encoding; /* NULL: UTF-8 */
    enum rows_format format;
};

/** Read it. ERR_PERMANENT when the bundle is broken. The caller releases *@out. */
MUST_CHECK bool bundle_origin(const char *text, size_t len, struct bundle_origin *out,
                              struct err *err);

void bundle_origin_release(struct bundle_origin *origin);

#endif
