#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/base/settings.h"

/*
 * The configuration file: one flat YAML mapping of setting names to values,
 * with dashes or underscores ("max_requests: 1000"). JSON is YAML too. Settings
 * that only other programs take are welcome, so that all can share one file.
 * Nested values, anchors, aliases, tags, merge keys and secrets are refused.
 * Errors are ERR_USAGE and start with "file:line:column: ".
 */

/** A larger file is refused. */
#define CONFIG_MAX_BYTES (1u << 20)

/**
 * Read the file at @path into the rows of @s, with origin
 * SETTING_FROM_FILE. ERR_USAGE also when it cannot be read. On failure some
 * fields may be set already.
 */
MUST_CHECK bool config_read_file(const struct settings *s, const char *path, struct err *err);

/** The same from memory; @name is what messages call it. */
MUST_CHECK bool config_read_text(const struct settings *s, const char *name, const char *text,
                                 size_t len, struct err *err);

#endif
