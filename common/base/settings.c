#include "common/base/settings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/log.h"
#include "common/base/nearest.h"
#include "common/base/units.h"
#include "common/base/xmem.h"

/* A checked value before it is stored; @string is borrowed. */
struct value {
    const char *string;
    int64_t number; /* also sizes */
    bool flag;
    int choice;
};

static bool parse_flag(const char *text, bool *out, struct err *err)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *out = i % 2 == 1;
            return true;
        }
    }
    return err_set(err, ERR_USAGE, "\"%s\" is not true or false", text);
}

static bool parse_choice(const struct setting *row, const char *text, int *out, struct err *err)
{
    char list[128] = "";
    size_t used = 0;

    for (int i = 0; row->choices[i] != NULL; i++) {
        if (strcmp(text, row->choices[i]) == 0) {
            *out = i;
            return true;
        }
        int n =
            snprintf(list + used, sizeof(list) - used, "%s%s", i > 0 ? ", " : "", row->choices[i]);
        if (n > 0 && used + (size_t)n < sizeof(list))
            used += (size_t)n;
    }
    return err_set(err, ERR_USAGE, "\"%s\" is not one of %s", text, list);
}

static bool parse_size(const char *text, int64_t *out, struct err *err)
{
    uint64_t size = 0;

    if (!units_parse_size(text, &size, err))
        return false;
    *out = (int64_t)size; /* the parser stops at INT64_MAX */
    return true;
}

static bool parse_value(const struct setting *row, const char *text, struct value *v,
                        struct err *err)
{
    if (text[0] == '\0')
        return err_set(err, ERR_USAGE, "the value is empty");

    switch (row->type) {
    case SETTING_STRING: v->string = text; return true;
    case SETTING_INT: return units_parse_count(text, &v->number, err);
    case SETTING_SIZE: return parse_size(text, &v->number, err);
    case SETTING_DURATION: return units_parse_duration(text, &v->number, err);
    case SETTING_FLAG: return parse_flag(text, &v->flag, err);
    case SETTING_CHOICE: return parse_choice(row, text, &v->choice, err);
    }
    return err_set(err, ERR_INTERNAL, "setting %s has no type", row->name);
}

const char *settings_format_limit(const struct setting *row, int64_t limit,
                                  char out[UNITS_TEXT_MAX])
{
    if (row->type == SETTING_DURATION)
        return units_format_duration(limit, out);
    if (row->type == SETTING_SIZE)
        return units_format_size((uint64_t)limit, out);
    (void)snprintf(out, UNITS_TEXT_MAX, "%lld", (long long)limit);
    return out;
}

static bool check_range(const struct setting *row, const char *text, int64_t n, struct err *err)
{
    char limit[UNITS_TEXT_MAX];

    if (row->type != SETTING_INT && row->type != SETTING_SIZE && row->type != SETTING_DURATION)
        return true;
    if (n < row->min)
        return err_set(err, ERR_USAGE, "\"%s\" is too small, the least is %s", text,
                       settings_format_limit(row, row->min, limit));
    if (row->max != 0 && n > row->max)
        return err_set(err, ERR_USAGE, "\"%s\" is too large, the most is %s", text,
                       settings_format_limit(row, row->max, limit));
    return true;
}

static void *field(const struct settings *s, const struct setting *row)
{
    return (char *)s->target + row->offset;
}

static void store_text(char **field, const char *text, bool joins)
{
    char *old = *field;

    if (joins && old != NULL && text != NULL) {
        size_t size = strlen(old) + strlen(text) + 2;

        *field = xcalloc(size, 1);
        (void)snprintf(*field, size, "%s,%s", old, text);
    } else {
        *field = xstrdup(text);
    }
    free(old);
}

static void store(const struct settings *s, const struct setting *row, const struct value *v)
{
    void *p = field(s, row);

    switch (row->type) {
    case SETTING_STRING: store_text(p, v->string, row->joins); break;
    case SETTING_INT:
    case SETTING_DURATION: *(int64_t *)p = v->number; break;
    case SETTING_SIZE: *(uint64_t *)p = (uint64_t)v->number; break;
    case SETTING_FLAG: *(bool *)p = v->flag; break;
    case SETTING_CHOICE: *(int *)p = v->choice; break;
    }
}

