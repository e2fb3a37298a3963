#ifndef SIMULATOR_SCRIPT_H
#define SIMULATOR_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"

struct err;

/*
 * Answers that look like a model's: rules in a file say to which question which answer fits
 * (docs/simulator.md, "Answers from a file"). An answer depends on the rules, the hash and the
 * request's text only. Read once; any number of threads may ask.
 */
struct script;

/** Read the file at @path. NULL with one line in @err; free with script_free(). */
struct script *script_load(const char *path, struct err *err);

/** NULL is fine. */
void script_free(struct script *script);

/**
 * The answer to a request with this @body (JSON, @len bytes) into @out (emptied first): the text
 * of the message, decoded. False when no rule fits.
 */
MUST_CHECK bool script_answer(const struct script *script, uint64_t hash, const char *body,
                              size_t len, struct buf *out);

#endif
