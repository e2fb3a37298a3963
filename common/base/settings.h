#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/base/units.h"

/*
 * One table of rows says everything about a program's settings: flags,
 * environment, configuration file, --help and docs/settings.md come from it.
 *
 *     {.name = "lease",  -> --lease D, SHEAF_LEASE, "lease:" in sheaf.yaml
 *      .type = SETTING_DURATION,
 *      .offset = offsetof(struct options, lease_ms),
 *      .preset = "15s", .min = 1000, .value_name = "D",
 *      .groups = OPT_RUN | OPT_DAEMON,
 *      .help = "How long a process may be silent before others take over its work."},
 *
 * Secrets are never settings: they come from files or the environment.
 */

/** The type of a setting, and of its field in the target struct. */
enum setting_type {
    SETTING_STRING,   /* char *, owned; NULL when unset; never empty */
    SETTING_INT,      /* int64_t */
    SETTING_SIZE,     /* uint64_t, bytes */
    SETTING_DURATION, /* int64_t, milliseconds */
    SETTING_FLAG,     /* bool; --name and --no-name */
    SETTING_CHOICE,   /* int, index into .choices; SETTING_UNSET when unset */
};

/** Value of an unset SETTING_CHOICE. */
#define SETTING_UNSET (-1)

/** Where a value came from; a higher one wins whatever the order of reading. */
enum setting_origin {
    SETTING_FROM_DEFAULT,
    SETTING_FROM_FILE,
    SETTING_FROM_ENVIRONMENT,
    SETTING_FROM_FLAG,
};

/** Bits of setting.refuses. */
#define SETTING_NOT_IN_FILE        1u
#define SETTING_NOT_IN_ENVIRONMENT 2u
#define SETTING_ONLY_FLAG          (SETTING_NOT_IN_FILE | SETTING_NOT_IN_ENVIRONMENT)

struct setting {
    const char *name; /* "max-requests" */
    char short_name;  /* 'o' for -o; 0 for none */
    bool joins;       /* of text: a second value is added behind a comma */
    enum setting_type type;
    size_t offset;              /* of the field in the target struct */
    const char *preset;         /* default as text; NULL: unset (NULL, 0, false, SETTING_UNSET) */
    int64_t min, max;           /* of numbers that are given; max 0: no upper bound */
    const char *const *choices; /* NULL-terminated */
    const char *env;            /* NULL: SHEAF_<NAME> */
    const char *value_name;     /* in --help: "N", "FILE"; choices have none */
    const char *help;           /* one sentence */
    unsigned groups;            /* which programs and verbs take it */
    unsigned refuses;           /* SETTING_NOT_IN_*: sources that may not set it */
};

/** A name for one bit of setting.groups, for the documentation. */
struct setting_group {
    unsigned bit;
    const char *name; /* "run" */
};

/** One program's view: which rows, and where their values go. Owns nothing. */
struct settings {
    const char *program; /* "sheaf status": starts some messages */
    const struct setting *rows;
    size_t count;
    unsigned groups;        /* rows with any of these bits are taken */
    void *target;           /* the struct that .offset speaks of */
    unsigned char *origins; /* @count bytes, an enum setting_origin each */
};

/** Command line arguments that are not flags, in order; the strings are argv's own. */
struct settings_args {
    const char **items;
    size_t count;
};

/** Free what settings_from_argv() filled in. */
void settings_args_release(struct settings_args *args);

/** Set every field to its preset. Earlier strings in the target are not freed. */
void settings_defaults(const struct settings *s);

/** Free the strings in the target and set them to NULL. */
void settings_release(const struct settings *s);

/**
 * Read argv[1] onwards, GNU style: --name value, --name=value, -o FILE, -oFILE,
 * -qv, "--" ends the flags, "-" is an argument, flags may follow arguments. A
 * value that starts with "--" must be written --name=--value. ERR_USAGE with one
 * line for the user. Fills *@args (the caller releases it) on success only; on
 * failure some fields may be set already.
 */
MUST_CHECK bool settings_from_argv(const struct settings *s, int argc, char *const *argv,
                                   struct settings_args *args, struct err *err);

/** Read the variable of each row that is taken. Empty ones and unknown ones are ignored. */
MUST_CHECK bool settings_from_env(const struct settings *s, struct err *err);

/**
 * Check @text and store it in @row's field, unless a higher origin already did:
 * then it is checked only. ERR_USAGE, the message starting with @where (":" is
 * added): "--lease: \"5\" needs a unit, such as 5s".
 */
MUST_CHECK bool settings_set(const struct settings *s, const struct setting *row, const char *text,
                             enum setting_origin origin, const char *where, struct err *err);

/** The row of that name, whatever its group; dashes and underscores are the same. NULL if none. */
const struct setting *settings_find(const struct settings *s, const char *name);

/** The taken row whose name is nearest to a mistyped @name; NULL when none is near. */
const struct setting *settings_nearest(const struct settings *s, const char *name);

/** Where the value of the setting @name came from. @name must exist. */
enum setting_origin settings_origin(const struct settings *s, const char *name);

/** "default", "configuration file", "environment", "flag". */
const char *settings_origin_name(enum setting_origin origin);

/** Room for a name and its NUL. */
#define SETTING_NAME_MAX 64

/** The environment variable of @row: "SHEAF_MAX_REQUESTS". Returns @out. */
const char *settings_env_name(const struct setting *row, char out[SETTING_NAME_MAX]);

/** The key of @row in a configuration file: "max_requests". Returns @out. */
const char *settings_key_name(const struct setting *row, char out[SETTING_NAME_MAX]);

/** The limit of a number as text in the unit of @row: "1s", "100". Returns @out. */
const char *settings_format_limit(const struct setting *row, int64_t limit,
                                  char out[UNITS_TEXT_MAX]);

/** The taken rows for --help: aligned, wrapped at 80 columns, with defaults. */
void settings_print_help(FILE *out, const struct settings *s);

/** All rows as a Markdown table; @groups ends with a NULL name. */
void settings_print_markdown(FILE *out, const struct settings *s,
                             const struct setting_group *groups);

#endif
