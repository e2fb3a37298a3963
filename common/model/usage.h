#ifndef MODEL_USAGE_H
#define MODEL_USAGE_H

#include <stdint.h>

/**
 * Tokens of one answer or of many, as the provider says in `usage`. @cached is the part of @prompt
 * that it had seen before, @reasoning the part of @completion that nobody sees (both are inside,
 * not beside: OpenAI's API reference, prompt_tokens_details and completion_tokens_details).
 */
struct usage {
    uint64_t prompt, cached, completion, reasoning;
};

/** Add @more to @total; a sum stops at the largest number. */
static inline void usage_add(struct usage *total, const struct usage *more)
{
    const uint64_t *from[] = {&more->prompt, &more->cached, &more->completion, &more->reasoning};
    uint64_t *to[] = {&total->prompt, &total->cached, &total->completion, &total->reasoning};

    for (int i = 0; i < 4; i++)
        *to[i] = *from[i] > UINT64_MAX - *to[i] ? UINT64_MAX : *to[i] + *from[i];
}

#endif
