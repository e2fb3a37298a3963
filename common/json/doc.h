#ifndef JSON_DOC_H
#define JSON_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/json/scan.h"

struct json_object; /* of json-c */

/*
 * Whole documents of up to some MB, such as a provider's answer: parsed once, then
 * asked. @path is a member's name or several joined by dots ("request_counts.total"),
 * NULL for @obj itself. A NULL @obj, a missing member, null, and a value of another
 * type are the same to the functions below: there is nothing.
 */

/**
 * Parse one strict JSON text (RFC 8259, UTF-8, nesting up to JSON_DEPTH_MAX).
 * ERR_PERMANENT says where it is broken. The caller frees *@out with doc_free().
 */
MUST_CHECK bool doc_parse(const char *text, size_t len, struct json_object **out, struct err *err);

/** Free what doc_parse() gave. NULL is fine. */
void doc_free(struct json_object *doc);

/** What is at @path; JSON_ABSENT when there is no such member. */
enum json_kind doc_kind(const struct json_object *obj, const char *path);

/** The value at @path, borrowed from @obj; NULL when there is none, or null. */
struct json_object *doc_member(const struct json_object *obj, const char *path);

/** The text at @path, borrowed from @obj; NULL when it is no string, or empty. */
const char *doc_string(const struct json_object *obj, const char *path);

/** The same, but "" is returned as it is. */
const char *doc_string_or_empty(const struct json_object *obj, const char *path);

/** The whole number at @path; @preset when it is none, or does not fit. */
int64_t doc_int(const struct json_object *obj, const char *path, int64_t preset);

/** The number at @path; @preset when it is none. */
double doc_real(const struct json_object *obj, const char *path, double preset);

/** The truth at @path; @preset when it is neither true nor false. */
bool doc_bool(const struct json_object *obj, const char *path, bool preset);

/** Elements of the array at @path; 0 when it is no array. */
size_t doc_count(const struct json_object *obj, const char *path);

/** Element @i of the array at @path, borrowed; NULL when there is none, or null. */
struct json_object *doc_at(const struct json_object *obj, const char *path, size_t i);

/**
 * The value at @path as compact JSON text, borrowed from @obj until the next
 * call for it; NULL when there is nothing.
 */
const char *doc_text(struct json_object *obj, const char *path);

#endif
