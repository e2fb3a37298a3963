/*
 * docs/settings.md is written by the table of settings. Without an argument
 * this prints the page; with the path of the committed page it fails when the
 * two differ.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/options.h"

static bool same_text(FILE *f, const char *text, size_t len)
{
    char *have = malloc(len + 1); /* one more, to see a longer file */
    if (have == NULL)
        return false;
    size_t n = fread(have, 1, len + 1, f);
    bool same = n == len && memcmp(have, text, len) == 0;

    free(have);
    return same;
}

static int compare(const char *path)
{
    char *text = NULL;
    size_t len = 0;
    FILE *page = open_memstream(&text, &len);
    FILE *committed = fopen(path, "re");
    bool same = false;

    if (page != NULL) {
        options_print_markdown(page);
        (void)fclose(page);
        same = committed != NULL && same_text(committed, text, len);
    }
    if (!same)
        (void)fprintf(stderr,
                      "%s is not what common/config/options.c says; run: settings_doc > %s\n", path,
                      path);
    if (committed != NULL)
        (void)fclose(committed);
    free(text);
    return same ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return compare(argv[1]);
    options_print_markdown(stdout);
    return EXIT_SUCCESS;
}
