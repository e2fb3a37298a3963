#include "common/protocol/protocol_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"

struct word {
    const char *bytes; /* NULL: @digits, which moves when the array grows */
    size_t len;
    char digits[24];
};

static struct word *words_next(struct words *w)
{
    if (w->count == w->cap) {
        w->cap = w->cap == 0 ? 32 : 2 * w->cap;
        w->items = xrealloc(w->items, w->cap, sizeof(*w->items));
    }
    return &w->items[w->count++];
}

void words_bytes(struct words *w, const void *bytes, size_t len)
{
    struct word *word = words_next(w);

    word->bytes = len != 0 ? bytes : "";
    word->len = len;
}

void words_text(struct words *w, const char *text)
{
    words_bytes(w, text, text != NULL ? strlen(text) : 0);
}

void words_number(struct words *w, int64_t number)
{
    struct word *word = words_next(w);

    word->bytes = NULL;
    word->len = (size_t)snprintf(word->digits, sizeof(word->digits), "%" PRId64, number);
}

void words_unsigned(struct words *w, uint64_t number)
{
    struct word *word = words_next(w);

    word->bytes = NULL;
    word->len = (size_t)snprintf(word->digits, sizeof(word->digits), "%" PRIu64, number);
}

void words_seal(struct words *w)
{
    w->argv = xcalloc(w->count + 1, sizeof(*w->argv));
    w->argvlen = xcalloc(w->count + 1, sizeof(*w->argvlen));
    for (size_t i = 0; i < w->count; i++) {
        w->argv[i] = w->items[i].bytes != NULL ? w->items[i].bytes : w->items[i].digits;
        w->argvlen[i] = w->items[i].len;
    }
}

void words_release(struct words *w)
{
    free(w->items);
    free(w->argv);
    free(w->argvlen);
    *w = (struct words){0};
}
