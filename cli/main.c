/* The table of verbs, and what is the same for all of them. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/verb.h"
#include "common/base/attr.h"
#include "common/base/log.h"
#include "common/base/nearest.h"

static const struct verb *const verbs[] = {
    &cmd_plan,    &cmd_run,    &cmd_submit, &cmd_status,   &cmd_list,     &cmd_watch, &cmd_wait,
    &cmd_results, &cmd_report, &cmd_audit,  &cmd_failures, &cmd_resubmit, &cmd_pause, &cmd_resume,
    &cmd_cancel,  &cmd_purge,  &cmd_doctor, &cmd_simulate, &cmd_version,
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    }
    return NULL;
}

static void print_help(FILE *out)
{
    (void)fputs("Usage: sheaf VERB [ARGUMENT]... [OPTION]...\n"
                "Binds LLM requests into remote Batch API jobs and brings every result home.\n\n",
                out);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        (void)fprintf(out, "  %-9s %s\n", verbs[i]->name, verbs[i]->summary);
    (void)fputs("\n`sheaf help VERB` says more. Most needed:\n\n"
                "  export OPENAI_API_KEY=sk-...\n"
                "  sheaf run in.jsonl -o out.jsonl\n",
                out);
}

/* --progress json, seen before the options are read: that they are wrong is an object too. */
static enum option_progress early_progress(int argc, char **argv)
{
    const char *form = getenv("SHEAF_PROGRESS"); /* NOLINT(concurrency-mt-unsafe) */

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--progress=", strlen("--progress=")) == 0)
            form = argv[i] + strlen("--progress=");
        else if (strcmp(argv[i], "--progress") == 0 && i + 1 < argc)
            form = argv[++i];
    }
    return form != NULL && strcmp(form, "json") == 0 ? PROGRESS_JSON : PROGRESS_AUTO;
}

static int unknown_verb(const struct invocation *call, const char *name)
{
    const char *names[ARRAY_LEN(verbs) + 2] = {"help"};
    char message[256];
    char hint[128];

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        names[i + 1] = verbs[i]->name;
    const char *near = nearest_of(name, names);
    (void)snprintf(message, sizeof(message), "there is no verb \"%s\"", name);
    (void)snprintf(hint, sizeof(hint), "%s%s%s", near != NULL ? "did you mean: sheaf " : "",
                   near != NULL ? near : "`sheaf --help` lists them", near != NULL ? " ?" : "");
    return verb_fail_with(call, EXIT_CODE_USAGE, message, hint);
}

static int check_args(const struct invocation *call)
{
    const struct verb *verb = call->verb;
    char message[256];
    char hint[256];

    if (call->args.count >= verb->min_args && call->args.count <= verb->max_args)
        return EXIT_CODE_OK;
    if (call->args.count < verb->min_args)
        (void)snprintf(message, sizeof(message), "an argument is missing");
    else
        (void)snprintf(message, sizeof(message), "\"%s\" is one argument too many",
                       call->args.items[verb->max_args]);
    (void)snprintf(hint, sizeof(hint), "usage: sheaf %s %s", verb->name, verb->usage);
    return verb_fail_with(call, EXIT_CODE_USAGE, message, hint);
}

static int call_verb(const struct verb *verb, int argc, char **argv)
{
    struct invocation call = {.verb = verb, .people = stderr};
    struct err err = {0};
    char program[64];

    if (verb->raw != NULL)
        return verb->raw(argc, argv);
    (void)snprintf(program, sizeof(program), "sheaf %s", verb->name);
    if (!options_load(&call.options, verb->groups, program, argc, argv, &call.args, &err)) {
        char hint[64];

        (void)snprintf(hint, sizeof(hint), "`sheaf help %s` lists the options", verb->name);
        call.options.progress = (int)early_progress(argc, argv);
        return verb_fail_with(&call, EXIT_CODE_USAGE, err.msg, hint);
    }
    int code = EXIT_CODE_OK;
    if (call.options.help) {
        verb_print_help(stdout, verb);
    } else {
        log_setup("sheaf", options_log_level(&call.options),
                  (enum log_format)call.options.log_format);
        code = check_args(&call);
        if (code == EXIT_CODE_OK)
            code = verb->run(&call);
    }
    settings_args_release(&call.args);
    options_release(&call.options);
    return code;
}

static int help(const char *name)
{
    const struct invocation call = {.people = stderr};

    if (name == NULL) {
        print_help(stdout);
        return EXIT_CODE_OK;
    }
    const struct verb *verb = find_verb(name);
    if (verb == NULL)
        return unknown_verb(&call, name);
    verb_print_help(stdout, verb);
    return EXIT_CODE_OK;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    struct invocation call = {.people = stderr};

    (void)signal(SIGPIPE, SIG_IGN); /* `sheaf list | head` ends by the error of writing */
    log_setup("sheaf", LOG_LV_INFO, LOG_FMT_TEXT);
    if (name == NULL) {
        print_help(stderr);
        return EXIT_CODE_USAGE;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return help(argc > 2 ? argv[2] : NULL);
    if (strcmp(name, "--version") == 0)
        name = "version";
    const struct verb *verb = find_verb(name);
    if (verb == NULL) {
        call.options.progress = (int)early_progress(argc, argv);
        return unknown_verb(&call, name);
    }
    int code = call_verb(verb, argc - 1, argv + 1);
    if (fflush(stdout) != 0 && code == EXIT_CODE_OK) {
        (void)fprintf(stderr, "sheaf %s: cannot write to standard output\n", verb->name);
        code = EXIT_CODE_UNAVAILABLE;
    }
    return code;
}
