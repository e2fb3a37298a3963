/* The syntax of one tag: {{column | filter}}, {{#if column}}, ... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/nearest.h"
#include "common/base/xmem.h"
#include "common/recipe/template_tag.h"
#include "common/rows/row_path.h"

enum {
    FOUND_MAX = 48, /* room for what a message quotes */
    CUT_MAX = 1000000000,
};

#define FILTERS "default, cut, cut_tokens or json"
#define BLOCKS  "if, each or rows"

static struct template_place place_of(struct text *tx, const char *at)
{
    if (at < tx->mark) {
        tx->mark = tx->begin;
        tx->line = tx->first_line;
        tx->column = tx->indent + 1;
    }
    for (; tx->mark < at; tx->mark++) {
        if (*tx->mark == '\n') {
            tx->line++;
            tx->column = tx->indent + 1;
        } else if (((unsigned char)*tx->mark & 0xC0) != 0x80) {
            tx->column++;
        }
    }
    return (struct template_place){tx->name, tx->line, tx->column};
}

bool tag_fail(const struct parser *ps, const struct template_place *place)
{
    return err_wrap(ps->err, "%s:%zu:%zu", place->name, place->line, place->column);
}

static bool fail(const struct parser *ps, struct text *tx, const char *at)
{
    struct template_place place = place_of(tx, at);

    return tag_fail(ps, &place);
}

/* Bytes of what stands at @p, for messages: a word, or a sign. */
static size_t found_len(const char *p, const char *end)
{
    const char *q = p;

    while (q < end && q - p < 20 && strchr(" \t\r\n}|:", *q) == NULL)
        q++;
    if (q == p)
        q += end - q > 1 && q[0] == '}' && q[1] == '}' ? 2 : 1;
    while (q < end && ((unsigned char)*q & 0xC0) == 0x80)
        q++;
    return (size_t)(q - p);
}

/* The same in words. */
static const char *found(const struct text *tx, char out[FOUND_MAX])
{
    const char *what = tx->p;
    int len = 0;

    if (tx->p == tx->end)
        what = "the end of the text";
    else if (*tx->p == '\n' || *tx->p == '\r')
        what = "the end of the line";
    else
        len = (int)found_len(tx->p, tx->end);
    (void)snprintf(out, FOUND_MAX, "%.*s", len > 0 ? len : FOUND_MAX, what);
    return out;
}

static bool unexpected(const struct parser *ps, struct text *tx, const char *what)
{
    char have[FOUND_MAX];

    err_set(ps->err, ERR_USAGE, "expected %s, found %s", what, found(tx, have));
    return fail(ps, tx, tx->p);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct text *tx)
{
    while (tx->p < tx->end && is_space(*tx->p))
        tx->p++;
}

static bool at_close(const struct text *tx)
{
    return tx->end - tx->p >= 2 && tx->p[0] == '}' && tx->p[1] == '}';
}

static bool take_close(const struct parser *ps, struct text *tx, const char *what)
{
    skip_space(tx);
    if (!at_close(tx))
        return unexpected(ps, tx, what);
    tx->p += 2;
    return true;
}

static bool slice_is(struct slice s, const char *text)
{
    return strlen(text) == s.len && memcmp(s.p, text, s.len) == 0;
}

/* A run of characters that no syntax needs; empty at anything else. */
static struct slice take_word(struct text *tx)
{
    const char *start = tx->p;

    while (tx->p < tx->end && !is_space(*tx->p) && strchr("{}|`'\"()", *tx->p) == NULL)
        tx->p++;
    return (struct slice){start, (size_t)(tx->p - start)};
}

/* Letters and _ of a filter's or block's name. */
static struct slice take_name(struct text *tx)
{
    const char *start = tx->p;

    while (tx->p < tx->end && !is_space(*tx->p) && strchr("{}|:`'\"()", *tx->p) == NULL)
        tx->p++;
    return (struct slice){start, (size_t)(tx->p - start)};
}

