#ifndef CLI_PLAN_SPREAD_H
#define CLI_PLAN_SPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/json/scan.h"

/*
 * A few of many, spread over all of them, when it is not known before how many there are. The
 * distance between those that are kept doubles whenever there is no room for more, so at any time
 * they are evenly spread. Pure.
 */

/** Prompts that a plan shows. */
#define PLAN_PROMPTS 5

/** So many are held: between as many and half as many once there were enough. */
#define PLAN_SPREAD_MAX 10

/** Bytes of a prompt that are kept and shown. */
#define PLAN_PROMPT_BYTES 1500

/** One that is kept. */
struct plan_sample {
    uint64_t row;  /* its first, from 0 */
    uint64_t rows; /* how many it asks about */
    char *system;  /* owned; the beginnings, cut between characters */
    char *prompt;
    uint64_t system_len, prompt_len; /* of the whole */
};

struct plan_spread {
    struct plan_sample kept[PLAN_SPREAD_MAX];
    size_t count;
    uint64_t seen;
    uint64_t stride; /* 0 is 1 */
};

/** Count one more. True when it is to be kept: then plan_spread_keep() follows. */
MUST_CHECK bool plan_spread_wants(struct plan_spread *s);

/**
 * Keep it: the request about @rows rows from row @row on. The texts are UTF-8, and are copied as
 * far as they are shown.
 */
void plan_spread_keep(struct plan_spread *s, uint64_t row, uint64_t rows, struct slice system,
                      struct slice prompt);

/** Number @i of @n that are spread over those kept, from the first to the last; NULL: none is. */
const struct plan_sample *plan_spread_pick(const struct plan_spread *s, size_t i, size_t n);

/** Free what it owns. */
void plan_spread_release(struct plan_spread *s);

#endif
