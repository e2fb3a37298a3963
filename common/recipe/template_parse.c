/* The parsing half of template.h: blocks, partials and the parts they become. */
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/recipe/template.h"
#include "common/recipe/template_tag.h"

/* Add @part, which is taken even on failure. */
static bool add_part(struct parser *ps, struct template_part *part)
{
    struct template *t = ps->t;

    t->bytes += part->text_len + sizeof(*part);
    if (t->bytes > TEMPLATE_BYTES_MAX) {
        part_release(part);
        err_set(ps->err, ERR_USAGE, "with its partials the template is larger than %u MiB",
                TEMPLATE_BYTES_MAX >> 20);
        return tag_fail(ps, &part->place);
    }
    if (t->count == t->room) {
        t->room = t->room == 0 ? 16 : t->room * 2;
        t->parts = xrealloc(t->parts, t->room, sizeof(*t->parts));
    }
    part->in_rows = ps->depth > 0 && ps->blocks[0].kind == PART_ROWS;
    t->parts[t->count++] = *part;
    return true;
}

static bool add_text(struct parser *ps, struct text *tx, const char *from, const char *to)
{
    if (from >= to)
        return true;

    struct template_part part = {
        .kind = PART_TEXT,
        .text = xstrndup(from, (size_t)(to - from)),
        .text_len = (size_t)(to - from),
        .place = {tx->name, 0, 0},
    };

    return add_part(ps, &part);
}

static bool open_block(struct parser *ps, struct tag *tag)
{
    if (ps->depth == TEMPLATE_DEPTH_MAX) {
        err_set(ps->err, ERR_USAGE, "more than %d blocks inside each other", TEMPLATE_DEPTH_MAX);
        return tag_fail(ps, &tag->place);
    }
    if (tag->block == PART_ROWS && ps->depth > 0) {
        err_set(ps->err, ERR_USAGE, "{{#rows}} cannot be inside another block");
        return tag_fail(ps, &tag->place);
    }
    ps->blocks[ps->depth] = (struct block){
        .kind = tag->block,
        .part = ps->t->count,
        .place = tag->place,
    };

    struct template_part part = tag->part;

    tag->part.path = NULL;
    if (!add_part(ps, &part))
        return false;
    ps->depth++;
    return true;
}

/* The end of what an EACH or ROWS does again and again. */
static bool add_next(struct parser *ps, const struct block *b)
{
    struct template_part next = {.kind = PART_NEXT, .begin = b->part, .place = b->place};

    return add_part(ps, &next);
}

static bool add_else(struct parser *ps, struct text *tx, const struct tag *tag)
{
    struct block *b = ps->depth > tx->block_base ? &ps->blocks[ps->depth - 1] : NULL;

    if (b == NULL || b->has_else || b->kind == PART_ROWS) {
        err_set(ps->err, ERR_USAGE, "{{else}} without {{#if}} or {{#each}}");
        return tag_fail(ps, &tag->place);
    }

    struct template_part jump = {.kind = PART_JUMP, .place = tag->place};

    b->last = ps->t->count;
    if (b->kind == PART_IF ? !add_part(ps, &jump) : !add_next(ps, b))
        return false;
    b->has_else = true;
    ps->t->parts[b->part].target = ps->t->count;
    return true;
}

static bool close_block(struct parser *ps, struct text *tx, const struct tag *tag)
{
    struct block *b = ps->depth > tx->block_base ? &ps->blocks[ps->depth - 1] : NULL;

    if (b == NULL || b->kind != tag->block) {
        if (b == NULL)
            err_set(ps->err, ERR_USAGE, "{{/%s}} closes nothing", block_word(tag->block));
        else
            err_set(ps->err, ERR_USAGE, "expected {{/%s}} for the {{#%s}} in line %zu",
                    block_word(b->kind), block_word(b->kind), b->place.line);
        return tag_fail(ps, &tag->place);
    }
    if (!b->has_else) {
        b->last = ps->t->count;
        if (b->kind != PART_IF && !add_next(ps, b))
            return false;
    }
    ps->depth--;
    if (!b->has_else)
        ps->t->parts[b->part].target = ps->t->count;
    if (b->has_else || b->kind != PART_IF)
        ps->t->parts[b->last].target = ps->t->count;
    return true;
}

static bool parse_text(struct parser *ps, struct text *tx);

