#include <string.h>

#include "common/recipe/recipe_loader.h"

/* The rest of a line, without its end. */
static size_t line_length(const char *p)
{
    size_t len = strcspn(p, "\n");

    return len > 0 && p[len] == '\n' && p[len - 1] == '\r' ? len - 1 : len;
}

/* Behind the end of the line; NULL behind the last one. */
static const char *next_line(const char *p)
{
    p = strchr(p, '\n');
    return p != NULL ? p + 1 : NULL;
}

static const char *find_line(const char *text, size_t line)
{
    for (size_t i = 1; text != NULL && i < line; i++)
        text = next_line(text);
    return text;
}

/* Whether there is a "|" at @column of the line; columns are code points. */
static bool opens_block(const char *line, size_t column)
{
    size_t len = line_length(line);
    size_t at = 0;

    for (size_t i = 0; i < len; i++) {
        at += ((unsigned char)line[i] & 0xC0) != 0x80;
        if (at == column)
            return line[i] == '|';
    }
    return false;
}

/* Spaces before the first line that has something in it. */
static bool find_indent(const char *file, const char *value, size_t *out)
{
    for (; file != NULL && value != NULL; file = next_line(file), value = next_line(value)) {
        size_t want = line_length(value), have = line_length(file);

        if (want == 0)
            continue;
        *out = have - want;
        return have >= want;
    }
    return false;
}

/* Whether @file has the lines of @value, each behind @indent spaces. */
static bool same_lines(const char *file, const char *value, size_t indent)
{
    for (; value != NULL && value[0] != '\0'; file = next_line(file), value = next_line(value)) {
        if (file == NULL)
            return false;
        size_t want = line_length(value), have = line_length(file);

        if (want == 0 && have <= indent)
            continue;
        if (have != indent + want || strspn(file, " ") < indent ||
            memcmp(file + indent, value, want) != 0)
            return false;
    }
    return true;
}

bool node_block(const struct recipe_loader *l, size_t node, struct node_block *out)
{
    const struct tree_node *n = &l->tree->nodes[node];
    const char *head = l->text != NULL && n->value != NULL ? find_line(l->text, n->line) : NULL;
    size_t indent;

    if (head == NULL || !n->quoted || !opens_block(head, n->column))
        return false;
    const char *body = next_line(head);
    if (!find_indent(body, n->value, &indent) || !same_lines(body, n->value, indent))
        return false;
    *out = (struct node_block){.line = n->line + 1, .indent = indent};
    return true;
}
