#ifndef CONFIG_YAML_READER_H
#define CONFIG_YAML_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/base/tree.h"

/*
 * libyaml for files that people write: one document, without anchors, aliases, tags, merge keys
 * and NULs. Errors are ERR_USAGE and start with "file:line:column: ". Only this folder's own.
 */

/** How deep a mapping may be read at most, whatever the caller allows. */
#define YAML_READER_DEPTH_MAX 64

/** Bytes of a key. */
#define YAML_READER_KEY_MAX 256

/** Plain data but for the parser: yaml_reader_close(). Borrows its texts. */
struct yaml_reader {
    const char *name; /* what messages call the file */
    const char *text;
    yaml_parser_t parser;
    bool document; /* one has started */
    struct err *err;
};

/** What may be in a mapping that is read. */
struct yaml_rules {
    const char *what; /* what messages call it: "providers" */
    size_t max_nodes;
    unsigned max_depth; /* up to YAML_READER_DEPTH_MAX */
    bool nulls;         /* a value may be missing, or null */
    bool secrets;       /* a key may be called api_key */
    bool exact;         /* a-b and a_b are two keys */
};

/** The whole text is there; borrowed, as is @err. ERR_INTERNAL without memory. */
MUST_CHECK bool yaml_reader_open(struct yaml_reader *r, const char *name, const char *text,
                                 size_t len, struct err *err);

void yaml_reader_close(struct yaml_reader *r);

/** The next event; the caller deletes it. False, with r->err set, for what is not allowed. */
MUST_CHECK bool yaml_reader_next(struct yaml_reader *r, yaml_event_t *event);

/**
 * Read what stands around the one mapping of a file, up to its start. *@end instead when the
 * stream ended: there is none, or it was read. Anything else but a mapping is an error.
 */
MUST_CHECK bool yaml_reader_root(struct yaml_reader *r, const char *must_be, bool *end);

/**
 * Read the inside of a mapping that has just begun, its end included, and append its nodes to
 * @out with depths from 0 on.
 */
MUST_CHECK bool yaml_reader_mapping(struct yaml_reader *r, const struct yaml_rules *rules,
                                    struct tree *out);

/** Put the place before the message in r->err; false. */
bool yaml_reader_fail(const struct yaml_reader *r, yaml_mark_t at);

/** The text of a scalar. */
const char *yaml_scalar(const yaml_event_t *event);

/** Whether a scalar stands for nothing: empty, ~ or null, without quotes. */
bool yaml_is_null(const yaml_event_t *event);

/** Whether a key names a secret: it ends in api_key or api-key. */
bool yaml_is_secret(const char *key);

/** Set the message about a key that is a merge key or a secret; false. */
bool yaml_refuse_key(struct err *err, const char *key);

#endif
