#ifndef SIMULATOR_LINE_H
#define SIMULATOR_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"

/** Borrowed bytes. @p NULL: the member is not there. */
struct slice {
    const char *p;
    size_t n;
};

/**
 * One request line, each member as the JSON text it has in the line (strings
 * with their quotes). Of a repeated member the last counts.
 */
struct line {
    struct slice custom_id, method, url, body;
    /* members of the body, when it is an object */
    struct slice model, messages, input, prompt, stream;
    struct slice sim_answer, sim_status, sim_raw_content;
};

/**
 * Read @len bytes as one JSON object (RFC 8259, UTF-8, at most LINE_DEPTH_MAX
 * levels). False when they are not one. The slices point into @text.
 */
MUST_CHECK bool line_scan(const char *text, size_t len, struct line *out);

#define LINE_DEPTH_MAX 2048

/** Whether @s is a JSON string. */
bool slice_is_string(struct slice s);

/** Whether @s is a JSON string that means exactly @text; escapes count as what they stand for. */
bool slice_means(struct slice s, const char *text);

/** What is between the quotes of the JSON string @s, as written there. */
struct slice slice_inside(struct slice s);

/** The JSON string @s decoded into @out (emptied first). Lone surrogates become U+FFFD. */
void slice_decode(struct slice s, struct buf *out);

/** FNV-1a of what the JSON string @s stands for. @scratch is used when it has escapes. */
uint64_t slice_hash(struct slice s, struct buf *scratch);

/** Elements of the JSON array @s when they are strings or arrays; else 1. */
size_t slice_count_inputs(struct slice s);

#endif
