/* The rendering half of template.h: parts and a row to text. */
#include "common/recipe/template.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/json/scan.h"
#include "common/recipe/condition.h"
#include "common/recipe/json_compact.h"
#include "common/recipe/template_parts.h"
#include "common/rows/row_path.h"

/* A loop that is being gone through. */
struct frame {
    struct json_iter it;    /* of an EACH: behind @next */
    struct json_value item; /* and its key, if it is of an object */
    struct json_value key;
    struct json_value next_item;
    struct json_value next_key;
    bool more;     /* there is a next one */
    size_t number; /* of the item, from 0 */
};

/* One call of template_render(). */
struct rendering {
    const struct template *t;
    const struct template_input *input;
    const struct template_row *row; /* NULL: a pack, outside {{#rows}} */
    const struct template_row *rows;
    size_t row_count;
    struct buf *out;
    struct err *err;
    struct frame frames[TEMPLATE_DEPTH_MAX];
    size_t depth;
};

static bool fail(const struct rendering *r, const struct template_part *part)
{
    const struct template_place *at = &part->place;

    if (at->line == 0)
        err_wrap(r->err, "%s", at->name);
    else
        err_wrap(r->err, "%s:%zu:%zu", at->name, at->line, at->column);
    if (part->in_rows && r->row != NULL && r->err != NULL) {
        char why[sizeof(r->err->msg)];

        memcpy(why, r->err->msg, sizeof(why));
        err_set(r->err, r->err->kind, "%.400s (row %.80s)", why, r->row->id);
    }
    return false;
}

static bool too_long(const struct rendering *r, const struct template_part *part)
{
    err_set(r->err, ERR_PERMANENT, "the text passes %zu bytes", r->out->max);
    return fail(r, part);
}

static const struct frame *top(const struct rendering *r)
{
    return &r->frames[r->depth - 1];
}

/* What @part is about; absent for what is no JSON. */
static struct json_value find(const struct rendering *r, const struct template_part *part)
{
    const struct json_value *from = NULL;

    if (part->source == SOURCE_ITEM)
        from = &top(r)->item;
    else if ((part->source == SOURCE_COLUMN || part->source == SOURCE_ROW) && r->row != NULL)
        from = r->row->row;
    if (from == NULL)
        return (struct json_value){.kind = JSON_ABSENT};
    return part->path != NULL ? row_at(from, part->path) : *from;
}

/* What is said of a value that is not there. */
static bool missing(const struct rendering *r, const struct template_part *part,
                    enum json_kind kind)
{
    const char *name = part->path != NULL ? part->path : "this";
    const char *of = part->source == SOURCE_ITEM ? "item" : "row";

    if (r->row == NULL)
        err_set(r->err, ERR_INPUT, "there is no row here to take \"%.200s\" from", name);
    else if (kind == JSON_NULL)
        err_set(r->err, ERR_INPUT, "\"%.200s\" is null in the %s", name, of);
    else
        err_set(r->err, ERR_INPUT, "the %s has no \"%.200s\"", of, name);
    return fail(r, part);
}

static bool put_string(struct buf *out, const struct json_value *value)
{
    if (!buf_reserve(out, value->len))
        return false;
    out->len += json_string_decode_cut(value, out->data + out->len, value->len);
    return true;
}

static bool is_empty(const struct json_value *value)
{
    return value->kind == JSON_ABSENT || value->kind == JSON_NULL ||
           (value->kind == JSON_STRING && value->len == 2);
}

/* A value of the row, or what stands for it. *@quoted: the text is that of a JSON string. */
static bool put_json(const struct rendering *r, const struct template_part *part, bool *quoted)
{
    struct json_value value = find(r, part);
    bool fits = true;

    *quoted = true;
    if (is_empty(&value) && part->text != NULL) {
        fits = buf_append(r->out, part->text, part->text_len);
    } else if (value.kind == JSON_ABSENT || value.kind == JSON_NULL) {
        if (!r->input->missing_is_empty)
            return missing(r, part, value.kind);
    } else if (value.kind == JSON_STRING) {
        fits = put_string(r->out, &value);
    } else {
        fits = json_compact(r->out, &value);
        *quoted = false;
    }
    return fits || too_long(r, part);
}

static bool put_text(const struct rendering *r, const struct template_part *part, const char *text,
                     const char *what)
{
    if (text == NULL && part->text != NULL)
        text = part->text;
    if (text == NULL) {
        err_set(r->err, ERR_INPUT, "there is no %s here", what);
        return fail(r, part);
    }
    return buf_append(r->out, text, strlen(text)) || too_long(r, part);
}

