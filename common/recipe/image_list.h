#ifndef RECIPE_IMAGE_LIST_H
#define RECIPE_IMAGE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/json/scan.h"

struct buf;

/*
 * The images that one rendered template of `images` stands for: none when the text is blank, each
 * string of a JSON array ({{images}} of a row whose "images" is a list), else the whole text with
 * the space around it removed.
 */
struct image_list {
    const char *text; /* without the space around it */
    size_t len;       /* 0: nothing is left */
    bool array;
    struct json_iter iter; /* of the array */
};

/** Start on @len bytes at @text, borrowed. */
struct image_list image_list_begin(const char *text, size_t len);

/**
 * Put the next one, decoded, into @out (cleared first; NUL behind it). False at the end, with @out
 * empty. Blank elements are passed over; anything in the array but strings is handed out as it is
 * written, for the message that says it is no image. What passes the limit of @out is left out:
 * give it room for the whole text.
 */
MUST_CHECK bool image_list_next(struct image_list *list, struct buf *out);

#endif
