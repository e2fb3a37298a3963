#ifndef MERGE_INPUTS_H
#define MERGE_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

struct sink;

/**
 * What one part is merged from, in one generation. Whoever publishes the list first
 * decides: all later merges and audits of it take the same files, whatever comes to
 * the sink afterwards. inputs_release() frees.
 */
struct inputs {
    uint32_t windows; /* in the part */
    bool cancelled;   /* tasks without evidence are errors, not holes */
    char **names;     /* of segments and evidence, without the folder, in byte order */
    size_t count;
};

void inputs_release(struct inputs *inputs);

/** The files that @part has now. */
MUST_CHECK bool inputs_list(struct sink *sink, uint32_t part, struct inputs *out, struct err *err);

/** The list that was published in @generation, if there is one: *@found. */
MUST_CHECK bool inputs_load(struct sink *sink, uint32_t part, uint32_t generation,
                            struct inputs *out, bool *found, struct err *err);

/** Publish @inputs; *@same is false when another list was first. */
MUST_CHECK bool inputs_publish(struct sink *sink, uint32_t part, uint32_t generation,
                               const struct inputs *inputs, bool *same, struct err *err);

/** True for the name of a segment, false for evidence. */
bool inputs_is_segment(const char *name);

#endif
