#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/base/settings.h"
#include "common/base/tree.h"

/*
 * The configuration file: one flat YAML mapping of setting names to values,
 * with dashes or underscores ("max_requests: 1000"), and one branch,
 * "providers:", that is handed out as it is. JSON is YAML too. Settings that
 * only other programs take are welcome, so that all can share one file. Other
 * nested values, anchors, aliases, tags, merge keys and secrets are refused.
 * Errors are ERR_USAGE and start with "file:line:column: ".
 */

/** A larger file is refused. */
#define CONFIG_MAX_BYTES (1u << 20)

/** More nodes under "providers:" are refused, and deeper ones. */
#define CONFIG_MAX_NODES 4096
#define CONFIG_MAX_DEPTH 8

/**
 * Read the file at @path into the rows of @s, with origin
 * SETTING_FROM_FILE, and what is under "providers:" into @providers, which must
 * be empty and is the caller's to release. ERR_USAGE also when it cannot be
 * read. On failure some fields may be set already, and @providers is empty.
 */
MUST_CHECK bool config_read_file(const struct settings *s, const char *path, struct tree *providers,
                                 struct err *err);

/** The same from memory; @name is what messages call it. */
MUST_CHECK bool config_read_text(const struct settings *s, const char *name, const char *text,
                                 size_t len, struct tree *providers, struct err *err);

#endif