/* "...; did you mean "x"?" when one of @names is near, else what there is. */
static bool unknown_name(const struct parser *ps, struct text *tx, struct slice name,
                         const char *what, const char *const names[], const char *all)
{
    char *word = xstrndup(name.p, name.len);
    const char *near = nearest_of(word, names);

    if (near != NULL)
        err_set(ps->err, ERR_USAGE, "unknown %s \"%.40s\"; did you mean \"%s\"?", what, word, near);
    else
        err_set(ps->err, ERR_USAGE, "unknown %s \"%.40s\": expected %s", what, word, all);
    free(word);
    return fail(ps, tx, name.p);
}

void part_release(struct template_part *part)
{
    free(part->path);
    free(part->text);
    part->path = part->text = NULL;
}

void tag_release(struct tag *tag)
{
    part_release(&tag->part);
    free(tag->path);
}

/* Whether {{this}} and its like have something to stand for. */
static bool inside(const struct parser *ps, enum part_kind kind)
{
    for (size_t i = 0; i < ps->depth; i++)
        if (ps->blocks[i].kind == kind && !ps->blocks[i].has_else)
            return true;
    return false;
}

/* @path or something in it is asked for by a block that is open: in there it is not missing. */
static bool is_guarded(const struct parser *ps, const char *path)
{
    size_t len = strlen(path);

    for (size_t i = 0; i < ps->depth; i++) {
        const struct template_part *asked = &ps->t->parts[ps->blocks[i].part];

        if (ps->blocks[i].has_else || asked->path == NULL || asked->source != SOURCE_COLUMN)
            continue;
        if (strncmp(asked->path, path, len) == 0 &&
            (asked->path[len] == '\0' || asked->path[len] == '.'))
            return true;
    }
    return false;
}

static const struct {
    const char *word;
    enum part_source source;
} words[] = {
    {"@index",     SOURCE_INDEX     },
    {"@number",    SOURCE_NUMBER    },
    {"@first",     SOURCE_FIRST     },
    {"@last",      SOURCE_LAST      },
    {"@key",       SOURCE_KEY       },
    {"_id",        SOURCE_ID        },
    {"_index",     SOURCE_ROW_INDEX },
    {"vocabulary", SOURCE_VOCABULARY},
};

static bool check_loop_word(const struct parser *ps, struct text *tx, struct slice word,
                            enum part_source source)
{
    bool each = inside(ps, PART_EACH);
    bool ok = each || (source != SOURCE_KEY && inside(ps, PART_ROWS));

    if (ok)
        return true;
    err_set(ps->err, ERR_USAGE, "%.*s stands for something only inside %s", (int)word.len, word.p,
            source == SOURCE_KEY ? "{{#each}}" : "{{#each}} or {{#rows}}");
    return fail(ps, tx, word.p);
}

/* A name that begins with @: the loop's own. */
static bool read_loop_word(const struct parser *ps, struct text *tx, struct template_part *part,
                           struct slice word)
{
    static const char *const names[] = {"@index", "@number", "@first", "@last", "@key", NULL};

    for (size_t i = 0; names[i] != NULL; i++) {
        if (slice_is(word, words[i].word)) {
            part->source = words[i].source;
            return check_loop_word(ps, tx, word, part->source);
        }
    }
    return unknown_name(ps, tx, word, "name", names, "@index, @number, @first, @last or @key");
}

/* A column's name in backticks: any name, as it is. */
static bool read_backticks(const struct parser *ps, struct text *tx, struct template_part *part)
{
    const char *start = tx->p + 1;
    const char *end = memchr(start, '`', (size_t)(tx->end - start));

    if (end == NULL || end == start) {
        err_set(ps->err, ERR_USAGE, end == NULL ? "the backtick is never closed" : "an empty name");
        return fail(ps, tx, tx->p);
    }
    part->source = SOURCE_COLUMN;
    part->path = xstrndup(start, (size_t)(end - start));
    part->optional = is_guarded(ps, part->path);
    tx->p = end + 1;
    return true;
}