static bool put_number(const struct rendering *r, const struct template_part *part, uint64_t n)
{
    return buf_printf(r->out, "%" PRIu64, n) || too_long(r, part);
}

/* The key of an item: nothing in a list. */
static bool put_key(const struct rendering *r, const struct template_part *part)
{
    const struct json_value *key = &top(r)->key;

    if (key->kind == JSON_ABSENT && part->text != NULL)
        return put_text(r, part, part->text, "key");
    return key->kind == JSON_ABSENT || put_string(r->out, key) || too_long(r, part);
}

static bool put_source(const struct rendering *r, const struct template_part *part, bool *quoted)
{
    const struct template_row *row = r->row;

    *quoted = false;
    switch (part->source) {
    case SOURCE_COLUMN:
    case SOURCE_ROW:
    case SOURCE_ITEM: return put_json(r, part, quoted);
    case SOURCE_KEY: *quoted = true; return put_key(r, part);
    case SOURCE_INDEX: return put_number(r, part, top(r)->number);
    case SOURCE_NUMBER: return put_number(r, part, top(r)->number + 1);
    case SOURCE_FIRST: return put_text(r, part, top(r)->number == 0 ? "true" : "false", "");
    case SOURCE_LAST: return put_text(r, part, top(r)->more ? "false" : "true", "");
    case SOURCE_ID: *quoted = true; return put_text(r, part, row != NULL ? row->id : NULL, "row");
    case SOURCE_ROW_INDEX:
        return row != NULL ? put_number(r, part, row->index) : put_text(r, part, NULL, "row");
    case SOURCE_VOCABULARY:
        *quoted = true;
        return put_text(r, part, r->input->vocabulary, "vocabulary");
    }
    return false;
}

/* Length of the first @count characters of @len bytes of UTF-8. */
static size_t characters(const char *text, size_t len, uint64_t count)
{
    size_t i = 0;

    if (len <= count)
        return len;
    for (; i < len; i++) {
        if (((unsigned char)text[i] & 0xC0) == 0x80)
            continue;
        if (count-- == 0)
            break;
    }
    return i;
}

static void cut(const struct rendering *r, const struct template_part *part, size_t start)
{
    char *text = r->out->data + start;
    size_t len = r->out->len - start;

    if (part->cut != UINT64_MAX)
        len = characters(text, len, part->cut);
    if (part->cut_tokens != UINT64_MAX)
        len = tokens_cut(r->input->family, text, len, part->cut_tokens);
    r->out->len = start + len;
    text[len] = '\0';
}

/* Bytes that @len bytes of text take at most as a JSON string. */
static size_t quoted_size(const char *text, size_t len)
{
    size_t size = len + 2;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < 0x20)
            size += 5;
        else if (c == '"' || c == '\\')
            size++;
        else if (c >= 0x80) /* U+FFFD, if it is no UTF-8: a template's own text may be anything */
            size += 2;
    }
    return size;
}

/* Put the text from @start on into quotes, as JSON writes it. */
static bool quote(struct buf *out, size_t start)
{
    size_t len = out->len - start;

    /* Room first: the text must stay where it is while it is read. */
    if (!buf_reserve(out, quoted_size(out->data + start, len)) ||
        !json_string_encode(out, out->data + start, len))
        return false;
    memmove(out->data + start, out->data + start + len, out->len - start - len);
    out->len -= len;
    out->data[out->len] = '\0';
    return true;
}

static bool put_value(const struct rendering *r, const struct template_part *part)
{
    bool is_cut = part->cut != UINT64_MAX || part->cut_tokens != UINT64_MAX;
    size_t start = r->out->len;
    bool quoted = false;

    if (!put_source(r, part, &quoted))
        return false;
    if (is_cut)
        cut(r, part, start);
    if (!part->json || (!quoted && !is_cut))
        return true;
    return quote(r->out, start) || too_long(r, part);
}

static bool is_true(const struct rendering *r, const struct template_part *part)
{
    struct json_value value;

    switch (part->source) {
    case SOURCE_FIRST: return top(r)->number == 0;
    case SOURCE_LAST: return !top(r)->more;
    case SOURCE_VOCABULARY: return r->input->vocabulary != NULL && *r->input->vocabulary != '\0';
    case SOURCE_COLUMN:
    case SOURCE_ROW:
    case SOURCE_ITEM:
    case SOURCE_KEY:
    case SOURCE_INDEX:
    case SOURCE_NUMBER:
    case SOURCE_ID:
    case SOURCE_ROW_INDEX: break;
    }
    value = find(r, part);
    return condition_truth(&value);
}

/* Make the item that was looked at in advance the current one, and look at the next. */
static void step_item(struct frame *f)
{
    f->item = f->next_item;
    f->key = f->next_key;
    f->next_key = (struct json_value){.kind = JSON_ABSENT};
    f->more = json_iter_next(&f->it, &f->next_key, &f->next_item);
}