/* "a.md > b.md > ": from the template down to @tx, or as much of it as @out takes. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partials, which is limited */
static bool put_chain(struct buf *out, const struct text *tx)
{
    return (tx->parent == NULL || put_chain(out, tx->parent)) && buf_printf(out, "%s > ", tx->name);
}

/* A file that includes itself, by way of others or not, or too many in each other. */
static bool check_chain(const struct parser *ps, const struct text *tx, const struct tag *tag,
                        const char *path)
{
    struct buf chain = BUF_INIT(300);
    bool loop = strcmp(tx->name, path) == 0;

    for (const struct text *up = tx->parent; up != NULL && !loop; up = up->parent)
        loop = strcmp(up->name, path) == 0;
    if (!loop && tx->depth < TEMPLATE_DEPTH_MAX)
        return true;
    if (loop)
        err_set(ps->err, ERR_USAGE, "a template loop: %s%s",
                put_chain(&chain, tx) ? chain.data : "... > ", path);
    else
        err_set(ps->err, ERR_USAGE, "more than %d partials inside each other", TEMPLATE_DEPTH_MAX);
    buf_release(&chain);
    return tag_fail(ps, &tag->place);
}

/* A name that the places of parts may borrow. */
static const char *keep_name(struct template *t, const char *name)
{
    for (size_t i = 0; i < t->name_count; i++)
        if (strcmp(t->names[i], name) == 0)
            return t->names[i];
    t->names = xrealloc(t->names, t->name_count + 1, sizeof(*t->names));
    t->names[t->name_count] = xstrdup(name);
    return t->names[t->name_count++];
}

/* A text that editors end with a newline is not longer for it where it is filled in. */
static size_t without_newline(const char *text, size_t len)
{
    if (len > 0 && text[len - 1] == '\n')
        len--;
    return len > 0 && text[len - 1] == '\r' ? len - 1 : len;
}

static struct text text_begin(const struct template_text *of)
{
    static const char bom[] = "\xEF\xBB\xBF";
    size_t skip = of->len >= 3 && memcmp(of->text, bom, 3) == 0 ? 3 : 0;
    const char *begin = of->text + skip;

