#include "common/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/nearest.h"
#include "common/base/xmem.h"
#include "common/config/yaml_reader.h"

struct reader {
    struct settings s; /* with all groups: other programs' keys are known, too */
    struct yaml_reader yaml;
    size_t *lines; /* of each row: where it was set, from 1; 0: not yet */
    const struct config_branch *branches;
    size_t branch_lines[CONFIG_MAX_BRANCHES]; /* the same of each branch */
    struct err *err;
};

static bool unknown_key(const struct reader *r, const char *key)
{
    const struct setting *near = settings_nearest(&r->s, key);
    struct nearest n = {.word = key};
    const char *branch = NULL;
    char name[SETTING_NAME_MAX];

    if (near != NULL)
        (void)nearest_look(&n, near->name);
    if (strcmp(key, "<<") == 0 || yaml_is_secret(key))
        return yaml_refuse_key(r->err, key);
    for (const struct config_branch *b = r->branches; b->name != NULL; b++) {
        if (nearest_look(&n, b->name))
            branch = b->name;
    }
    if (branch != NULL)
        return err_set(r->err, ERR_USAGE, "unknown key \"%s\"; did you mean \"%s\"?", key, branch);
    if (near == NULL || (near->refuses & SETTING_NOT_IN_FILE) != 0)
        return err_set(r->err, ERR_USAGE, "unknown key \"%s\"", key);
    return err_set(r->err, ERR_USAGE, "unknown key \"%s\"; did you mean \"%s\"?", key,
                   settings_key_name(near, name));
}

/* False when that key was there before. */
static bool is_new(const struct reader *r, const char *key, size_t *line, yaml_mark_t at)
{
    if (*line != 0)
        return err_set(r->err, ERR_USAGE, "duplicate key \"%s\", first in line %zu", key, *line);
    *line = at.line + 1;
    return true;
}

/* The row of the key in @event, not seen before; NULL with r->err set. */
static const struct setting *find_row(struct reader *r, const yaml_event_t *event)
{
    const char *key = yaml_scalar(event);
    const struct setting *row = settings_find(&r->s, key);

    if (row == NULL) {
        (void)unknown_key(r, key);
        return NULL;
    }
    if ((row->refuses & SETTING_NOT_IN_FILE) != 0) {
        (void)err_set(r->err, ERR_USAGE, "\"%s\" cannot be set in a file, only as --%s", key,
                      row->name);
        return NULL;
    }
    return is_new(r, key, &r->lines[row - r->s.rows], event->start_mark) ? row : NULL;
}

static bool read_value(struct reader *r, const struct setting *row)
{
    yaml_event_t event;
    char name[SETTING_NAME_MAX];

    if (!yaml_reader_next(&r->yaml, &event))
        return false;
    (void)settings_key_name(row, name);

    bool ok = false;
    if (event.type != YAML_SCALAR_EVENT)
        (void)err_set(r->err, ERR_USAGE, "%s: needs one value, not a %s", name,
                      event.type == YAML_SEQUENCE_START_EVENT ? "list" : "mapping");
    else if (yaml_is_null(&event))
        (void)err_set(r->err, ERR_USAGE, "%s: has no value", name);
    else
        ok = settings_set(&r->s, row, yaml_scalar(&event), SETTING_FROM_FILE, name, r->err);
    if (!ok)
        (void)yaml_reader_fail(&r->yaml, event.start_mark);
    yaml_event_delete(&event);
    return ok;
}

static bool read_branch(struct reader *r, const struct config_branch *branch,
                        const yaml_event_t *key)
{
    const struct yaml_rules rules = {
        .what = branch->name, .max_nodes = CONFIG_MAX_NODES, .max_depth = CONFIG_MAX_DEPTH};
    size_t *line = &r->branch_lines[branch - r->branches];
    yaml_event_t event;

    if (!is_new(r, branch->name, line, key->start_mark))
        return yaml_reader_fail(&r->yaml, key->start_mark);
    if (!yaml_reader_next(&r->yaml, &event))
        return false;
    bool mapping = event.type == YAML_MAPPING_START_EVENT;
    if (!mapping) {
        (void)err_set(r->err, ERR_USAGE, "%s: needs a mapping of names", branch->name);
        (void)yaml_reader_fail(&r->yaml, event.start_mark);
    }
    yaml_event_delete(&event);
    if (!mapping)
        return false;
    branch->tree->name = xstrdup(r->yaml.name);
    return yaml_reader_mapping(&r->yaml, &rules, branch->tree);
}

/* ---- the whole ---- */

static bool read_setting(struct reader *r, const yaml_event_t *key)
{
    const struct setting *row = find_row(r, key);

    return row != NULL ? read_value(r, row) : yaml_reader_fail(&r->yaml, key->start_mark);
}

/* What belongs to the key in @event. */
static bool read_key(struct reader *r, const yaml_event_t *event)
{
    if (event->type != YAML_SCALAR_EVENT) {
        (void)err_set(r->err, ERR_USAGE, "a key must be the name of a setting");
        return yaml_reader_fail(&r->yaml, event->start_mark);
    }
    for (const struct config_branch *b = r->branches; b->name != NULL; b++) {
        if (strcmp(yaml_scalar(event), b->name) == 0)
            return read_branch(r, b, event);
    }
    return read_setting(r, event);
}

static bool read_mapping(struct reader *r)
{
    for (;;) {
        yaml_event_t event;

        if (!yaml_reader_next(&r->yaml, &event))
            return false;
        bool end = event.type == YAML_MAPPING_END_EVENT;
        bool ok = end || read_key(r, &event);
        yaml_event_delete(&event);
        if (end || !ok)
            return ok;
    }
}

static bool read_stream(struct reader *r)
{
    for (;;) {
        bool end;

        if (!yaml_reader_root(&r->yaml, "the file must be one mapping of settings", &end))
            return false;
        if (end)
            return true;
        if (!read_mapping(r))
            return false;
    }
}

bool config_read_text(const struct settings *s, const char *name, const char *text, size_t len,
                      const struct config_branch *branches, struct err *err)
{
    struct reader r = {.s = *s, .branches = branches, .err = err};

    if (len > CONFIG_MAX_BYTES)
        return err_set(err, ERR_USAGE, "%s: larger than 1 MiB", name);
    if (!yaml_reader_open(&r.yaml, name, text, len, err))
        return false;
    r.s.groups = ~0U;
    r.lines = xcalloc(s->count, sizeof(*r.lines));

    bool ok = read_stream(&r);

    for (size_t i = 0; !ok && branches[i].name != NULL; i++)
        tree_release(branches[i].tree);
    free(r.lines);
    yaml_reader_close(&r.yaml);
    return ok;
}

bool config_read_file(const struct settings *s, const char *path,
                      const struct config_branch *branches, struct err *err)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return err_set(err, ERR_USAGE, "%s: cannot be opened: %s", path, strerrordesc_np(errno));

    char *text = xcalloc(CONFIG_MAX_BYTES + 1, 1);
    size_t len = fread(text, 1, CONFIG_MAX_BYTES + 1, f);
    bool ok = ferror(f) != 0
                  ? err_set(err, ERR_USAGE, "%s: cannot be read: %s", path, strerrordesc_np(errno))
                  : config_read_text(s, path, text, len, branches, err);
    free(text);
    (void)fclose(f);
    return ok;
}