static void read_this(const struct parser *ps, struct template_part *part, struct slice word)
{
    bool item = inside(ps, PART_EACH);

    part->source = item ? SOURCE_ITEM : SOURCE_ROW;
    if (word.len > 4) {
        part->path = xstrndup(word.p + 5, word.len - 5);
        part->source = item ? SOURCE_ITEM : SOURCE_COLUMN;
    }
}

static bool check_path(const struct parser *ps, struct slice word)
{
    char *path = xstrndup(word.p, word.len);
    bool ok = row_path_check(path, ps->err);

    free(path);
    return ok;
}

/* What a value, an {{#if}} or an {{#each}} is about. */
static bool read_subject(const struct parser *ps, struct text *tx, struct template_part *part)
{
    skip_space(tx);
    part->place = place_of(tx, tx->p);
    if (tx->p < tx->end && *tx->p == '`')
        return read_backticks(ps, tx, part);

    struct slice word = take_word(tx);

    if (word.len == 0)
        return unexpected(ps, tx, "a column");
    if (word.p[0] == '@')
        return read_loop_word(ps, tx, part, word);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (slice_is(word, words[i].word)) {
            part->source = words[i].source;
            return true;
        }
    }
    if (!check_path(ps, word))
        return fail(ps, tx, word.p);
    if (slice_is(word, "this") || (word.len > 5 && memcmp(word.p, "this.", 5) == 0)) {
        read_this(ps, part, word);
    } else {
        part->source = SOURCE_COLUMN;
        part->path = xstrndup(word.p, word.len);
    }
    part->optional = part->source == SOURCE_COLUMN && is_guarded(ps, part->path);
    return true;
}

/* One character of a text in quotes, an escape as what it stands for. */
static bool take_quoted_char(const struct parser *ps, struct text *tx, char *out)
{
    static const char from[] = "nt\"'\\";
    static const char to[] = "\n\t\"'\\";

    *out = *tx->p;
    if (*out != '\\') {
        tx->p++;
        return true;
    }

    const char *known = NULL;

    if (tx->end - tx->p > 1 && tx->p[1] != '\0')
        known = strchr(from, tx->p[1]);
    if (known == NULL) {
        err_set(ps->err, ERR_USAGE, "expected n, t, \\ or a quote behind the backslash");
        return fail(ps, tx, tx->p);
    }
    *out = to[known - from];
    tx->p += 2;
    return true;
}

static bool read_quoted(const struct parser *ps, struct text *tx, struct template_part *part)
{
    const char *start = tx->p++;
    char *text = xcalloc((size_t)(tx->end - start) + 1, 1);
    size_t len = 0;

    while (tx->p < tx->end && *tx->p != *start) {
        if (!take_quoted_char(ps, tx, &text[len++])) {
            free(text);
            return false;
        }
    }
    if (tx->p == tx->end) {
        free(text);
        err_set(ps->err, ERR_USAGE, "the quote is never closed");
        return fail(ps, tx, start);
    }
    tx->p++;
    text[len] = '\0';
    part->text = xrealloc(text, len + 1, 1);
    part->text_len = len;
    return true;
}

static bool read_default(const struct parser *ps, struct text *tx, struct template_part *part)
{
    if (tx->p < tx->end && (*tx->p == '"' || *tx->p == '\''))
        return read_quoted(ps, tx, part);

    const char *start = tx->p;

    while (tx->p < tx->end && strchr("+-.0123456789", *tx->p) != NULL && *tx->p != '\0')
        tx->p++;
    if (tx->p == start)
        return unexpected(ps, tx, "a text in quotes or a number");
    part->text = xstrndup(start, (size_t)(tx->p - start));
    part->text_len = (size_t)(tx->p - start);
    return true;
}

static bool read_count(const struct parser *ps, struct text *tx, uint64_t *out)
{
    const char *start = tx->p;
    uint64_t n = 0;

    for (; tx->p < tx->end && *tx->p >= '0' && *tx->p <= '9' && n <= CUT_MAX; tx->p++)
        n = n * 10 + (uint64_t)(*tx->p - '0');
    if (tx->p == start)
        return unexpected(ps, tx, "a whole number");
    if (n == 0 || n > CUT_MAX) {
        err_set(ps->err, ERR_USAGE, "expected a number from 1 to %d", CUT_MAX);
        return fail(ps, tx, start);
    }
    *out = n;
    return true;
}