    return (struct text){
        .name = of->name,
        .begin = begin,
        .end = of->text + of->len,
        .p = begin,
        .mark = begin,
        .line = of->line,
        .column = of->indent + 1,
        .first_line = of->line,
        .indent = of->indent,
    };
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partials, which is limited */
static bool include(struct parser *ps, const struct text *tx, const struct tag *tag)
{
    const char *path = keep_name(ps->t, tag->path);
    const char *bytes = NULL;
    size_t len = 0;

    if (!check_chain(ps, tx, tag, path))
        return false;
    if (ps->files == NULL) {
        err_set(ps->err, ERR_USAGE, "there are no files to take %s from", path);
        return tag_fail(ps, &tag->place);
    }
    if (!ps->files->read(ps->files->arg, path, &bytes, &len, ps->err)) {
        err_wrap(ps->err, "%s", path);
        return tag_fail(ps, &tag->place);
    }

    len = without_newline(bytes, len);
    struct text inner = text_begin(&(struct template_text){path, bytes, len, 1, 0});

    inner.block_base = ps->depth;
    inner.parent = tx;
    inner.depth = tx->depth + 1;
    return parse_text(ps, &inner);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partials, which is limited */
static bool apply_tag(struct parser *ps, struct text *tx, struct tag *tag)
{
    struct template_part part = tag->part;

    switch (tag->kind) {
    case TAG_VALUE: tag->part = (struct template_part){0}; return add_part(ps, &part);
    case TAG_OPEN: return open_block(ps, tag);
    case TAG_CLOSE: return close_block(ps, tx, tag);
    case TAG_ELSE: return add_else(ps, tx, tag);
    case TAG_PARTIAL: return include(ps, tx, tag);
    case TAG_COMMENT: return true;
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/*
 * A block's tag or a comment that is alone on its line takes the line with it. *@from, the end of
 * the text before the tag, and tx->p behind it are moved so.
 */
static void take_line(struct text *tx, const struct tag *tag, const char **from)
{
    const char *before = *from;
    const char *behind = tx->p;

    if (tag->kind == TAG_VALUE || tag->kind == TAG_PARTIAL)
        return;
    while (before > tx->begin && is_blank(before[-1]))
        before--;
    for (; behind < tx->end; behind++)
        if (!is_blank(*behind) && (*behind != '\r' || behind + 1 == tx->end || behind[1] != '\n'))
            break;
    if ((before > tx->begin && before[-1] != '\n') || (behind < tx->end && *behind != '\n'))
        return;
    *from = before;
    tx->p = behind < tx->end ? behind + 1 : behind;
}

/* The next "{{" from @p, or the end. */
static const char *find_tag(const char *p, const char *end)
{
    while ((p = memchr(p, '{', (size_t)(end - p))) != NULL && end - p >= 2 && p[1] != '{')
        p++;
    return p != NULL && end - p >= 2 ? p : end;
}

/* The text from tx->p to the tag at @open, and the tag. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partials, which is limited */
static bool parse_tag(struct parser *ps, struct text *tx, const char *open)
{
    const char *start = tx->p;
    const char *stop = open;
    struct tag tag = {.kind = TAG_COMMENT};
    bool ok = false;

    tx->p = open;
    if (tag_read(ps, tx, &tag)) {
        take_line(tx, &tag, &stop);
        ok = add_text(ps, tx, start, stop) && apply_tag(ps, tx, &tag);
    }
    tag_release(&tag);
    return ok;
}

static bool check_closed(const struct parser *ps, const struct text *tx)
{
    const struct block *b = ps->depth > tx->block_base ? &ps->blocks[ps->depth - 1] : NULL;

    if (b == NULL)
        return true;
    err_set(ps->err, ERR_USAGE, "{{#%s}} is never closed: expected {{/%s}}", block_word(b->kind),
            block_word(b->kind));
    return tag_fail(ps, &b->place);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partials, which is limited */
static bool parse_text(struct parser *ps, struct text *tx)
{
    bool ok = true;

    while (ok && tx->p < tx->end) {
        const char *start = tx->p;
        const char *open = find_tag(start, tx->end);
        bool literal = tx->end - open >= 4 && memcmp(open, "{{{{", 4) == 0;

        if (literal) {
            tx->p = open + 4;
            ok = add_text(ps, tx, start, open + 2);
        } else if (open == tx->end) {
            tx->p = open;
            ok = add_text(ps, tx, start, open);
        } else {
            ok = parse_tag(ps, tx, open);
        }
    }
    return ok && check_closed(ps, tx);
}

static bool asks_row(const struct template_part *part)
{
    enum part_source s = part->source;

    if (part->kind != PART_VALUE && part->kind != PART_IF && part->kind != PART_EACH)
        return false;
    return s == SOURCE_COLUMN || s == SOURCE_ROW || s == SOURCE_ID || s == SOURCE_ROW_INDEX;
}

/* What the whole of it is; a pack has no row but in {{#rows}}. */
static bool look_through(struct parser *ps)
{
    struct template *t = ps->t;
    const struct template_part *lost = NULL;

    for (size_t i = 0; i < t->count; i++) {
        const struct template_part *part = &t->parts[i];

        t->has_rows = t->has_rows || part->kind == PART_ROWS;
        t->uses_vocabulary = t->uses_vocabulary || part->source == SOURCE_VOCABULARY;
        if (lost == NULL && asks_row(part) && !part->in_rows)
            lost = part;
    }
    t->uses_row = lost != NULL;
    if (!t->has_rows || lost == NULL)
        return true;
    err_set(ps->err, ERR_USAGE, "outside {{#rows}} there is no row: it is a request for several");
    return tag_fail(ps, &lost->place);
}

struct template *template_parse(const char *name, const char *text, size_t len,
                                const struct template_files *files, struct err *err)
{
    const struct template_text whole = {name, text, len, 1, 0};

    /* cppcheck-suppress CastIntegerToAddressAtReturn ; it takes the struct for a number */
    return template_parse_part(&whole, files, err);
}

struct template *template_parse_part(const struct template_text *text,
                                     const struct template_files *files, struct err *err)
{
    struct template_text own = *text;
    struct template *t = xcalloc(1, sizeof(*t));
    struct err lost = {0};
    struct parser ps = {.t = t, .files = files, .err = err != NULL ? err : &lost};

    own.name = keep_name(t, text->name);
    struct text tx = text_begin(&own);

    if (parse_text(&ps, &tx) && look_through(&ps))
        return t;
    template_free(t);
    return NULL;
}

void template_free(struct template *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->count; i++)
        part_release(&t->parts[i]);
    for (size_t i = 0; i < t->name_count; i++)
        free(t->names[i]);
    free(t->parts);
    free(t->names);
    free(t);
}
