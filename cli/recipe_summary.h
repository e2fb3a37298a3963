#ifndef CLI_RECIPE_SUMMARY_H
#define CLI_RECIPE_SUMMARY_H

#include <stdbool.h>

#include "cli/verb.h"

struct enrich_report;
struct price_table;
struct recipe_rounds;

/**
 * Say how a recipe job went, to people or, with --progress json, to programs: answers, causes,
 * money, files. @output NULL: no files were written. Nothing with -q.
 */
void recipe_summary_tell(const struct invocation *call, const struct recipe_rounds *rounds,
                         const struct enrich_report *report, const struct price_table *prices,
                         const char *output, bool adopted, int exit_code);

#endif
