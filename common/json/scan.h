#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct buf;

/*
 * A scanner for JSON text of any size, one line of a file above all. It checks
 * the text against RFC 8259 and strict UTF-8, hands out raw pieces of it, and
 * decodes only what is asked for. It allocates nothing and needs no NUL behind
 * the text.
 *
 * Everything the grammar allows is accepted, also what other parsers refuse:
 * lone surrogates as escapes (\ud800), \u0000, numbers of any size (1e400),
 * repeated member names (the last one counts). No byte order mark.
 */

/** Deepest nesting accepted; one array or object is one level. */
#define JSON_DEPTH_MAX 1024

/** A borrowed run of bytes; not NUL-terminated. */
struct slice {
    const char *p;
    size_t len;
};

enum json_kind {
    JSON_ABSENT = 0, /* there is no such member */
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

/** "absent", "null", "bool", "number", "string", "array", "object". */
const char *json_kind_name(enum json_kind kind);

/**
 * One value inside text that was scanned: its raw bytes, without the space
 * around it; a string has its quotes. Borrowed: lives as long as the text. All
 * zero is an absent value.
 */
struct json_value {
    enum json_kind kind;
    const char *text;
    size_t len;
};

/** Where the text stops being JSON, and a static sentence: "expected a colon". */
struct json_error {
    size_t offset; /* of the offending byte, from 0; the length when the text ends too early */
    const char *what;
};

/**
 * Check that the @len bytes at @text are one JSON value with optional space
 * around it. Fills *@root on success and *@error (may be NULL) on failure.
 */
MUST_CHECK bool json_scan(const char *text, size_t len, struct json_value *root,
                          struct json_error *error);

/**
 * The same for text that must be an object, and in the same pass look up the
 * @count members named @names; out[i] has kind JSON_ABSENT where there is none.
 * Names are compared as they decode: "b\u006fdy" is "body". On failure every
 * out[i] is absent.
 */
MUST_CHECK bool json_scan_object(const char *text, size_t len, const char *const names[],
                                 size_t count, struct json_value out[], struct json_error *error);

/**
 * The members of an object whose text may break off or go wrong somewhere: those that are whole
 * and valid before that place. Nothing when it does not begin as an object.
 */
void json_scan_prefix(const char *text, size_t len, const char *const names[], size_t count,
                      struct json_value out[]);

/*
 * The functions below take values that one of the above, or one of these,
 * handed out; they do not check the text again.
 */

/** Look up members as json_scan_object() does. All are absent when @object is not an object. */
void json_members(const struct json_value *object, const char *const names[], size_t count,
                  struct json_value out[]);

/** One member; absent when there is none or @object is not an object. */
struct json_value json_member(const struct json_value *object, const char *name);

/** A walk over the elements of an array or the members of an object. Plain data. */
struct json_iter {
    const char *p;
    const char *end;
    bool members;
};

/** Start at the first element; a walk over anything but an array or object ends at once. */
struct json_iter json_iter_begin(const struct json_value *container);

/**
 * The next element: its raw name (a JSON string; absent in arrays; @name may be
 * NULL) and its value. False, with nothing written, behind the last one.
 */
bool json_iter_next(struct json_iter *it, struct json_value *name, struct json_value *value);

/**
 * Decode a string into @out as UTF-8 with a NUL behind it; a lone surrogate
 * becomes U+FFFD. *@len (may be NULL) does not count that NUL; "\u0000" is
 * decoded too. False when @value is not a string or @cap is too small; @out is
 * then undefined.
 */
MUST_CHECK bool json_string_decode(const struct json_value *value, char *out, size_t cap,
                                   size_t *len);

/**
 * The same for text that people read: cut before the first character that does
 * not fit, NUL characters become U+FFFD. Returns the length; 0 and "" when
 * @value is not a string. @cap is at least 1.
 */
size_t json_string_decode_cut(const struct json_value *value, char *out, size_t cap);

/**
 * Decode the escape at the backslash *@p, inside a string that was checked and whose inside ends at
 * @end; *@p moves behind it, behind both of a surrogate pair. A lone surrogate is U+FFFD. Returns
 * its length in @out as UTF-8, 1 to 4 bytes.
 */
size_t json_escape_decode(const char **p, const char *end, char out[4]);

/** True for a string that decodes to @text. */
bool json_string_equals(const struct json_value *value, const char *text);

/** True for null; an absent value is not null. */
bool json_is_null(const struct json_value *value);

/** True, with *@out, for a whole number without fraction or exponent that fits. */
MUST_CHECK bool json_to_int64(const struct json_value *value, int64_t *out);

/**
 * Append @len bytes of text as a JSON string with its quotes. UTF-8 passes
 * through, control characters are escaped, a byte that is not UTF-8 becomes
 * U+FFFD. False, with nothing appended, past the limit of @out.
 */
MUST_CHECK bool json_string_encode(struct buf *out, const char *text, size_t len);

#endif
