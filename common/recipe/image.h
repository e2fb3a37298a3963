#ifndef RECIPE_IMAGE_H
#define RECIPE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"

struct buf;

/** The largest image file, unless the caller says otherwise. */
#define IMAGE_BYTES_PRESET (20U << 20)

/** What a file's first bytes say it is. */
enum image_type {
    IMAGE_UNKNOWN,
    IMAGE_PNG,
    IMAGE_JPEG,
    IMAGE_GIF,
    IMAGE_WEBP,
    IMAGE_BMP,
};

/** As in a data URL: "image/png"; "" for an unknown one. */
const char *image_type_name(enum image_type type);

/** Enough of a file for image_type_of(). */
#define IMAGE_MAGIC_BYTES 16

/** By the first @len bytes of a file, never by its name. */
enum image_type image_type_of(const void *bytes, size_t len);

/** Why an image cannot be sent. */
enum image_problem {
    IMAGE_MISSING, /* no such file, or it cannot be read */
    IMAGE_INVALID, /* no image we know, empty, too large; a reference that is nothing */
};

/**
 * Append the URL that a request takes for @ref, NUL-terminated: http://, https:// and data:image/
 * as they are; anything else is the path of a file, from @folder (NULL: the current one) unless it
 * is absolute, and becomes "data:image/png;base64,...". The file is read piece by piece and may
 * have at most @max_bytes. Blocks. What is appended has no quotes, backslashes or control
 * characters: it can stand in a JSON string as it is. False, with @out as it was: *@problem, and
 * @err (ERR_INPUT) names the file.
 */
MUST_CHECK bool image_put(struct buf *out, const char *ref, const char *folder, size_t max_bytes,
                          enum image_problem *problem, struct err *err);

#endif
