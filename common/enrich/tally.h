#ifndef ENRICH_TALLY_H
#define ENRICH_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How often texts came, in bounded memory: the first @max_texts different ones are counted each by
 * itself, all others together.
 */

/** A text is counted by its first bytes; what was cut ends in "…". */
#define TALLY_TEXT_MAX 160

struct tally_entry {
    char *text; /* NUL-terminated UTF-8 */
    uint64_t count;
};

struct tally;

/** Free with tally_free(). */
struct tally *tally_new(size_t max_texts);

/** NULL is fine. */
void tally_free(struct tally *t);

/** The text came @count times more. A NUL in it ends it. */
void tally_add(struct tally *t, const char *text, size_t len, uint64_t count);

/** All that came. */
uint64_t tally_total(const struct tally *t);

/** Of these, with a text beyond the first ones. */
uint64_t tally_others(const struct tally *t);

/** Different texts that are counted by themselves. */
size_t tally_texts(const struct tally *t);

/**
 * The texts, the most frequent first, equals in byte order: *@count of them, at most @max. Borrowed
 * until the next tally_add().
 */
const struct tally_entry *tally_top(struct tally *t, size_t max, size_t *count);

#endif
