#ifndef RECIPE_TEMPLATE_H
#define RECIPE_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/json/scan.h"
#include "common/tokens/tokens.h"

struct buf;

/*
 * A prompt with places for a row's columns: parsed once, rendered for each row. What it
 * understands is in docs/recipes.md, "Templates". Rendering is pure, looks at nothing but its
 * arguments and allocates nothing but the growth of the buffer it is given.
 */
struct template;

/** Deepest chain of {{> partial}} files, and of {{#if}} and {{#each}} blocks inside each other. */
#define TEMPLATE_DEPTH_MAX 16

/** The most a template may come to, its partials filled in at every place. */
#define TEMPLATE_BYTES_MAX (4U << 20)

/** How {{> path}} is read. */
struct template_files {
    /**
     * The file at @path, as it is written in the template: *@text and *@len, borrowed until
     * template_parse() has returned. False: @err has the reason without the path.
     */
    bool (*read)(void *arg, const char *path, const char **text, size_t *len, struct err *err);
    void *arg;
};

/**
 * Parse @len bytes of UTF-8. @name is what messages call the text, "prompts/topics.md";
 * @files may be NULL: then there are no partials. All is copied; free with template_free().
 * NULL: ERR_USAGE, "name:line:column: what was expected"; in a partial its own name and place.
 */
struct template *template_parse(const char *name, const char *text, size_t len,
                                const struct template_files *files, struct err *err);

/** A text that is part of a file. */
struct template_text {
    const char *name; /* of the file */
    const char *text; /* len bytes of UTF-8 */
    size_t len;
    size_t line;   /* where it begins in the file, from 1 */
    size_t indent; /* columns that stand before each of its lines there */
};

/** The same for a part of a file; places are those in the file. */
struct template *template_parse_part(const struct template_text *text,
                                     const struct template_files *files, struct err *err);

/** NULL is fine. */
void template_free(struct template *t);

/** A row of a pack. */
struct template_row {
    const struct json_value *row; /* a checked JSON object, part of a longer text or followed by
                                     a NUL or a newline */
    const char *id;               /* {{_id}} */
    uint64_t index;               /* {{_index}} */
};

/** What a template is filled with; all is borrowed for the call. */
struct template_input {
    const struct template_row *row;  /* NULL in a pack */
    const struct template_row *rows; /* for {{#rows}}; NULL: not a pack */
    size_t row_count;
    const char *vocabulary;    /* {{vocabulary}}; NULL: there is none */
    enum tokens_family family; /* whose tokens `cut_tokens` counts */
    bool missing_is_empty;     /* {{x}} of a column that is missing or null is empty, no error */
};

/**
 * Append the text to @out: decoded UTF-8, nothing escaped. False, with @out as it was: ERR_INPUT
 * when the row does not have what the template needs, ERR_PERMANENT when @out would pass its limit;
 * "name:line:column: ..." (in a pack with the row's id behind it).
 */
MUST_CHECK bool template_render(const struct template *t, const struct template_input *input,
                                struct buf *out, struct err *err);

/**
 * What @row adds to a pack: only the insides of {{#rows}}, as template_render() would write them
 * for this row. So a row that cannot be rendered is found, and the size of each row is known,
 * before a pack is put together. The same failures. @input's row and rows do not count.
 */
MUST_CHECK bool template_render_row(const struct template *t, const struct template_input *input,
                                    const struct template_row *row, struct buf *out,
                                    struct err *err);

/** A place in a template. Borrowed from the template. */
struct template_place {
    const char *name;    /* of the template or partial */
    size_t line, column; /* of the tag's name, from 1; columns are characters */
};

/**
 * One use of a column. @path is as row_at() takes it. @optional: that it is missing is no error
 * here: it has a default, or it is what an {{#if}} or {{#each}} asks for, or stands inside that.
 */
typedef void (*template_column_fn)(void *arg, const char *path, const struct template_place *place,
                                   bool optional);

/** Call @fn for each use of a column of the row, in the order of the text. */
void template_columns(const struct template *t, template_column_fn fn, void *arg);

/** Whether it has a {{#rows}} block, which only packs have. */
bool template_has_rows(const struct template *t);

/** Whether it asks for something of a row (a column, _id, _index) outside {{#rows}}. */
bool template_uses_row(const struct template *t);

/** Whether it has {{vocabulary}}. */
bool template_uses_vocabulary(const struct template *t);

#endif
