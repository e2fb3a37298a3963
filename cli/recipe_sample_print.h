#ifndef CLI_RECIPE_SAMPLE_PRINT_H
#define CLI_RECIPE_SAMPLE_PRINT_H

#include "common/base/buf.h"
#include "common/json/scan.h"

struct recipe;
struct sample_row;

/**
 * One row of a sample for people: its number and why it was chosen, the row itself (long ones cut),
 * and each answer with what became of it. @answered: the same row as OUTPUT has it.
 */
void recipe_sample_print(const struct recipe *recipe, const struct sample_row *row,
                         const struct json_value *input, const struct json_value *answered,
                         struct buf *out);

#endif
