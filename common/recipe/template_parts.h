#ifndef RECIPE_TEMPLATE_PARTS_H
#define RECIPE_TEMPLATE_PARTS_H

/* What a template is once it is parsed: between the files of template.h, not for others. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/recipe/template.h"

/*
 * A template is a list of parts, done one after the other; blocks are jumps in it:
 *
 *     {{#if a}} A {{else}} B {{/if}}        IF(->2) A JUMP(->3) [2] B [3]
 *     {{#each a}} A {{else}} B {{/each}}    EACH(->2) A NEXT(->3) [2] B [3]
 *     {{#rows}} A {{/rows}}                 ROWS A NEXT(->2) [2]
 */
enum part_kind {
    PART_TEXT,
    PART_VALUE,
    PART_IF,
    PART_JUMP,
    PART_EACH,
    PART_ROWS,
    PART_NEXT, /* back behind its EACH or ROWS while there is something left */
};

/** Where a value is taken from. */
enum part_source {
    SOURCE_COLUMN, /* of the row */
    SOURCE_ROW,    /* {{this}} outside {{#each}}: all of it */
    SOURCE_ITEM,   /* {{this}} or {{this.path}} in {{#each}} */
    SOURCE_KEY,    /* {{@key}} */
    SOURCE_INDEX,  /* {{@index}}, from 0 */
    SOURCE_NUMBER, /* {{@number}}, from 1 */
    SOURCE_FIRST,
    SOURCE_LAST,
    SOURCE_ID,
    SOURCE_ROW_INDEX,
    SOURCE_VOCABULARY,
};

struct template_part {
    enum part_kind kind;
    enum part_source source; /* of VALUE, IF, EACH */
    char *path;              /* owned; NULL: the thing itself */
    char *text;              /* owned; of TEXT, and the default of VALUE; NULL: none */
    size_t text_len;
    uint64_t cut, cut_tokens;    /* UINT64_MAX: not cut */
    bool json;                   /* written as a JSON value */
    bool in_rows;                /* inside {{#rows}} */
    bool optional;               /* that the column is missing is no error */
    size_t target;               /* part to go on with: of a jump that is taken */
    size_t begin;                /* of NEXT: its EACH or ROWS */
    struct template_place place; /* its name is borrowed from the template; of TEXT no line: 0 */
};

struct template
{
    struct template_part *parts;
    size_t count, room;
    char **names; /* of the text and its partials, for the places */
    size_t name_count;
    size_t bytes; /* what it comes to, for TEMPLATE_BYTES_MAX */
    bool has_rows, uses_row, uses_vocabulary;
};

#endif
