#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmdline.h"
#include "cli/verb.h"

static int run(int argc, char **argv)
{
    struct cmdline w = {0};
    char *const *items;

    cmdline_add_program(&w, "sheaf-simulator");
    for (int i = 1; i < argc; i++)
        cmdline_add(&w, "%s", argv[i]);
    memcpy(&items, &w.items, sizeof(items)); /* exec does not write to them, but says it might */
    (void)execvp(items[0], items);
    (void)fprintf(stderr, "sheaf simulate: cannot start %s: %s\n", items[0], strerror(errno));
    cmdline_release(&w);
    return EXIT_CODE_UNAVAILABLE;
}

const struct verb cmd_simulate = {
    .name = "simulate",
    .usage = "[--port N] [--fault NAME[=ARG]]... [OPTION]...",
    .summary = "run a Batch API for rehearsals and tests",
    .does =
        "Runs sheaf-simulator: a faithful Batch API whose answers are made up, with faults that\n"
        "you can order. `sheaf simulate --help` lists its options, docs/simulator.md the faults.",
    .exits = "0 stopped by a signal, 2 usage, 9 the port or a file cannot be used",
    .example = "sheaf simulate --port 8080 --delay 2s --fault rows-500=0.02",
    .raw = run,
};