enum filter { FILTER_DEFAULT, FILTER_CUT, FILTER_CUT_TOKENS, FILTER_JSON };

static const char *const filter_names[] = {"default", "cut", "cut_tokens", "json", NULL};

/* A filter in a place where it would not do what it seems to. */
static const char *misplaced(const struct template_part *part, enum filter filter)
{
    if (part->json)
        return "json must be the last filter";
    switch (filter) {
    case FILTER_DEFAULT:
        if (part->text != NULL)
            return "default is there twice";
        if (part->cut != UINT64_MAX || part->cut_tokens != UINT64_MAX)
            return "default must be the first filter";
        return NULL;
    case FILTER_CUT: return part->cut != UINT64_MAX ? "cut is there twice" : NULL;
    case FILTER_CUT_TOKENS:
        return part->cut_tokens != UINT64_MAX ? "cut_tokens is there twice" : NULL;
    case FILTER_JSON: return NULL;
    }
    return NULL;
}

static bool read_argument(const struct parser *ps, struct text *tx, struct template_part *part,
                          enum filter filter)
{
    if (filter == FILTER_JSON) {
        part->json = true;
        return true;
    }
    skip_space(tx);
    if (tx->p == tx->end || *tx->p != ':')
        return unexpected(ps, tx, "a colon");
    tx->p++;
    skip_space(tx);
    if (filter == FILTER_DEFAULT) {
        part->optional = true;
        return read_default(ps, tx, part);
    }
    return read_count(ps, tx, filter == FILTER_CUT ? &part->cut : &part->cut_tokens);
}

static bool read_filter(const struct parser *ps, struct text *tx, struct template_part *part)
{
    skip_space(tx);

    struct slice name = take_name(tx);

    if (name.len == 0)
        return unexpected(ps, tx, FILTERS);
    for (size_t i = 0; filter_names[i] != NULL; i++) {
        if (!slice_is(name, filter_names[i]))
            continue;

        const char *why = misplaced(part, (enum filter)i);

        if (why == NULL)
            return read_argument(ps, tx, part, (enum filter)i);
        err_set(ps->err, ERR_USAGE, "%s", why);
        return fail(ps, tx, name.p);
    }
    return unknown_name(ps, tx, name, "filter", filter_names, FILTERS);
}

static bool read_value(const struct parser *ps, struct text *tx, struct template_part *part)
{
    part->kind = PART_VALUE;
    part->cut = part->cut_tokens = UINT64_MAX;
    if (!read_subject(ps, tx, part))
        return false;
    for (;;) {
        skip_space(tx);
        if (tx->p == tx->end || *tx->p != '|')
            return take_close(ps, tx, "| or }}");
        tx->p++;
        if (!read_filter(ps, tx, part))
            return false;
    }
}

static const struct {
    const char *word;
    enum part_kind kind;
} block_words[] = {
    {"if",   PART_IF  },
    {"each", PART_EACH},
    {"rows", PART_ROWS},
};

const char *block_word(enum part_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(block_words); i++)
        if (block_words[i].kind == kind)
            return block_words[i].word;
    return "?";
}

static bool read_block_word(const struct parser *ps, struct text *tx, struct tag *tag)
{
    static const char *const names[] = {"if", "each", "rows", NULL};
    struct slice name = take_name(tx);

    if (name.len == 0)
        return unexpected(ps, tx, BLOCKS);
    for (size_t i = 0; i < ARRAY_LEN(block_words); i++) {
        if (slice_is(name, block_words[i].word)) {
            tag->block = block_words[i].kind;
            return true;
        }
    }
    return unknown_name(ps, tx, name, "block", names, BLOCKS);
}

