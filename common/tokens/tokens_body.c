#include "common/tokens/tokens.h"
#include "common/tokens/tokens_count.h"

/*
 * What a chat template puts around a message: OpenAI counts 3 of them with its role
 * (cookbook.openai.com, "How to count tokens with tiktoken"); Qwen's ChatML has <|im_start|>, the
 * role, a line end, <|im_end|> and a line end; GLM-4 has <|user|> and a line end.
 */
#define A_MESSAGE 4

/* The same for the answer that is begun. */
#define AN_ANSWER 3

/* Lists in lists: the tokens of several texts. */
#define LISTS_MAX 2

static void count_string(struct tokens_count *c, const struct json_value *value)
{
    if (value->kind != JSON_STRING)
        return;
    c->run = TOKENS_RUN_NONE;
    tokens_count_text(c, value->text + 1, value->text + value->len - 1, true);
}

/* Tools and schemas are shown to the model as JSON, more or less. */
static void count_raw(struct tokens_count *c, const struct json_value *value)
{
    if (value->kind != JSON_ARRAY && value->kind != JSON_OBJECT)
        return;
    c->run = TOKENS_RUN_NONE;
    tokens_count_text(c, value->text, value->text + value->len, false);
}

/* One part of a message: its text, and what else it takes. */
static uint64_t count_part(struct tokens_count *c, const struct json_value *part)
{
    static const char *const names[] = {"type", "text", "content", "output", "image_url"};
    struct json_value found[ARRAY_LEN(names)];

    json_members(part, names, ARRAY_LEN(names), found);
    for (size_t i = 1; i < ARRAY_LEN(names) - 1; i++)
        count_string(c, &found[i]);
    return found[ARRAY_LEN(names) - 1].kind != JSON_ABSENT ||
                   json_string_equals(&found[0], "input_image")
               ? TOKENS_AN_IMAGE
               : 0;
}

/* A string, a list of strings, parts or numbers, which are tokens, or a list of such lists. */
static uint64_t count_content(struct tokens_count *c, const struct json_value *content)
{
    struct json_iter levels[LISTS_MAX] = {json_iter_begin(content)};
    struct json_value item;
    uint64_t tokens = 0;
    int depth = 0;

    count_string(c, content);
    while (content->kind == JSON_ARRAY && depth >= 0) {
        if (!json_iter_next(&levels[depth], NULL, &item)) {
            depth--;
            continue;
        }
        count_string(c, &item);
        tokens += item.kind == JSON_NUMBER;
        if (item.kind == JSON_OBJECT)
            tokens += count_part(c, &item);
        else if (item.kind == JSON_ARRAY && depth + 1 < LISTS_MAX)
            levels[++depth] = json_iter_begin(&item);
    }
    return tokens;
}

static uint64_t count_message(struct tokens_count *c, const struct json_value *message)
{
    static const char *const names[] = {"content", "tool_calls", "reasoning_content",
                                        "name",    "output",     "arguments"};
    struct json_value found[ARRAY_LEN(names)];

    json_members(message, names, ARRAY_LEN(names), found);
    count_raw(c, &found[1]);
    for (size_t i = 2; i < ARRAY_LEN(names); i++)
        count_string(c, &found[i]);
    return count_content(c, &found[0]) + A_MESSAGE;
}

/* A list of messages; what is in it and no object is text (input of embeddings). */
static uint64_t count_messages(struct tokens_count *c, const struct json_value *messages)
{
    struct json_iter it = json_iter_begin(messages);
    struct json_value message;
    uint64_t tokens = 0;
    bool any = false;

    if (messages->kind != JSON_ARRAY || !json_iter_next(&it, NULL, &message))
        return 0;
    do {
        if (message.kind == JSON_OBJECT)
            tokens += count_message(c, &message);
        any = any || message.kind == JSON_OBJECT;
    } while (json_iter_next(&it, NULL, &message));
    return any ? tokens + AN_ANSWER : count_content(c, messages);
}

enum member {
    MESSAGES,
    INPUT,
    PROMPT,
    SYSTEM,
    INSTRUCTIONS,
    TOOLS,
    FUNCTIONS,
    RESPONSE_FORMAT,
    TEXT,
    MAX_COMPLETION_TOKENS,
    MAX_OUTPUT_TOKENS,
    MAX_TOKENS,
    CHOICES,
    BEST_OF,
    MEMBERS,
};

static const char *const member_names[] = {
    [MESSAGES] = "messages",
    [INPUT] = "input",
    [PROMPT] = "prompt",
    [SYSTEM] = "system",
    [INSTRUCTIONS] = "instructions",
    [TOOLS] = "tools",
    [FUNCTIONS] = "functions",
    [RESPONSE_FORMAT] = "response_format",
    [TEXT] = "text",
    [MAX_COMPLETION_TOKENS] = "max_completion_tokens",
    [MAX_OUTPUT_TOKENS] = "max_output_tokens",
    [MAX_TOKENS] = "max_tokens",
    [CHOICES] = "n",
    [BEST_OF] = "best_of",
};

/* 1 where it is not said. */
static uint64_t at_least_one(const struct json_value *number)
{
    int64_t n;

    return json_to_int64(number, &n) && n > 1 ? (uint64_t)n : 1;
}

/* Prompts in a list: strings, or lists of tokens. A list of tokens is one. */
static uint64_t prompts_in(const struct json_value *prompt)
{
    struct json_iter it = json_iter_begin(prompt);
    struct json_value item;
    uint64_t count = 0;

    while (prompt->kind == JSON_ARRAY && json_iter_next(&it, NULL, &item))
        count += item.kind == JSON_STRING || item.kind == JSON_ARRAY;
    return count > 1 ? count : 1;
}

static uint64_t times(uint64_t n, uint64_t by)
{
    return by > UINT32_MAX / n ? UINT32_MAX : n * by;
}

/* Texts that are made: `n` of each prompt, or the `best_of` that these are chosen from. */
static uint64_t choices_of(const struct json_value found[MEMBERS])
{
    uint64_t n = at_least_one(&found[CHOICES]);
    uint64_t made = at_least_one(&found[BEST_OF]);

    return times(prompts_in(&found[PROMPT]), n > made ? n : made);
}

/* The ceiling, for all choices; 0: there is none that can be used. */
static uint64_t ceiling_of(const struct json_value found[MEMBERS])
{
    int64_t most = 0;

    for (int i = MAX_COMPLETION_TOKENS; i <= MAX_TOKENS; i++) {
        if (!json_to_int64(&found[i], &most) || most <= 0)
            continue;
        return most > UINT32_MAX ? UINT32_MAX : times((uint64_t)most, choices_of(found));
    }
    return 0;
}

bool tokens_of_body(enum tokens_family family, const struct json_value *body,
                    struct tokens_estimate *out)
{
    struct json_value found[MEMBERS];
    struct tokens_count c = {.length = 0};
    uint64_t tokens = 0;

    if (body->kind != JSON_OBJECT)
        return false;
    json_members(body, member_names, MEMBERS, found);
    tokens += count_messages(&c, &found[MESSAGES]);
    tokens += count_messages(&c, &found[INPUT]);
    count_string(&c, &found[INPUT]);
    tokens += count_content(&c, &found[PROMPT]);
    tokens += count_content(&c, &found[SYSTEM]);
    count_string(&c, &found[INSTRUCTIONS]);
    for (int i = TOOLS; i <= TEXT; i++)
        count_raw(&c, &found[i]);
    *out = (struct tokens_estimate){
        .input = tokens + tokens_of_count(family, &c),
        .max_output = ceiling_of(found),
    };
    return true;
}
