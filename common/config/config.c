#include "common/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "common/base/xmem.h"

struct reader {
    struct settings s; /* with all groups: other programs' keys are known, too */
    const char *name;
    const char *text;
    yaml_parser_t parser;
    bool document; /* one has started */
    size_t *lines; /* of each row: where it was set, from 1; 0: not yet */
    struct err *err;
};

/* Put the place before the message in r->err. */
static bool fail_at(const struct reader *r, yaml_mark_t at)
{
    (void)err_wrap(r->err, "%s:%zu:%zu", r->name, at.line + 1, at.column + 1);
    if (r->err == NULL)
        return false;

    /* Keys and values may hold anything; a message is one line. */
    for (char *p = r->err->msg; *p != '\0'; p++) {
        if ((*p > 0 && *p < ' ') || *p == 0x7f)
            *p = '?';
    }
    return false;
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
    char name[SETTING_NAME_MAX];

    if (strcmp(key, "<<") == 0)
        return err_set(r->err, ERR_USAGE, "merge keys (<<) are not allowed");
    if (is_secret(key))
        return err_set(
            r->err, ERR_USAGE,
            "\"%s\": a configuration file may not hold a secret; use api_key_file or the "
            "environment",
            key);
    if (near == NULL || (near->refuses & SETTING_NOT_IN_FILE) != 0)
        return err_set(r->err, ERR_USAGE, "unknown key \"%s\"", key);
    return err_set(r->err, ERR_USAGE, "unknown key \"%s\"; did you mean \"%s\"?", key,
                   settings_key_name(near, name));
}

/* The row of the key in @event, not seen before; NULL with r->err set. */
static const struct setting *find_row(struct reader *r, const yaml_event_t *event)
{
    if (event->type != YAML_SCALAR_EVENT) {
        (void)err_set(r->err, ERR_USAGE, "a key must be the name of a setting");
        return NULL;
    }

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

    size_t *line = &r->lines[row - r->s.rows];
    if (*line != 0) {
        (void)err_set(r->err, ERR_USAGE, "duplicate key \"%s\", first in line %zu", key, *line);
        return NULL;
    }
    *line = event->start_mark.line + 1;
    return row;
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

static bool read_mapping(struct reader *r)
{
    for (;;) {
        yaml_event_t event;

        if (!next_event(r, &event))
            return false;
        bool end = event.type == YAML_MAPPING_END_EVENT;
        const struct setting *row = end ? NULL : find_row(r, &event);
        if (row == NULL && !end)
            (void)fail_at(r, event.start_mark);
        yaml_event_delete(&event);
        if (row == NULL)
            return end;
        if (!read_value(r, row))
            return false;
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
                      struct err *err)
{
    struct reader r = {.s = *s, .name = name, .text = text, .err = err};

    if (len > CONFIG_MAX_BYTES)
        return err_set(err, ERR_USAGE, "%s: larger than 1 MiB", name);
    if (yaml_parser_initialize(&r.parser) == 0)
        return err_set(err, ERR_INTERNAL, "%s: out of memory", name);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    r.s.groups = ~0U;
    r.lines = xcalloc(s->count, sizeof(*r.lines));

    bool ok = read_stream(&r);

    free(r.lines);
    yaml_parser_delete(&r.parser);
    return ok;
}

bool config_read_file(const struct settings *s, const char *path, struct err *err)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return err_set(err, ERR_USAGE, "%s: cannot be opened: %s", path, strerrordesc_np(errno));

    char *text = xcalloc(CONFIG_MAX_BYTES + 1, 1);
    size_t len = fread(text, 1, CONFIG_MAX_BYTES + 1, f);
    bool ok = ferror(f) != 0
                  ? err_set(err, ERR_USAGE, "%s: cannot be read: %s", path, strerrordesc_np(errno))
                  : config_read_text(s, path, text, len, err);
    free(text);
    (void)fclose(f);
    return ok;
}
