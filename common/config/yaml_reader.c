#include "common/config/yaml_reader.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/nearest.h"
#include "common/base/xmem.h"

bool yaml_reader_fail(const struct yaml_reader *r, yaml_mark_t at)
{
    (void)err_wrap(r->err, "%s:%zu:%zu", r->name, at.line + 1, at.column + 1);
    return err_one_line(r->err);
}

/* libyaml gives only an offset for bytes that are not text. */
static yaml_mark_t mark_of_offset(const struct yaml_reader *r, size_t offset)
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

static bool syntax_error(const struct yaml_reader *r)
{
    const char *problem = r->parser.problem != NULL ? r->parser.problem : "not valid YAML";

    (void)err_set(r->err, ERR_USAGE, "%s", problem);
    if (r->parser.error == YAML_READER_ERROR)
        return yaml_reader_fail(r, mark_of_offset(r, r->parser.problem_offset));
    return yaml_reader_fail(r, r->parser.problem_mark);
}

/* Why @event is not for a file that people write, or NULL. */
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
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    }
    if (anchor != NULL)
        return "anchors (&) are not allowed";
    return tag != NULL ? "tags (!) are not allowed" : NULL;
}

bool yaml_reader_next(struct yaml_reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event) == 0)
        return syntax_error(r);

    const char *why = refused(event);
    if (why == NULL)
        return true;
    (void)err_set(r->err, ERR_USAGE, "%s", why);
    (void)yaml_reader_fail(r, event->start_mark);
    yaml_event_delete(event);
    return false;
}

bool yaml_reader_open(struct yaml_reader *r, const char *name, const char *text, size_t len,
                      struct err *err)
{
    *r = (struct yaml_reader){.name = name, .text = text, .err = err};
    if (yaml_parser_initialize(&r->parser) == 0)
        return err_set(err, ERR_INTERNAL, "%s: out of memory", name);
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, len);
    return true;
}

void yaml_reader_close(struct yaml_reader *r)
{
    yaml_parser_delete(&r->parser);
}

bool yaml_reader_root(struct yaml_reader *r, const char *must_be, bool *end)
{
    for (;;) {
        yaml_event_t event;

        if (!yaml_reader_next(r, &event))
            return false;
        yaml_event_type_t type = event.type;
        yaml_mark_t at = event.start_mark;
        yaml_event_delete(&event);

        *end = type == YAML_STREAM_END_EVENT;
        if (*end || type == YAML_MAPPING_START_EVENT)
            return true;
        if (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_END_EVENT)
            continue;
        if (type != YAML_DOCUMENT_START_EVENT || r->document) {
            (void)err_set(r->err, ERR_USAGE, "%s", must_be);
            return yaml_reader_fail(r, at);
        }
        r->document = true;
    }
}

const char *yaml_scalar(const yaml_event_t *event)
{
    return (const char *)event->data.scalar.value;
}

