#include "common/base/nearest.h"

#include <string.h>

#define LENGTH_MAX 48 /* longer words are compared with nothing */

static bool same_letter(char a, char b)
{
    return a == b || (a == '_' && b == '-') || (a == '-' && b == '_');
}

bool nearest_same(const char *a, const char *b)
{
    size_t n = 0;

    while (a[n] != '\0' && same_letter(a[n], b[n]))
        n++;
    return a[n] == '\0' && b[n] == '\0';
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to add, drop or change to make @a of @b (Levenshtein); @b has at most LENGTH_MAX. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t width = strlen(b);
    size_t line[LENGTH_MAX + 1];

    for (size_t j = 0; j <= width; j++)
        line[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = line[0];
        line[0] = i + 1;
        for (size_t j = 1; j <= width; j++) {
            size_t changed = diagonal + (same_letter(a[i], b[j - 1]) ? 0 : 1);
            diagonal = line[j];
            line[j] = least(changed, least(line[j], line[j - 1]) + 1);
        }
    }
    return line[width];
}

bool nearest_look(struct nearest *n, const char *name)
{
    size_t len = strlen(n->word);
    size_t best = n->name != NULL ? n->distance : (len + 1) / 3 + 1; /* further is another word */

    if (len > LENGTH_MAX)
        return false;
    bool begun = len >= 3 && strncmp(name, n->word, len) == 0;
    size_t distance = begun ? 1 : edit_distance(name, n->word);
    if (distance >= best)
        return false;
    n->name = name;
    n->distance = distance;
    return true;
}

const char *nearest_of(const char *word, const char *const *names)
{
    struct nearest n = {.word = word};

    for (; *names != NULL; names++)
        (void)nearest_look(&n, *names);
    return n.name;
}
