#ifndef TOKENS_TOKENS_H
#define TOKENS_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/json/scan.h"
#include "common/tokens/calibration.h"

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
    uint64_t
        max_output; /* ceiling that it sets, for all its choices; at most UINT32_MAX; 0: none */
};

/**
 * Estimate a request's body (of chat completions, completions, responses or embeddings) as it is
 * in the input line, checked by the scanner: texts are decoded as they are counted (\u4f60 is one
 * Han character), nothing is allocated. Counted are messages[] (content, reasoning_content, name,
 * tool_calls), input, prompt, system and instructions; tools, functions, response_format and text
 * as JSON; for each message what the provider puts around it; for each image TOKENS_AN_IMAGE. The
 * ceiling is the first of max_completion_tokens, max_output_tokens and max_tokens, times n, or
 * best_of where that is more (so many are made and billed, and n are given back), times the
 * prompts in a list (platform.openai.com/docs/api-reference/completions/create). False when @body
 * is not an object.
 */
MUST_CHECK bool tokens_of_body(enum tokens_family family, const struct json_value *body,
                               struct tokens_estimate *out);

/**
 * An image of unknown size, as in a URL: what a 1,024 x 1,024 one takes at OpenAI with detail
 * "high": 85 + 4 x 170 (platform.openai.com/docs/guides/images-vision).
 */
#define TOKENS_AN_IMAGE 765

#endif
