#ifndef RECIPE_ANSWER_INTERNAL_H
#define RECIPE_ANSWER_INTERNAL_H

/* Between the files of answer.h. */

#include "common/recipe/answer.h"

/** A JSON value that has been read. */
struct answer_value {
    struct json_value root;
    struct repaired done;
};

/**
 * The value that @content is, as strict JSON or mended in scratch->fixed, which is empty; several
 * objects are taken as a list for a @pack. False with @why when it is none.
 */
MUST_CHECK bool answer_read(const struct answer_rule *rule, const struct answer_content *content,
                            struct answer_scratch *scratch, bool pack, struct answer_value *out,
                            char why[WHY_MAX]);

/** Judge @value, compact JSON; out->repairs has been set. */
void answer_settle(const struct answer_rule *rule, const struct json_value *value,
                   struct answer *out);

/** Make it INVALID; why has been set. */
void answer_invalid(struct answer *out);

/** Put before why it is not valid that the output was cut off, if it was. */
void answer_say_cut(const struct answer_content *content, char why[WHY_MAX]);

#endif
