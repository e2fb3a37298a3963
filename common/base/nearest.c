#include "common/base/nearest.h"

#include <stdint.h>
#include <string.h>

#define LENGTH_MAX 48 /* letters; longer words are compared with nothing */

static bool same_letter(uint32_t a, uint32_t b)
{
    return a == b || (a == '_' && b == '-') || (a == '-' && b == '_');
}

bool nearest_same(const char *a, const char *b)
{
    size_t n = 0;

    while (a[n] != '\0' && same_letter((unsigned char)a[n], (unsigned char)b[n]))
        n++;
    return a[n] == '\0' && b[n] == '\0';
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A word in letters: the bytes of one code point of UTF-8 are one, whatever they are. */
struct letters {
    uint32_t at[LENGTH_MAX];
    size_t count;
};

/* False: it has too many. */
static bool spell(const char *text, struct letters *out)
{
    out->count = 0;
    for (const char *p = text; *p != '\0';) {
        uint32_t letter = (unsigned char)*p++;

        while (((unsigned char)*p & 0xC0) == 0x80)
            letter = letter << 8 | (unsigned char)*p++;
        if (out->count == LENGTH_MAX)
            return false;
        out->at[out->count++] = letter;
    }
    return true;
}

/*
 * Letters to add, drop, change, or to swap with their neighbour, to make @a of @b: the distance of
 * "optimal string alignment" (https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance).
 */
static size_t edit_distance(const struct letters *a, const struct letters *b)
{
    size_t lines[3][LENGTH_MAX + 1];
    size_t *above = lines[1], *line = lines[0], *two_above = lines[2];

    for (size_t j = 0; j <= b->count; j++)
        line[j] = j;
    for (size_t i = 1; i <= a->count; i++) {
        size_t *oldest = two_above;

        two_above = above;
        above = line;
        line = oldest;
        line[0] = i;
        for (size_t j = 1; j <= b->count; j++) {
            bool same = same_letter(a->at[i - 1], b->at[j - 1]);

            line[j] = least(above[j - 1] + !same, least(above[j], line[j - 1]) + 1);
            if (i > 1 && j > 1 && a->at[i - 1] == b->at[j - 2] && a->at[i - 2] == b->at[j - 1])
                line[j] = least(line[j], two_above[j - 2] + 1);
        }
    }
    return line[b->count];
}

/* Mistakes in @word that may be, if @name was meant: something must be left of it. */
static size_t most_mistakes(const struct letters *word, const struct letters *name)
{
    size_t longer = word->count > name->count ? word->count : name->count;

    return word->count == 0 ? 0 : least((longer + 1) / 3, word->count - 1);
}

bool nearest_look(struct nearest *n, const char *name)
{
    struct letters word, other;
    size_t len = strlen(n->word);

    if (!spell(n->word, &word))
        return false;
    bool begun = len >= 3 && strncmp(name, n->word, len) == 0;
    if (!begun && !spell(name, &other))
        return false;
    size_t distance = begun ? 1 : edit_distance(&other, &word);
    if ((!begun && distance > most_mistakes(&word, &other)) ||
        (n->name != NULL && distance >= n->distance))
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
