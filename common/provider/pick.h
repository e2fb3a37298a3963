#ifndef PROVIDER_PICK_H
#define PROVIDER_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json/doc.h"

/*
 * Careful reading of documents that another party wrote, on top of doc.h:
 * @path is as there, and what is missing, null or of another type is not there.
 * Private to this folder.
 */

/**
 * The text or number at @path, as text, into @out, cut at a character's end if
 * it is longer than @size - 1 bytes. False, with @out empty, when there is none.
 */
bool pick_text(struct json_object *obj, const char *path, char *out, size_t size);

/** As pick_text(), but too long is not there either: an id that is cut is another id. */
bool pick_id(struct json_object *obj, const char *path, char *out, size_t size);

/** A number, also one that is written as a text; a fraction is dropped. */
bool pick_number(struct json_object *obj, const char *path, int64_t *out);

/** Copy at most @size - 1 bytes of @len, cut at a character's end, and a NUL. */
void pick_cut(char *out, size_t size, const char *text, size_t len);

#endif
