#ifndef PROTOCOL_PROTOCOL_WORDS_H
#define PROTOCOL_PROTOCOL_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct word;

/**
 * The ARGV of one call while it is put together. Texts and bytes are borrowed
 * until words_release(). Zero-initialise it.
 */
struct words {
    struct word *items;
    size_t count, cap;
    const char **argv; /* after words_seal() */
    size_t *argvlen;
};

/** NULL is the empty word. */
void words_text(struct words *w, const char *text);

void words_bytes(struct words *w, const void *bytes, size_t len);
void words_number(struct words *w, int64_t number);
void words_unsigned(struct words *w, uint64_t number);

/** Fill @argv and @argvlen. Nothing can be added behind. */
void words_seal(struct words *w);

void words_release(struct words *w);

#endif
