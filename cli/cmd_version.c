#include <event2/event.h>
#include <stdio.h>

#include "cli/verb.h"

static int run(struct invocation *call)
{
    (void)call;
    (void)printf("sheaf %s\nlibevent %s (%s)\n", SHEAF_VERSION, event_get_version(),
                 event_get_supported_methods()[0]);
    return EXIT_CODE_OK;
}

const struct verb cmd_version = {
    .name = "version",
    .usage = "",
    .summary = "print the version",
    .does = "Prints the version of Sheaf and of what it runs on.",
    .exits = "0",
    .example = "sheaf version",
    .groups = OPT_COMMON,
    .run = run,
};