bool settings_set(const struct settings *s, const struct setting *row, const char *text,
                  enum setting_origin origin, const char *where, struct err *err)
{
    struct value v = {0};

    if (!parse_value(row, text, &v, err) || !check_range(row, text, v.number, err))
        return err_wrap(err, "%s", where);

    unsigned char *old = &s->origins[row - s->rows];
    if ((unsigned char)origin >= *old) {
        store(s, row, &v);
        *old = (unsigned char)origin;
    }
    return true;
}

void settings_defaults(const struct settings *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct setting *row = &s->rows[i];
        struct value v = {.choice = SETTING_UNSET};
        struct err err = {0};

        if (row->type == SETTING_STRING)
            *(char **)field(s, row) = NULL;
        if (row->preset != NULL && !parse_value(row, row->preset, &v, &err))
            log_fatal("ev=bad_preset setting=%s why=%s", row->name, log_text(err.msg));
        store(s, row, &v);
        s->origins[i] = SETTING_FROM_DEFAULT;
    }
}

void settings_release(const struct settings *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->rows[i].type != SETTING_STRING)
            continue;
        char **string = field(s, &s->rows[i]);
        free(*string);
        *string = NULL;
    }
}

static const char *replace_dashes(char *name)
{
    for (char *p = strchr(name, '-'); p != NULL; p = strchr(p, '-'))
        *p = '_';
    return name;
}

const char *settings_key_name(const struct setting *row, char out[SETTING_NAME_MAX])
{
    (void)snprintf(out, SETTING_NAME_MAX, "%s", row->name);
    return replace_dashes(out);
}

static char upper(char c)
{
    return (char)toupper((unsigned char)c);
}

const char *settings_env_name(const struct setting *row, char out[SETTING_NAME_MAX])
{
    (void)snprintf(out, SETTING_NAME_MAX, "SHEAF_%s", row->name);
    for (char *p = out; *p != '\0'; p++)
        *p = upper(*p);
    if (row->env != NULL)
        (void)snprintf(out, SETTING_NAME_MAX, "%s", row->env);
    return replace_dashes(out);
}

bool settings_from_env(const struct settings *s, struct err *err)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct setting *row = &s->rows[i];
        char name[SETTING_NAME_MAX];

        if ((row->groups & s->groups) == 0 || (row->refuses & SETTING_NOT_IN_ENVIRONMENT) != 0)
            continue;
        /* Programs have one thread when they read their settings. */
        const char *text = getenv(settings_env_name(row, name)); /* NOLINT(concurrency-mt-unsafe) */
        if (text == NULL || text[0] == '\0')
            continue;
        if (!settings_set(s, row, text, SETTING_FROM_ENVIRONMENT, name, err))
            return false;
    }
    return true;
}

const struct setting *settings_find(const struct settings *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++) {
        if (nearest_same(s->rows[i].name, name))
            return &s->rows[i];
    }
    return NULL;
}

const struct setting *settings_nearest(const struct settings *s, const char *name)
{
    struct nearest n = {.word = name};
    const struct setting *nearest = NULL;

    for (size_t i = 0; i < s->count; i++) {
        const struct setting *row = &s->rows[i];

        if ((row->groups & s->groups) != 0 && nearest_look(&n, row->name))
            nearest = row;
    }
    return nearest;
}

enum setting_origin settings_origin(const struct settings *s, const char *name)
{
    const struct setting *row = settings_find(s, name);

    if (row == NULL)
        log_fatal("ev=no_such_setting name=%s", name);
    return (enum setting_origin)s->origins[row - s->rows];
}

const char *settings_origin_name(enum setting_origin origin)
{
    switch (origin) {
    case SETTING_FROM_DEFAULT: return "default";
    case SETTING_FROM_FILE: return "configuration file";
    case SETTING_FROM_ENVIRONMENT: return "environment";
    case SETTING_FROM_FLAG: return "flag";
    }
    return "unknown";
}