/* Texts and numbers of our own are always there, or cannot be walked through. */
static bool check_subject(const struct parser *ps, const struct tag *tag)
{
    enum part_source s = tag->part.source;
    bool value = s == SOURCE_COLUMN || s == SOURCE_ROW || s == SOURCE_ITEM;
    bool truth = s == SOURCE_FIRST || s == SOURCE_LAST || s == SOURCE_VOCABULARY;

    if (value || (truth && tag->block == PART_IF))
        return true;
    err_set(ps->err, ERR_USAGE, "expected a column behind #%s", block_word(tag->block));
    return tag_fail(ps, &tag->part.place);
}

static bool read_open(const struct parser *ps, struct text *tx, struct tag *tag)
{
    tag->kind = TAG_OPEN;
    tx->p++;
    if (!read_block_word(ps, tx, tag))
        return false;
    tag->part.place = tag->place;
    if (tag->block != PART_ROWS && (!read_subject(ps, tx, &tag->part) || !check_subject(ps, tag)))
        return false;
    tag->part.kind = tag->block;
    tag->part.optional = true;
    return take_close(ps, tx, "}}");
}

static bool read_close(const struct parser *ps, struct text *tx, struct tag *tag)
{
    tag->kind = TAG_CLOSE;
    tx->p++;
    return read_block_word(ps, tx, tag) && take_close(ps, tx, "}}");
}

/* To the next "}}", whatever stands before it. */
static bool read_to_close(const struct parser *ps, struct text *tx, const struct tag *tag,
                          struct slice *out)
{
    const char *start = tx->p + 1;

    while (tx->p < tx->end && !at_close(tx))
        tx->p++;
    if (tx->p == tx->end) {
        err_set(ps->err, ERR_USAGE, "the tag is never closed: expected }}");
        return tag_fail(ps, &tag->place);
    }
    *out = (struct slice){start, (size_t)(tx->p - start)};
    tx->p += 2;
    while (out->len > 0 && is_space(out->p[0]))
        *out = (struct slice){out->p + 1, out->len - 1};
    while (out->len > 0 && is_space(out->p[out->len - 1]))
        out->len--;
    return true;
}

static bool read_partial(const struct parser *ps, struct text *tx, struct tag *tag)
{
    struct slice file = {"", 0};

    tag->kind = TAG_PARTIAL;
    if (!read_to_close(ps, tx, tag, &file))
        return false;
    if (file.len >= 2 && file.p[0] == file.p[file.len - 1] && strchr("\"'", file.p[0]) != NULL)
        file = (struct slice){file.p + 1, file.len - 2};
    if (file.len == 0) {
        err_set(ps->err, ERR_USAGE, "expected the name of a file behind >");
        return tag_fail(ps, &tag->place);
    }
    tag->path = xstrndup(file.p, file.len);
    return true;
}

/* Whether the tag at tx->p is {{else}}. */
static bool take_else(struct text *tx)
{
    const char *start = tx->p;
    struct slice word = take_word(tx);

    skip_space(tx);
    if (slice_is(word, "else") && at_close(tx)) {
        tx->p += 2;
        return true;
    }
    tx->p = start;
    return false;
}

bool tag_read(const struct parser *ps, struct text *tx, struct tag *tag)
{
    struct slice comment;

    tx->p += 2;
    if (tx->p < tx->end && *tx->p == '{') {
        err_set(ps->err, ERR_USAGE,
                "three braces: write {{x}} (nothing is escaped here), or {{{{ for a literal {{");
        return fail(ps, tx, tx->p - 2);
    }
    skip_space(tx);
    tag->place = place_of(tx, tx->p);
    if (tx->p == tx->end)
        return unexpected(ps, tx, "a column");
    switch (*tx->p) {
    case '#': return read_open(ps, tx, tag);
    case '/': return read_close(ps, tx, tag);
    case '>': return read_partial(ps, tx, tag);
    case '!': tag->kind = TAG_COMMENT; return read_to_close(ps, tx, tag, &comment);
    default: break;
    }
    if (take_else(tx)) {
        tag->kind = TAG_ELSE;
        return true;
    }
    tag->kind = TAG_VALUE;
    return read_value(ps, tx, &tag->part);
}
