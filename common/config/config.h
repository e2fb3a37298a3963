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
 * with dashes or underscores ("max_requests: 1000"), and branches such as
 * "providers:" that are handed out as they are. JSON is YAML too. Settings that
 * only other programs take are welcome, so that all can share one file. Other
 * nested values, anchors, aliases, tags, merge keys and secrets are refused.
 * Errors are ERR_USAGE and start with "file:line:column: ".
 */

/** A larger file is refused. */
#define CONFIG_MAX_BYTES (1u << 20)

/** More nodes in a branch are refused, and deeper ones. */
#define CONFIG_MAX_NODES 4096
#define CONFIG_MAX_DEPTH 8

/** A key that is no setting: what is under it goes into @tree. */
struct config_branch {
    const char *name; /* "providers" */
    struct tree *tree;
};

/** Most branches that a program has. */
#define CONFIG_MAX_BRANCHES 8

/**
 * Read the file at @path into the rows of @s, with origin SETTING_FROM_FILE,
 * and what is under the names of @branches (the last one's name is NULL) into
 * their trees, which must be empty and are the caller's to release. ERR_USAGE
 * also when it cannot be read. On failure some fields may be set already, and
 * the trees are empty.
 */
MUST_CHECK bool config_read_file(const struct settings *s, const char *path,
                                 const struct config_branch *branches, struct err *err);

/** The same from memory; @name is what messages call it. */
MUST_CHECK bool config_read_text(const struct settings *s, const char *name, const char *text,
                                 size_t len, const struct config_branch *branches, struct err *err);

#endif
