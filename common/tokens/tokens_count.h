#ifndef TOKENS_TOKENS_COUNT_H
#define TOKENS_TOKENS_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/tokens/tokens.h"

/*
 * What a text is made of, for tokens.c and for bench/tokens, which finds the weights: how often
 * each class occurs. The classes follow how byte-pair tokenizers of OpenAI's kind cut a text before
 * they merge bytes (openai/tiktoken, tiktoken_ext/openai_public.py): a word with the space before
 * it, up to three digits, a run of punctuation, a run of line ends, a run of blanks.
 */

enum tokens_class {
    TOKENS_WORD,       /* a run of letters of alphabets */
    TOKENS_LONG,       /* its Latin letters beyond the fifth */
    TOKENS_UPPER,      /* its upper-case letters behind another one: ASCII */
    TOKENS_ACCENT,     /* its letters beyond ASCII: é */
    TOKENS_CYRILLIC,   /* its letters that are Cyrillic or Greek */
    TOKENS_DIGIT,      /* a digit */
    TOKENS_DIGITS,     /* the first of up to three digits */
    TOKENS_PUNCT,      /* a sign of ASCII punctuation */
    TOKENS_PUNCT_RUN,  /* a run of them */
    TOKENS_LONE_SPACE, /* a space that nothing behind it takes: before a digit */
    TOKENS_BLANKS,     /* a run of two blanks and more */
    TOKENS_LINE_ENDS,  /* a run of line ends */
    TOKENS_HAN,
    TOKENS_HAN_RUN,   /* a run of them */
    TOKENS_KANA,      /* Hiragana, Katakana */
    TOKENS_HANGUL,    /* a syllable */
    TOKENS_CJK_PUNCT, /* 。，「 and full-width forms */
    TOKENS_SYMBOL,    /* a dash, an arrow, a line of a box */
    TOKENS_OTHER,     /* any other character of two or three bytes: Arabic, Hindi, Thai */
    TOKENS_RARE,      /* a character of four bytes, an emoji; a byte that is no UTF-8 */
    TOKENS_CLASSES,
};

/** What came last. */
enum tokens_run {
    TOKENS_RUN_NONE,
    TOKENS_RUN_WORD,
    TOKENS_RUN_DIGITS,
    TOKENS_RUN_PUNCT,
    TOKENS_RUN_BLANK,
    TOKENS_RUN_LINE,
    TOKENS_RUN_HAN,
    TOKENS_RUN_OTHER,
};

/** A count that goes on over pieces of one text. Start with {0}. */
struct tokens_count {
    uint64_t of[TOKENS_CLASSES];
    enum tokens_run run;
    uint32_t length; /* characters of that run */
    bool upper;      /* the last letter was an upper-case one of ASCII */
};

/**
 * Count [@p, @end), which begins and ends between characters. @json: it is the inside of a JSON
 * string that was checked; escapes count as what they stand for.
 */
void tokens_count_text(struct tokens_count *c, const char *p, const char *end, bool json);

/** Tokens of what was counted: the weighted sum, rounded half up; 0 only where nothing weighs. */
uint64_t tokens_of_count(enum tokens_family family, const struct tokens_count *c);

#endif
