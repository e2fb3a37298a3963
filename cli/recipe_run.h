#ifndef CLI_RECIPE_RUN_H
#define CLI_RECIPE_RUN_H

#include "cli/verb.h"

/** `sheaf run` with a recipe, or with a configuration file of the older format. */
int recipe_run(struct invocation *call);

#endif
