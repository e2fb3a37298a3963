#ifndef JSON_RESULT_LINE_H
#define JSON_RESULT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/json/scan.h"

#define RESULT_ID_SIZE      65  /* of a custom_id, with its NUL */
#define RESULT_CODE_SIZE    64  /* of an error code, with its NUL */
#define RESULT_MESSAGE_SIZE 256 /* of an error message, with its NUL */

/**
 * One line of a provider's output or error file, as tolerant as the providers
 * are different: members in any order, id or error missing, response null,
 * status_code 0, body an object or a string. The slices are raw JSON borrowed
 * from the line; len 0 is absent or null.
 */
struct result_line {
    char custom_id[RESULT_ID_SIZE]; /* decoded; "" when missing, no string, too long or with NUL */
    struct slice id;
    struct slice response;
    struct slice error;
    int64_t status_code;       /* -1 when there is none */
    struct json_value body;    /* response.body as it is; JSON_ABSENT when there is none */
    struct json_value choices; /* body.choices, when the body is an object */
    bool body_has_error;       /* the body is an object with an "error" that is not null */

    /* Why it failed, for people and for branching; "" when nothing says so. Decoded, cut. */
    char code[RESULT_CODE_SIZE];       /* error.code, else body.error.code, else its type */
    char message[RESULT_MESSAGE_SIZE]; /* error.message, else body.error.message */

    /* From body.usage; -1 when absent. */
    int64_t prompt_tokens; /* or input_tokens */
    int64_t completion_tokens;
    int64_t cached_tokens;
    int64_t reasoning_tokens;
};

/** False, with @error (may be NULL), only when the line is not one JSON object. */
MUST_CHECK bool result_line_parse(const char *text, size_t len, struct result_line *out,
                                  struct json_error *error);

#endif
