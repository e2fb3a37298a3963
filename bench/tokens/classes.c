/*
 * For bench.py: each line of standard input is a JSON string. Prints for each, separated by blanks,
 * what tokens_of_text() estimates of it for each family, and then how often each class occurs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/scan.h"
#include "common/tokens/tokens.h"
#include "common/tokens/tokens_count.h"

static void print_line(const char *line, size_t len)
{
    struct json_value value;
    struct tokens_count count = {.length = 0};
    char *text = malloc(len + 1);
    size_t size = 0;

    if (text == NULL || !json_scan(line, len, &value, NULL) ||
        !json_string_decode(&value, text, len + 1, &size)) {
        (void)fprintf(stderr, "classes: a line is not a JSON string\n");
        exit(1);
    }
    for (int family = TOKENS_O200K; family <= TOKENS_GLM; family++)
        (void)printf("%" PRIu64 " ", tokens_of_text((enum tokens_family)family, text, size));
    tokens_count_text(&count, value.text + 1, value.text + value.len - 1, true);
    for (int class = 0; class < TOKENS_CLASSES; class ++)
        (void)printf("%" PRIu64 "%c", count.of[class], class + 1 < TOKENS_CLASSES ? ' ' : '\n');
    free(text);
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    while ((len = getline(&line, &cap, stdin)) > 0)
        print_line(line, (size_t)len - (line[len - 1] == '\n'));
    free(line);
    return 0;
}
