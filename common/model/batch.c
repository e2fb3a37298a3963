#include "common/model/batch.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"

const char *batch_state_name(enum batch_state state)
{
    switch (state) {
    case BATCH_BUILD: return "BUILD";
    case BATCH_SUBMIT: return "SUBMIT";
    case BATCH_RUN: return "RUN";
    case BATCH_FETCH: return "FETCH";
    case BATCH_CLEAN: return "CLEAN";
    }
    return "?";
}

bool batch_state_parse(const char *name, enum batch_state *state)
{
    static const enum batch_state all[] = {BATCH_BUILD, BATCH_SUBMIT, BATCH_RUN, BATCH_FETCH,
                                           BATCH_CLEAN};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (strcmp(batch_state_name(all[i]), name) == 0) {
            *state = all[i];
            return true;
        }
    }
    return false;
}

/* One arrow a row. What is not here is not allowed. */
static const struct {
    enum batch_state from, to;
} moves[] = {
    {BATCH_BUILD,  BATCH_BUILD }, /* renewed, or put off */
    {BATCH_BUILD,  BATCH_SUBMIT}, /* uploaded: the intent */
    {BATCH_BUILD,  BATCH_FETCH }, /* cannot be sent: refused, cancelled, input changed */
    {BATCH_SUBMIT, BATCH_SUBMIT}, /* outcome still unknown */
    {BATCH_SUBMIT, BATCH_BUILD }, /* surely not created: again, with a new file */
    {BATCH_SUBMIT, BATCH_RUN   }, /* created, or found in the provider's list */
    {BATCH_SUBMIT, BATCH_FETCH }, /* refused for good */
    {BATCH_RUN,    BATCH_RUN   }, /* polled */
    {BATCH_RUN,    BATCH_SUBMIT}, /* its file was not visible yet: same file, new intent */
    {BATCH_RUN,    BATCH_BUILD }, /* its file is gone: upload again */
    {BATCH_RUN,    BATCH_FETCH }, /* ended */
    {BATCH_FETCH,  BATCH_FETCH }, /* put off */
    {BATCH_FETCH,  BATCH_CLEAN }, /* integrated */
    {BATCH_CLEAN,  BATCH_CLEAN }, /* remote deletes are tried again */
};

bool batch_may_move(enum batch_state from, enum batch_state to)
{
    for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
        if (moves[i].from == from && moves[i].to == to)
            return true;
    }
    return false;
}

void batch_move(struct batch *to, struct batch *from)
{
    *to = *from;
    from->refused = NULL;
    from->masks = NULL;
    from->masks_len = 0;
}

void batch_release(struct batch *batch)
{
    free(batch->refused);
    free(batch->masks);
    batch->refused = NULL;
    batch->masks = NULL;
    batch->masks_len = 0;
}
