/* What people read about the settings: --help and the page in docs/. */
#include <string.h>

#include "common/base/buf.h"
#include "common/base/settings.h"
#include "common/base/units.h"

#define HELP_WIDTH    80
#define HELP_LEFT_MAX 28 /* longer flags have their text on the next line */
#define LINE_MAX_LEN  1024

/* A cut line is still a line: the texts of the table are shorter than the limit. */
#define put(line, ...) ((void)!buf_printf(line, __VA_ARGS__))

static void put_choices(struct buf *line, const struct setting *row, const char *between)
{
    for (size_t i = 0; row->choices[i] != NULL; i++)
        put(line, "%s%s", i > 0 ? between : "", row->choices[i]);
}

/* "--name VALUE" */
static void put_usage(struct buf *line, const struct setting *row, const char *between)
{
    put(line, "--%s", row->name);
    if (row->type == SETTING_FLAG)
        return;
    put(line, " ");
    if (row->type == SETTING_CHOICE && row->value_name == NULL)
        put_choices(line, row, between);
    else
        put(line, "%s", row->value_name != NULL ? row->value_name : "VALUE");
}

static void left_side(struct buf *line, const struct setting *row)
{
    buf_clear(line);
    if (row->short_name != 0)
        put(line, "  -%c, ", row->short_name);
    else
        put(line, "      ");
    put_usage(line, row, "|");
}

/* Write @text in lines up to HELP_WIDTH, those after the first indented; starts at @column. */
static void print_wrapped(FILE *out, const char *text, size_t indent)
{
    size_t column = indent;

    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column > indent && column + 1 + word > HELP_WIDTH) {
            (void)fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            (void)fputc(' ', out);
            column++;
        }
        (void)fprintf(out, "%.*s", (int)word, text);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    (void)fputc('\n', out);
}

static size_t help_indent(const struct settings *s, struct buf *line)
{
    size_t widest = 0;

    for (size_t i = 0; i < s->count; i++) {
        if ((s->rows[i].groups & s->groups) == 0)
            continue;
        left_side(line, &s->rows[i]);
        if (line->len > widest && line->len <= HELP_LEFT_MAX)
            widest = line->len;
    }
    return widest + 2;
}

void settings_print_help(FILE *out, const struct settings *s)
{
    struct buf left = BUF_INIT(LINE_MAX_LEN), text = BUF_INIT(LINE_MAX_LEN);
    size_t indent = help_indent(s, &left);

    for (size_t i = 0; i < s->count; i++) {
        const struct setting *row = &s->rows[i];
        if ((row->groups & s->groups) == 0)
            continue;

        left_side(&left, row);
        buf_clear(&text);
        put(&text, "%s", row->help);
        if (row->preset != NULL)
            put(&text, " (default: %s)", row->preset);

        (void)fputs(left.data, out);
        size_t column = left.len;
        if (column + 2 > indent) {
            (void)fputc('\n', out);
            column = 0;
        }
        (void)fprintf(out, "%*s", (int)(indent - column), "");
        print_wrapped(out, text.data, indent);
    }
    buf_release(&left);
    buf_release(&text);
}

/* "At least 1s.", "0 to 64." */
static void put_range(struct buf *line, const struct setting *row)
{
    char min[UNITS_TEXT_MAX], max[UNITS_TEXT_MAX];

    if (row->type != SETTING_INT && row->type != SETTING_SIZE && row->type != SETTING_DURATION)
        return;
    (void)settings_format_limit(row, row->min, min);
    (void)settings_format_limit(row, row->max, max);
    if (row->max != 0)
        put(line, " %s to %s.", min, max);
    else if (row->min != 0)
        put(line, " At least %s.", min);
}

static void put_groups(struct buf *line, unsigned bits, const struct setting_group *groups)
{
    bool first = true;

    for (; groups->name != NULL; groups++) {
        if ((bits & groups->bit) == 0)
            continue;
        put(line, "%s%s", first ? "" : ", ", groups->name);
        first = false;
    }
}

/* A cell of the table with @code in it, or a dash. */
static void put_cell(struct buf *line, const char *code)
{
    if (code == NULL)
        put(line, " – |");
    else
        put(line, " `%s` |", code);
}

static void put_row(struct buf *line, const struct setting *row, const struct setting_group *groups)
{
    char env[SETTING_NAME_MAX], key[SETTING_NAME_MAX];
    bool in_env = (row->refuses & SETTING_NOT_IN_ENVIRONMENT) == 0;
    bool in_file = (row->refuses & SETTING_NOT_IN_FILE) == 0;

    put(line, "| `");
    put_usage(line, row, "\\|");
    put(line, "`");
    if (row->short_name != 0)
        put(line, ", `-%c`", row->short_name);
    put(line, " | %s |", row->preset != NULL ? row->preset : "–");
    put_cell(line, in_env ? settings_env_name(row, env) : NULL);
    put_cell(line, in_file ? settings_key_name(row, key) : NULL);
    put(line, " ");
    put_groups(line, row->groups, groups);
    put(line, " | %s", row->help);
    put_range(line, row);
    put(line, " |\n");
}

void settings_print_markdown(FILE *out, const struct settings *s,
                             const struct setting_group *groups)
{
    struct buf line = BUF_INIT(LINE_MAX_LEN);

    (void)fputs("| Flag | Default | Environment | In the file | Taken by | Meaning |\n"
                "|---|---|---|---|---|---|\n",
                out);
    for (size_t i = 0; i < s->count; i++) {
        buf_clear(&line);
        put_row(&line, &s->rows[i], groups);
        (void)fputs(line.data, out);
    }
    buf_release(&line);
}
