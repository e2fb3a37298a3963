#ifndef INPUT_SHARD_PLAN_H
#define INPUT_SHARD_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/input/window.h"
#include "common/json/request_line.h"
#include "common/model/batch.h"
#include "common/model/job_spec.h"
#include "common/tokens/tokens.h"

/**
 * The tasks of one window that are of one lane. Their bytes in a batch file are an upper bound: no
 * built file can be larger. Tokens are estimates (common/tokens/tokens.h).
 */
struct shard {
    uint32_t index;             /* number of the lane within the window, in order of appearance */
    char lane[LANE_ID_LEN + 1]; /* hash of (site, endpoint, model) */
    char label[512];            /* JSON for people: {"endpoint":...,"model":...}, cut never */
    char model[REQUEST_MODEL_MAX + 1];
    enum tokens_family family; /* of that model */
    uint32_t left;             /* tasks to send */
    uint64_t bytes, longest;   /* of these in a batch file: of all, of the longest */
    uint64_t tokens;           /* of these: input */
    uint64_t est_output;       /* of these: sum of the ceilings of those that set one */
    uint32_t open_ended;       /* of these: how many set no ceiling */
    uint64_t line_tokens,
        line_output;                 /* of these: the most input, and the highest ceiling, of one */
    uint8_t mask[MEMBER_MASK_BYTES]; /* a set bit: settled, not valid or another lane's */
};

/** One request of the window, for manifests: where it stands and what is wrong with it. */
struct planned_line {
    uint64_t number;        /* in the input, from 1 */
    struct slice custom_id; /* raw JSON with quotes, into the window's bytes; len 0: none */
    bool valid;
    char why[REQUEST_WHY_SIZE]; /* when not valid */
};

/** What becomes of a window. The same bytes and spec give the same plan on every host. */
struct shard_plan {
    struct shard *shards;
    size_t count;
    struct planned_line *lines;
    uint32_t line_count;
    uint32_t invalid;
};

/**
 * Plan @window (borrowed; its lines must outlive @plan). @settled: bits of what
 * the sink has an answer for already; NULL for none. shard_plan_release() frees.
 */
void shard_plan_make(struct shard_plan *plan, const struct job_spec *spec,
                     const struct window *window, const uint8_t *settled);
void shard_plan_release(struct shard_plan *plan);

/**
 * Whether one line of a window can be sent in the job of @spec: request_line_parse(), and no
 * longer than a request line may be. False with the reason in @why; @out->custom_id is filled even
 * then. The same line and spec give the same answer on every host.
 */
MUST_CHECK bool shard_line_parse(const struct job_spec *spec, const struct window_line *line,
                                 struct request_line *out, char why[REQUEST_WHY_SIZE]);

/** Bytes of one request in a batch file to @endpoint, its newline included. */
uint64_t shard_line_bytes(const struct request_line *line, const char *endpoint,
                          const char *default_model);

#endif
