#include "cli/core/nearest.h"

#include <string.h>

#define WORD_MAX 32

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

/* Letters to insert, remove or change; two swapped neighbours are two changes. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[WORD_MAX + 1];
    size_t len = strlen(b);

    for (unsigned j = 0; j <= len; j++)
        row[j] = j;
    for (unsigned i = 0; a[i] != '\0'; i++) {
        unsigned corner = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < len; j++) {
            unsigned up = row[j + 1];

            row[j + 1] = least(up + 1, row[j] + 1, corner + (a[i] != b[j]));
            corner = up;
        }
    }
    return row[len];
}

const char *nearest_name(const char *word, const char *const *names)
{
    size_t len = strlen(word);
    unsigned best = len < 4 ? 2 : 3; /* below this many changes */
    const char *found = NULL;

    if (len > WORD_MAX)
        return NULL;
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strlen(names[i]) > WORD_MAX)
            continue;
        unsigned d = distance(word, names[i]);

        if (d < best) {
            best = d;
            found = names[i];
        }
    }
    return found;
}
