#ifndef JSON_REQUEST_LINE_H
#define JSON_REQUEST_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/json/scan.h"

struct buf;

/** Longest line that can be sent, without its newline. */
#define REQUEST_LINE_MAX_BYTES 16000000

#define REQUEST_URL_MAX   127 /* bytes of a decoded url */
#define REQUEST_MODEL_MAX 255 /* bytes of a decoded model name */
#define REQUEST_WHY_SIZE  160

/** Where a line without a url goes. */
#define REQUEST_URL_PRESET "/v1/chat/completions"

/**
 * One request as OpenAI's Batch API takes it: {"custom_id","method","url","body"}.
 * The slices are borrowed from the line.
 */
struct request_line {
    struct slice custom_id;            /* raw JSON string with its quotes; len 0: none */
    struct slice body;                 /* raw JSON object */
    char url[REQUEST_URL_MAX + 1];     /* decoded */
    char model[REQUEST_MODEL_MAX + 1]; /* decoded: the body's own, or the default */
    bool has_model;                    /* the body has its own */
};

/**
 * Read one line (@len bytes without the newline). @default_model (NULL for none)
 * is for a body without a model. False when it can't be sent, with a reason for
 * people in @why: "not valid JSON at byte 17: expected a colon" (counted from 1),
 * "no body". Even then @out->custom_id is filled as request_line_custom_id() does; the rest
 * of *@out is undefined.
 */
MUST_CHECK bool request_line_parse(const char *text, size_t len, const char *default_model,
                                   struct request_line *out, char why[REQUEST_WHY_SIZE]);

/**
 * The custom_id of a line that need not be valid, or is cut: of an object's text up to where it
 * breaks. Raw JSON string with its quotes; len 0 when there is none that is a whole string.
 */
struct slice request_line_custom_id(const char *text, size_t len);

/**
 * Append `"model":"NAME",` for request_body_parts(): once for a job, not for
 * each line. False, with nothing appended, past the limit of @out.
 */
MUST_CHECK bool request_model_member(const char *default_model, struct buf *out);

/**
 * The pieces whose bytes, one behind the other, are the body to send: the user's
 * own bytes, and @model_member put behind the opening brace when the body has no
 * model. Returns how many of @parts are used (1 to 3). Nothing is copied: they
 * live as long as the line and @model_member.
 */
size_t request_body_parts(const struct request_line *line, struct slice model_member,
                          struct slice parts[3]);

#endif