bool yaml_is_null(const yaml_event_t *event)
{
    const char *text = yaml_scalar(event);

    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

bool yaml_is_secret(const char *key)
{
    size_t len = strlen(key);

    return len >= 7 &&
           (strcmp(key + len - 7, "api_key") == 0 || strcmp(key + len - 7, "api-key") == 0);
}

bool yaml_refuse_key(struct err *err, const char *key)
{
    if (strcmp(key, "<<") == 0)
        return err_set(err, ERR_USAGE, "merge keys (<<) are not allowed");
    return err_set(err, ERR_USAGE,
                   "\"%s\": a configuration file may not hold a secret; use api_key_file or the "
                   "environment",
                   key);
}

/* ---- what is in a mapping ---- */

struct walk {
    struct yaml_reader *r;
    const struct yaml_rules *rules;
    struct tree *out;
    size_t start; /* nodes that were there before */
};

/* One node is read: @event is its value or begins it. The key is @key, from @at; "" in a list. */
static bool add_node(struct walk *w, unsigned depth, const char *key, yaml_mark_t at,
                     const yaml_event_t *event)
{
    struct err *err = w->r->err;
    bool scalar = event->type == YAML_SCALAR_EVENT;
    bool null = scalar && yaml_is_null(event);
    struct tree_node node = {.depth = depth, .list = event->type == YAML_SEQUENCE_START_EVENT};

    if (w->out->count - w->start == w->rules->max_nodes || depth == w->rules->max_depth)
        return err_set(err, ERR_USAGE, "too much is nested here");
    if (null && !w->rules->nulls)
        return err_set(err, ERR_USAGE, "%s: has no value", key[0] != '\0' ? key : w->rules->what);
    if (key[0] == '\0')
        at = event->start_mark;
    node.key_line = at.line + 1;
    node.key_column = at.column + 1;
    if (scalar)
        at = event->start_mark;
    node.quoted = scalar && event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node.line = at.line + 1;
    node.column = at.column + 1;
    node.key = xstrdup(key);
    node.value = scalar ? xstrdup(null ? "null" : yaml_scalar(event)) : NULL;
    tree_add(w->out, &node);
    free(node.key);
    free(node.value);
    return true;
}

static bool same_key(const struct yaml_rules *rules, const char *a, const char *b)
{
    return rules->exact ? strcmp(a, b) == 0 : nearest_same(a, b);
}

/* The key of a mapping, that must not be among its nodes from @first on; the caller frees *@key. */
static bool take_key(struct walk *w, const yaml_event_t *event, size_t first, unsigned depth,
                     char **key)
{
    const char *text = event->type == YAML_SCALAR_EVENT ? yaml_scalar(event) : "";

    if (text[0] == '\0')
        return err_set(w->r->err, ERR_USAGE, "a key must be a word");
    if (strcmp(text, "<<") == 0 || (!w->rules->secrets && yaml_is_secret(text)))
        return yaml_refuse_key(w->r->err, text);
    for (size_t i = first; i < w->out->count; i++) {
        const struct tree_node *node = &w->out->nodes[i];

        if (node->depth == depth && same_key(w->rules, node->key, text))
            return err_set(w->r->err, ERR_USAGE, "duplicate key \"%s\", first in line %zu", text,
                           node->line);
    }
    if (strlen(text) > YAML_READER_KEY_MAX)
        return err_set(w->r->err, ERR_USAGE, "a key of more than %d bytes", YAML_READER_KEY_MAX);
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
static enum step read_value(struct walk *w, unsigned depth, const char *key, yaml_mark_t at)
{
    yaml_event_t event;

    if (!yaml_reader_next(w->r, &event))
        return STEP_FAILED;
    bool ok = add_node(w, depth, key, at, &event);
    if (!ok)
        (void)yaml_reader_fail(w->r, event.start_mark);
    enum step step = ok ? step_of(&event) : STEP_FAILED;
    yaml_event_delete(&event);
    return step;
}

/* The next node of @level: in a list its value, in a mapping key and value. */
static enum step read_node(struct walk *w, const struct level *level, unsigned depth)
{
    yaml_event_t event;
    char *key = NULL;

    if (!yaml_reader_next(w->r, &event))
        return STEP_FAILED;
    yaml_mark_t at = event.start_mark;
    enum step step = step_of(&event);
    bool ok = step == STEP_END || (level->mapping ? take_key(w, &event, level->first, depth, &key)
                                                  : add_node(w, depth, "", at, &event));
    if (!ok)
        (void)yaml_reader_fail(w->r, at);
    yaml_event_delete(&event);
    if (ok && key != NULL)
        step = read_value(w, depth, key, at);
    free(key);
    return ok ? step : STEP_FAILED;
}

/* Level in level; not by recursion: the file says how deep it goes. */
bool yaml_reader_mapping(struct yaml_reader *r, const struct yaml_rules *rules, struct tree *out)
{
    struct walk w = {.r = r, .rules = rules, .out = out, .start = out->count};
    struct level levels[YAML_READER_DEPTH_MAX + 1] = {
        {.mapping = true, .first = out->count}
    };
    unsigned depth = 0;

    for (;;) {
        enum step step = read_node(&w, &levels[depth], depth);

        if (step == STEP_FAILED)
            return false;
        if (step == STEP_END && depth == 0)
            return true;
        if (step == STEP_END)
            depth--;
        if (step == STEP_MAPPING || step == STEP_LIST)
            levels[++depth] = (struct level){step == STEP_MAPPING, out->count};
    }
}
