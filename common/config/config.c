#include "common/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "common/base/nearest.h"
#include "common/base/xmem.h"

/* The key whose value is handed out as it is. */
static const char branch[] = "providers";

struct reader {
    struct settings s; /* with all groups: other programs' keys are known, too */
    const char *name;
    const char *text;
    yaml_parser_t parser;
    bool document;      /* one has started */
    size_t *lines;      /* of each row: where it was set, from 1; 0: not yet */
    size_t branch_line; /* where "providers" was set, from 1; 0: not yet */
    struct tree *providers;
    struct err *err;
};

/* Put the place before the message in r->err. */
static bool fail_at(const struct reader *r, yaml_mark_t at)
{
    (void)err_wrap(r->err, "%s:%zu:%zu", r->name, at.line + 1, at.column + 1);
    return err_one_line(r->err);
}

/* libyaml gives only an offset for bytes that are not text. */
static yaml_mark_t mark_of_offset(const struct reader *r, size_t offset)
{
    yaml_mark_t mark = {.index = offset};

    for (size_t i = 0; i < offset; i++) {
        mark.column++;
        if (r->text[i] == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return mark;
}

static bool syntax_error(const struct reader *r)
{
    const char *problem = r->parser.problem != NULL ? r->parser.problem : "not valid YAML";

    (void)err_set(r->err, ERR_USAGE, "%s", problem);
    if (r->parser.error == YAML_READER_ERROR)
        return fail_at(r, mark_of_offset(r, r->parser.problem_offset));
    return fail_at(r, r->parser.problem_mark);
}

/* Why @event is not for a configuration file, or NULL. */
static const char *refused(const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    if (event->type == YAML_ALIAS_EVENT)
        return "aliases (*) are not allowed";
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        if (memchr(event->data.scalar.value, '\0', event->data.scalar.length) != NULL)
            return "text with a NUL is not allowed";
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor != NULL)
        return "anchors (&) are not allowed";
    return tag != NULL ? "tags (!) are not allowed" : NULL;
}

/* On success the caller deletes *@event. */
static bool next_event(struct reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event) == 0)
        return syntax_error(r);

    const char *why = refused(event);
    if (why == NULL)
        return true;
    (void)err_set(r->err, ERR_USAGE, "%s", why);
    (void)fail_at(r, event->start_mark);
    yaml_event_delete(event);
    return false;
}

static const char *scalar_text(const yaml_event_t *event)
{
    return (const char *)event->data.scalar.value;
}

static bool is_secret(const char *key)
{
    size_t len = strlen(key);

    return len >= 7 &&
           (strcmp(key + len - 7, "api_key") == 0 || strcmp(key + len - 7, "api-key") == 0);
}