/* Begin the loop over a list or object; *@at is where to go on. */
static bool begin_each(struct rendering *r, const struct template_part *part, size_t *at)
{
    struct json_value list = find(r, part);
    struct frame *f = &r->frames[r->depth];

    if (list.kind != JSON_ARRAY && list.kind != JSON_OBJECT) {
        if (is_empty(&list)) {
            *at = part->target;
            return true;
        }
        err_set(r->err, ERR_INPUT, "expected a list to go through, got a %s",
                json_kind_name(list.kind));
        return fail(r, part);
    }
    *f = (struct frame){.it = json_iter_begin(&list)};
    step_item(f);
    if (!f->more) {
        *at = part->target;
        return true;
    }
    step_item(f);
    r->depth++;
    return true;
}

static void begin_rows(struct rendering *r, const struct template_part *part, size_t *at)
{
    if (r->row_count == 0) {
        *at = part->target;
        return;
    }
    r->frames[r->depth++] = (struct frame){.more = r->row_count > 1};
    r->row = &r->rows[0];
}

/* At the end of what a loop repeats: again, or on. */
static void step_loop(struct rendering *r, const struct template_part *next, size_t *at)
{
    struct frame *f = &r->frames[r->depth - 1];
    bool rows = r->t->parts[next->begin].kind == PART_ROWS;

    if (!f->more) {
        r->depth--;
        if (rows)
            r->row = NULL;
        *at = next->target;
        return;
    }
    f->number++;
    if (rows) {
        r->row = &r->rows[f->number];
        f->more = f->number + 1 < r->row_count;
    } else {
        step_item(f);
    }
    *at = next->begin + 1;
}

/* Do the part at *@at, which moves to the one that is next. */
static bool step(struct rendering *r, size_t *at)
{
    const struct template_part *part = &r->t->parts[(*at)++];

    switch (part->kind) {
    case PART_TEXT: return buf_append(r->out, part->text, part->text_len) || too_long(r, part);
    case PART_VALUE: return put_value(r, part);
    case PART_IF:
        if (!is_true(r, part))
            *at = part->target;
        return true;
    case PART_JUMP: *at = part->target; return true;
    case PART_EACH: return begin_each(r, part, at);
    case PART_ROWS: begin_rows(r, part, at); return true;
    case PART_NEXT: step_loop(r, part, at); return true;
    }
    return false;
}

static bool run(struct rendering *r, size_t from, size_t to)
{
    size_t before = r->out->len;
    bool ok = buf_append(r->out, "", 0); /* from here on there is a text, if an empty one */

    for (size_t at = from; ok && at < to;)
        ok = step(r, &at);
    if (!ok) {
        r->out->len = before;
        r->out->data[before] = '\0';
    }
    return ok;
}

/* Not an initialiser: the frames need not be set before they are used. */
static void rendering_begin(struct rendering *r, const struct template *t,
                            const struct template_input *input, struct buf *out, struct err *err)
{
    r->t = t;
    r->input = input;
    r->row = input->row;
    r->rows = input->rows;
    r->row_count = input->rows != NULL ? input->row_count : 0;
    r->out = out;
    r->err = err;
    r->depth = 0;
}

bool template_render(const struct template *t, const struct template_input *input, struct buf *out,
                     struct err *err)
{
    struct rendering r;

    rendering_begin(&r, t, input, out, err);
    return run(&r, 0, t->count);
}

bool template_render_row(const struct template *t, const struct template_input *input,
                         const struct template_row *row, struct buf *out, struct err *err)
{
    size_t before = out->len;
    struct rendering r;
    bool ok = true;

    rendering_begin(&r, t, input, out, err);
    r.row = NULL;
    r.rows = row;
    r.row_count = 1;
    for (size_t i = 0; ok && i < t->count; i++)
        if (t->parts[i].kind == PART_ROWS)
            ok = run(&r, i, t->parts[i].target);
    if (!ok && out->data != NULL) {
        out->len = before;
        out->data[before] = '\0';
    }
    return ok;
}

void template_columns(const struct template *t, template_column_fn fn, void *arg)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct template_part *part = &t->parts[i];

        if (part->source == SOURCE_COLUMN && part->path != NULL)
            fn(arg, part->path, &part->place, part->optional);
    }
}

bool template_has_rows(const struct template *t)
{
    return t->has_rows;
}

bool template_uses_row(const struct template *t)
{
    return t->uses_row;
}

bool template_uses_vocabulary(const struct template *t)
{
    return t->uses_vocabulary;
}
