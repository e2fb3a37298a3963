#ifndef CLI_VERB_H
#define CLI_VERB_H

#include <stddef.h>
#include <stdio.h>

#include "cli/core/exit_code.h"
#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/config/options.h"

struct verb;

/** One call of a verb: its settings and arguments. Everything is borrowed from main(). */
struct invocation {
    const struct verb *verb; /* NULL: `sheaf` itself */
    struct options options;
    struct settings_args args;
    FILE *people; /* where messages for people go: standard error, wherever the log goes */
};

/** One command of `sheaf`. */
struct verb {
    const char *name;    /* "status" */
    const char *usage;   /* "[JOB]": what comes after the name */
    const char *summary; /* for the list of verbs */
    const char *does;    /* what it does, in two sentences */
    const char *exits;   /* exit codes that matter here */
    const char *example;
    unsigned groups;           /* of settings; 0: @raw reads the arguments itself */
    size_t min_args, max_args; /* that are not flags */
    int (*run)(struct invocation *call);
    int (*raw)(int argc, char **argv);
};

/* One file each: cli/cmd_<name>.c */
extern const struct verb cmd_run;
extern const struct verb cmd_submit;
extern const struct verb cmd_status;
extern const struct verb cmd_list;
extern const struct verb cmd_watch;
extern const struct verb cmd_wait;
extern const struct verb cmd_results;
extern const struct verb cmd_report;
extern const struct verb cmd_audit;
extern const struct verb cmd_failures;
extern const struct verb cmd_resubmit;
extern const struct verb cmd_plan;
extern const struct verb cmd_pause;
extern const struct verb cmd_resume;
extern const struct verb cmd_cancel;
extern const struct verb cmd_purge;
extern const struct verb cmd_doctor;
extern const struct verb cmd_simulate;
extern const struct verb cmd_version;

/** Print all there is to say about @verb. */
void verb_print_help(FILE *out, const struct verb *verb);

/**
 * Say that the call failed, and why: "sheaf run: message", then @hint if it is not
 * NULL; with --progress json as one object. Returns the exit code of @err.
 */
int verb_fail(const struct invocation *call, const struct err *err, const char *hint);

/** The same with words and a code of the caller's own. */
int verb_fail_with(const struct invocation *call, enum exit_code code, const char *message,
                   const char *hint);

/** Argument number @i that is not a flag; NULL when there are fewer. */
const char *verb_arg(const struct invocation *call, size_t i);

#endif
