#ifndef TOKENS_TOKENS_H
#define TOKENS_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/json/scan.h"

/*
 * How many tokens a text has, estimated from the classes of its characters: words, digits, Han,
 * punctuation and so on each weigh what they weigh on average with one family of tokenizers. Pure
 * arithmetic on whole numbers: the same text gives the same number everywhere. How good it is, and
 * on what it was measured: docs/cost.md and bench/tokens.
 */

/** Tokenizers whose weights are known. */
enum tokens_family {
    TOKENS_O200K,     /* OpenAI from gpt-4o on */
    TOKENS_CL100K,    /* gpt-4, gpt-3.5, text-embedding-3 */
    TOKENS_QWEN3,     /* Qwen */
    TOKENS_DEEPSEEK3, /* DeepSeek V3, R1 and later */
    TOKENS_GLM,       /* Zhipu's GLM */
};

/** "o200k", "cl100k", "qwen3", "deepseek3", "glm". */
const char *tokens_family_name(enum tokens_family family);

/** By the first letters of the model's name, behind the last "/"; any other is TOKENS_O200K. */
enum tokens_family tokens_family_of(const char *model);

/** Tokens of @len bytes of UTF-8; a byte that is none is a character of its own. */
uint64_t tokens_of_text(enum tokens_family family, const char *utf8, size_t len);

/**
 * Length in bytes of the longest beginning of @utf8 that has at most @max_tokens tokens; it ends
 * between characters.
 */
size_t tokens_cut(enum tokens_family family, const char *utf8, size_t len, uint64_t max_tokens);

/** What a request takes. */
struct tokens_estimate {
    uint64_t input;
    uint64_t max_output; /* the ceiling that it sets, for all its choices; 0: it sets none */
};

/**
 * Estimate a request's body (of chat completions, completions, responses or embeddings) as it is
 * in the input line: texts are decoded as they are counted (\u4f60 is one Han character), nothing
 * is allocated. Counted are messages[].content, .reasoning_content, .name and tool calls, system,
 * instructions, input, prompt, tools, functions and response_format; for each message what the
 * provider puts around it; for each image TOKENS_AN_IMAGE. False when @body is not an object.
 */
MUST_CHECK bool tokens_of_body(enum tokens_family family, const struct json_value *body,
                               struct tokens_estimate *out);

/**
 * An image of unknown size, as in a URL: what a 1,024 x 1,024 one takes at OpenAI with detail
 * "high": 85 + 4 x 170 (platform.openai.com/docs/guides/images-vision).
 */
#define TOKENS_AN_IMAGE 765

/*
 * Calibration: estimates are put right by what the provider says that requests took.
 */

/** Sums over requests of one kind (one model, one analysis). {0}: nothing is known. */
struct calibration {
    uint64_t estimated, actual;
};

/** Past this many tokens both sums are halved, so that old answers weigh ever less. */
#define CALIBRATION_WINDOW UINT64_C(16000000)

/** With fewer estimated tokens nothing is put right yet. */
#define CALIBRATION_MIN UINT64_C(1000)

/** An actual number beyond these shares of the estimate is not believed: 1/4 and 4. */
#define CALIBRATION_PERMILLE_LOW  250
#define CALIBRATION_PERMILLE_HIGH 4000

/** Requests that were estimated at @estimated tokens took @actual. */
void calibration_note(struct calibration *c, uint64_t estimated, uint64_t actual);

/**
 * What to multiply an estimate by, in thousandths: actual * 1000 / estimated, rounded half up,
 * kept within the bounds above; 1000 when too little is known.
 */
unsigned calibration_permille(const struct calibration *c);

/** @tokens put right: times calibration_permille(), divided by 1000, rounded up. */
uint64_t calibration_apply(const struct calibration *c, uint64_t tokens);

/**
 * How far the estimates were off, in thousandths of the actual number: 50 when they were 5 % too
 * high, negative when too low; 0 when nothing came back yet.
 */
int calibration_error_permille(const struct calibration *c);

#endif