static bool unknown_key(const struct reader *r, const char *key)
{
    const struct setting *near = settings_nearest(&r->s, key);
    struct nearest n = {.word = key};
    char name[SETTING_NAME_MAX];

    if (near != NULL)
        (void)nearest_look(&n, near->name);
    if (strcmp(key, "<<") == 0)
        return err_set(r->err, ERR_USAGE, "merge keys (<<) are not allowed");
    if (is_secret(key))
        return err_set(
            r->err, ERR_USAGE,
            "\"%s\": a configuration file may not hold a secret; use api_key_file or the "
            "environment",
            key);
    if (nearest_look(&n, branch))
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
    const char *key = scalar_text(event);
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

static bool is_null(const yaml_event_t *event)
{
    const char *text = scalar_text(event);

    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static bool read_value(struct reader *r, const struct setting *row)
{
    yaml_event_t event;
    char name[SETTING_NAME_MAX];

    if (!next_event(r, &event))
        return false;
    (void)settings_key_name(row, name);

    bool ok = false;
    if (event.type != YAML_SCALAR_EVENT)
        (void)err_set(r->err, ERR_USAGE, "%s: needs one value, not a %s", name,
                      event.type == YAML_SEQUENCE_START_EVENT ? "list" : "mapping");
    else if (is_null(&event))
        (void)err_set(r->err, ERR_USAGE, "%s: has no value", name);
    else
        ok = settings_set(&r->s, row, scalar_text(&event), SETTING_FROM_FILE, name, r->err);
    if (!ok)
        (void)fail_at(r, event.start_mark);
    yaml_event_delete(&event);
    return ok;
}

/* ---- the branch ---- */

/* One node is read: @event is its value or begins it. The key is @key, from @at; "" in a list. */
static bool add_node(struct reader *r, unsigned depth, const char *key, yaml_mark_t at,
                     const yaml_event_t *event)
{
    bool scalar = event->type == YAML_SCALAR_EVENT;
    struct tree_node node = {.depth = depth};

    if (r->providers->count == CONFIG_MAX_NODES || depth == CONFIG_MAX_DEPTH)
        return err_set(r->err, ERR_USAGE, "too much is nested here");
    if (scalar && is_null(event))
        return err_set(r->err, ERR_USAGE, "%s: has no value", key[0] != '\0' ? key : branch);
    if (scalar || key[0] == '\0')
        at = event->start_mark;
    node.line = at.line + 1;
    node.column = at.column + 1;
    node.key = xstrdup(key);
    node.value = scalar ? xstrdup(scalar_text(event)) : NULL;
    tree_add(r->providers, &node);
    free(node.key);
    free(node.value);
    return true;
}

/* The key of a mapping, that must not be among its nodes from @first on; the caller frees *@key. */
static bool take_key(struct reader *r, const yaml_event_t *event, size_t first, unsigned depth,
                     char **key)
{
    const char *text = event->type == YAML_SCALAR_EVENT ? scalar_text(event) : "";

    if (text[0] == '\0')
        return err_set(r->err, ERR_USAGE, "a key must be a word");
    if (strcmp(text, "<<") == 0 || is_secret(text))
        return unknown_key(r, text);
    for (size_t i = first; i < r->providers->count; i++) {
        const struct tree_node *node = &r->providers->nodes[i];

        if (node->depth == depth && nearest_same(node->key, text))
            return err_set(r->err, ERR_USAGE, "duplicate key \"%s\", first in line %zu", text,
                           node->line);
    }
    *key = xstrdup(text);
    return true;
}

/* One open level: a mapping or a list, and its first node. */
struct level {
    bool mapping;
    size_t first;
};

/* What a step over one node came to. */
enum step { STEP_FAILED, STEP_VALUE, STEP_MAPPING, STEP_LIST, STEP_END };

static enum step step_of(const yaml_event_t *event)
{
    if (event->type == YAML_MAPPING_START_EVENT)
        return STEP_MAPPING;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return STEP_LIST;
    return event->type == YAML_SCALAR_EVENT ? STEP_VALUE : STEP_END;
}

/* The value of @key, from @at. */
static enum step read_node_value(struct reader *r, unsigned depth, const char *key, yaml_mark_t at)
{
    yaml_event_t event;

    if (!next_event(r, &event))
        return STEP_FAILED;
    bool ok = add_node(r, depth, key, at, &event);
    if (!ok)
        (void)fail_at(r, event.start_mark);
    enum step step = ok ? step_of(&event) : STEP_FAILED;
    yaml_event_delete(&event);
    return step;
}

/* The next node of @level: in a list its value, in a mapping key and value. */
static enum step read_node(struct reader *r, const struct level *level, unsigned depth)
{
    yaml_event_t event;
    char *key = NULL;

    if (!next_event(r, &event))
        return STEP_FAILED;
    yaml_mark_t at = event.start_mark;
    enum step step = step_of(&event);
    bool ok = step == STEP_END || (level->mapping ? take_key(r, &event, level->first, depth, &key)
                                                  : add_node(r, depth, "", at, &event));
    if (!ok)
        (void)fail_at(r, at);
    yaml_event_delete(&event);
    if (ok && key != NULL)
        step = read_node_value(r, depth, key, at);
    free(key);
    return ok ? step : STEP_FAILED;
}

/* Level in level; not by recursion: the file says how deep it goes. */
static bool read_levels(struct reader *r)
{
    struct level levels[CONFIG_MAX_DEPTH + 1] = {{.mapping = true}};
    unsigned depth = 0;

    for (;;) {
        enum step step = read_node(r, &levels[depth], depth);

        if (step == STEP_FAILED)
            return false;
        if (step == STEP_END && depth == 0)
            return true;
        if (step == STEP_END)
            depth--;
        if (step == STEP_MAPPING || step == STEP_LIST)
            levels[++depth] = (struct level){step == STEP_MAPPING, r->providers->count};
    }
}

static bool read_branch(struct reader *r, const yaml_event_t *key)
{
    yaml_event_t event;

    if (!is_new(r, branch, &r->branch_line, key->start_mark))
        return fail_at(r, key->start_mark);
    if (!next_event(r, &event))
        return false;
    bool mapping = event.type == YAML_MAPPING_START_EVENT;
    if (!mapping) {
        (void)err_set(r->err, ERR_USAGE, "%s: needs a mapping of names", branch);
        (void)fail_at(r, event.start_mark);
    }
    yaml_event_delete(&event);
    if (!mapping)
        return false;
    r->providers->name = xstrdup(r->name);
    return read_levels(r);
}

/* ---- the whole ---- */

static bool read_setting(struct reader *r, const yaml_event_t *key)
{
    const struct setting *row = find_row(r, key);

    return row != NULL ? read_value(r, row) : fail_at(r, key->start_mark);
}

/* What belongs to the key in @event. */
static bool read_key(struct reader *r, const yaml_event_t *event)
{
    if (event->type != YAML_SCALAR_EVENT) {
        (void)err_set(r->err, ERR_USAGE, "a key must be the name of a setting");
        return fail_at(r, event->start_mark);
    }
    if (strcmp(scalar_text(event), branch) == 0)
        return read_branch(r, event);
    return read_setting(r, event);
}

static bool read_mapping(struct reader *r)
{
    for (;;) {
        yaml_event_t event;

        if (!next_event(r, &event))
            return false;
        bool end = event.type == YAML_MAPPING_END_EVENT;
        bool ok = end || read_key(r, &event);
        yaml_event_delete(&event);
        if (end || !ok)
            return ok;
    }
}

/* Read what stands between the start and the end of the stream. */
static bool read_part(struct reader *r, yaml_event_type_t type, yaml_mark_t at)
{
    if (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_END_EVENT)
        return true;
    if (type == YAML_DOCUMENT_START_EVENT && !r->document) {
        r->document = true;
        return true;
    }
    if (type == YAML_MAPPING_START_EVENT)
        return read_mapping(r);
    (void)err_set(r->err, ERR_USAGE, "the file must be one mapping of settings");
    return fail_at(r, at);
}

static bool read_stream(struct reader *r)
{
    for (;;) {
        yaml_event_t event;

        if (!next_event(r, &event))
            return false;
        yaml_event_type_t type = event.type;
        yaml_mark_t at = event.start_mark;
        yaml_event_delete(&event);

        if (type == YAML_STREAM_END_EVENT)
            return true;
        if (!read_part(r, type, at))
            return false;
    }
}

bool config_read_text(const struct settings *s, const char *name, const char *text, size_t len,
                      struct tree *providers, struct err *err)
{
    struct reader r = {.s = *s, .name = name, .text = text, .providers = providers, .err = err};

    if (len > CONFIG_MAX_BYTES)
        return err_set(err, ERR_USAGE, "%s: larger than 1 MiB", name);
    if (yaml_parser_initialize(&r.parser) == 0)
        return err_set(err, ERR_INTERNAL, "%s: out of memory", name);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    r.s.groups = ~0U;
    r.lines = xcalloc(s->count, sizeof(*r.lines));

    bool ok = read_stream(&r);

    if (!ok)
        tree_release(providers);
    free(r.lines);
    yaml_parser_delete(&r.parser);
    return ok;
}

bool config_read_file(const struct settings *s, const char *path, struct tree *providers,
                      struct err *err)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return err_set(err, ERR_USAGE, "%s: cannot be opened: %s", path, strerrordesc_np(errno));

    char *text = xcalloc(CONFIG_MAX_BYTES + 1, 1);
    size_t len = fread(text, 1, CONFIG_MAX_BYTES + 1, f);
    bool ok = ferror(f) != 0
                  ? err_set(err, ERR_USAGE, "%s: cannot be read: %s", path, strerrordesc_np(errno))
                  : config_read_text(s, path, text, len, providers, err);
    free(text);
    (void)fclose(f);
    return ok;
}
