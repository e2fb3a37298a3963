/* The command line: argv against the table of settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/settings.h"
#include "common/base/xmem.h"

/* Where the reading stands. */
struct scan {
    const struct settings *s;
    int argc;
    char *const *argv;
    int next; /* index of the argument after the one in hand */
};

void settings_args_release(struct settings_args *args)
{
    free((void *)args->items);
    *args = (struct settings_args){0};
}

static bool taken(const struct settings *s, const struct setting *row, struct err *err)
{
    if ((row->groups & s->groups) != 0)
        return true;
    return err_set(err, ERR_USAGE, "%s does not take --%s", s->program, row->name);
}

static bool unknown_flag(const struct settings *s, const char *name, struct err *err)
{
    const struct setting *near = settings_nearest(s, name);

    if (near != NULL)
        return err_set(err, ERR_USAGE, "unknown flag --%s; did you mean --%s?", name, near->name);
    return err_set(err, ERR_USAGE, "unknown flag --%s; see %s --help", name, s->program);
}

/* The argument that follows a flag as its value; NULL when there is none. */
static const char *following(struct scan *scan)
{
    if (scan->next >= scan->argc)
        return NULL;

    /* Not another flag: "--job --wait" has forgotten the name. */
    const char *arg = scan->argv[scan->next];
    if (strncmp(arg, "--", 2) == 0)
        return NULL;
    scan->next++;
    return arg;
}

static bool set_with_value(struct scan *scan, const struct setting *row, const char *value,
                           const char *flag, struct err *err)
{
    if (value == NULL)
        value = following(scan);
    if (value == NULL)
        return err_set(err, ERR_USAGE, "%s needs a value", flag);
    return settings_set(scan->s, row, value, SETTING_FROM_FLAG, flag, err);
}

/* "--name", "--name=value", "--no-name"; @value is NULL without "=". */
static bool read_named(struct scan *scan, const char *name, const char *value, struct err *err)
{
    const struct settings *s = scan->s;
    const struct setting *row = settings_find(s, name);
    bool negated = false;

    if (row == NULL && strncmp(name, "no-", 3) == 0) {
        row = settings_find(s, name + 3);
        negated = true;
    }
    if (row == NULL)
        return unknown_flag(s, name, err);
    if (negated && row->type != SETTING_FLAG)
        return err_set(err, ERR_USAGE, "there is no --%s: --%s takes a value", name, row->name);
    if (!taken(s, row, err))
        return false;

    char flag[72];
    (void)snprintf(flag, sizeof(flag), "--%s", name);
    if (row->type != SETTING_FLAG)
        return set_with_value(scan, row, value, flag, err);
    if (value != NULL)
        return err_set(err, ERR_USAGE, "%s takes no value", flag);
    return settings_set(s, row, negated ? "false" : "true", SETTING_FROM_FLAG, flag, err);
}

static bool read_long(struct scan *scan, const char *arg, struct err *err)
{
    const char *equals = strchr(arg, '=');
    size_t len = equals != NULL ? (size_t)(equals - arg) : strlen(arg);
    char *name = xstrndup(arg + 2, len - 2);

    bool ok = read_named(scan, name, equals != NULL ? equals + 1 : NULL, err);
    free(name);
    return ok;
}

static const struct setting *find_short(const struct settings *s, char letter)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->rows[i].short_name == letter)
            return &s->rows[i];
    }
    return NULL;
}

/* "-q", "-qv", "-oFILE", "-o" and a value behind it. */
static bool read_short(struct scan *scan, const char *arg, struct err *err)
{
    for (const char *p = arg + 1; *p != '\0'; p++) {
        const struct setting *row = find_short(scan->s, *p);
        char flag[] = {'-', *p, '\0'};

        if (row == NULL)
            return err_set(err, ERR_USAGE, "unknown flag %s; see %s --help", flag,
                           scan->s->program);
        if (!taken(scan->s, row, err))
            return false;
        if (row->type != SETTING_FLAG)
            return set_with_value(scan, row, p[1] != '\0' ? p + 1 : NULL, flag, err);
        if (!settings_set(scan->s, row, "true", SETTING_FROM_FLAG, flag, err))
            return false;
    }
    return true;
}

bool settings_from_argv(const struct settings *s, int argc, char *const *argv,
                        struct settings_args *args, struct err *err)
{
    struct scan scan = {.s = s, .argc = argc, .argv = argv, .next = 1};
    struct settings_args found = {
        .items = xcalloc(argc > 0 ? (size_t)argc : 1, sizeof(*found.items)),
    };
    bool flags = true; /* until "--" */

    while (scan.next < argc) {
        const char *arg = argv[scan.next++];
        bool ok = true;

        if (!flags || arg[0] != '-' || arg[1] == '\0')
            found.items[found.count++] = arg;
        else if (strcmp(arg, "--") == 0)
            flags = false;
        else
            ok = arg[1] == '-' ? read_long(&scan, arg, err) : read_short(&scan, arg, err);
        if (!ok) {
            settings_args_release(&found);
            return false;
        }
    }
    *args = found;
    return true;
}
