/*
 * The tables in docs/retries.md are written by the table of common/provider/retry.c. Without an
 * argument this prints them; with the path of the page it fails when one of them is not in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/provider/retry.h"

#define PAGE_MAX 65536

static void print_class(FILE *out, const struct retry_row *row)
{
    const char *joint = " *(";

    if (row->class == RETRY_ANY)
        (void)fprintf(out, "| anything else");
    else if (row->step == RETRY_ROW)
        (void)fprintf(out, "| `%s`", row_class_name((enum row_class)row->class));
    else
        (void)fprintf(out, "| `%s`", provider_class_name((enum provider_class)row->class));
    for (unsigned i = 0; i < RETRY_WHENS; i++) {
        if ((row->when & 1U << i) == 0)
            continue;
        (void)fprintf(out, "%s%s", joint, retry_when_name((enum retry_when)(1U << i)));
        joint = ", ";
    }
    (void)fprintf(out, "%s", row->when != 0 ? ")*" : "");
}

static void print_wait(FILE *out, const struct retry_row *row)
{
    char from[UNITS_TEXT_MAX];
    char to[UNITS_TEXT_MAX];

    if (row->cap_ms == 0) {
        (void)fprintf(out, " |");
        return;
    }
    (void)fprintf(out, " | %s%s", (row->flags & RETRY_JITTER) != 0 ? "up to " : "",
                  units_format_duration(row->base_ms, from));
    if (row->cap_ms != row->base_ms)
        (void)fprintf(out, ", doubling to %s", units_format_duration(row->cap_ms, to));
    if ((row->flags & RETRY_POLLS) != 0)
        (void)fprintf(out, " †");
}

static void print_row(FILE *out, const struct retry_row *row)
{
    print_class(out, row);
    (void)fprintf(out, " | `%s`%s", retry_action_name(row->action),
                  (row->flags & RETRY_TELL) != 0 ? " !" : "");
    if (row->lesson != RETRY_NO_LESSON)
        (void)fprintf(out, "; %s", retry_lesson_name(row->lesson));
    print_wait(out, row);
    if (row->tries != 0)
        (void)fprintf(out, " | %u%s, then the next row |\n", row->tries,
                      (row->flags & RETRY_ROUNDS) == 0 ? ""
                      : row->tries == 1                ? " batch"
                                                       : " batches");
    else
        (void)fprintf(out, " | |\n");
}

static void print_step(FILE *out, enum retry_step step)
{
    size_t count = 0;
    const struct retry_row *rows = retry_rows(&count);

    (void)fprintf(out, "| `%s` | what is done | wait | times |\n|---|---|---|---|\n",
                  retry_step_name(step));
    for (size_t i = 0; i < count; i++) {
        if (rows[i].step == step)
            print_row(out, &rows[i]);
    }
}

static char *table_of(enum retry_step step)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (out == NULL)
        abort();
    print_step(out, step);
    (void)fclose(out);
    return text;
}

static int compare(const char *path)
{
    static char page[PAGE_MAX];
    FILE *f = fopen(path, "re");
    size_t len = f == NULL ? 0 : fread(page, 1, sizeof(page) - 1, f);
    int code = EXIT_SUCCESS;

    page[len] = '\0';
    if (f != NULL)
        (void)fclose(f);
    for (unsigned step = 0; step < RETRY_STEPS; step++) {
        char *table = table_of((enum retry_step)step);

        if (strstr(page, table) == NULL) {
            (void)fprintf(stderr, "%s lacks this table; run: retries_doc\n%s\n", path, table);
            code = EXIT_FAILURE;
        }
        free(table);
    }
    return code;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return compare(argv[1]);
    for (unsigned step = 0; step < RETRY_STEPS; step++) {
        print_step(stdout, (enum retry_step)step);
        printf("\n");
    }
    return EXIT_SUCCESS;
}
