#ifndef CLI_RECIPE_SAMPLE_H
#define CLI_RECIPE_SAMPLE_H

#include "cli/verb.h"

struct recipe_given;

/**
 * `sheaf run --sample N`: try the recipe on some rows, as a job of its own in a folder of its own
 * that goes away with it, and print the rows with their answers on standard output. Returns the
 * exit code.
 */
int recipe_sample_run(struct invocation *call, const struct recipe_given *given);

#endif
