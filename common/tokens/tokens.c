#include "common/tokens/tokens.h"

#include <string.h>

#include "common/tokens/tokens_count.h"

/* Thousandths of a token for one of each class. */
static const uint16_t weights[][TOKENS_CLASSES] = {
    [TOKENS_O200K] = {972, 99, 42, 304, 112, 87, 1214, 458, 178, 382, 663, 1175, 728, 544, 637, 666, 607, 617, 355, 2328},
    [TOKENS_CL100K] = {985, 107, 9, 1426, 328, 61, 1331, 404, 249, 56, 1134, 758, 1130, 321, 918, 1180, 1131, 516, 846, 3681},
    [TOKENS_QWEN3] = {956, 122, 30, 422, 188, 992, 321, 419, 234, 492, 437, 1361, 528, 1127, 481, 745, 427, 992, 431, 1409},
    [TOKENS_DEEPSEEK3] = {961, 123, 160, 1048, 151, 23, 1194, 476, 229, 651, 220, 1439, 494, 939, 536, 752, 521, 748, 432, 2129},
    [TOKENS_GLM] = {956, 122, 30, 422, 188, 23, 1194, 419, 234, 492, 437, 1361, 528, 1127, 481, 745, 427, 992, 431, 1409},
};

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
    {"gpt-4o",            TOKENS_O200K    },
    {"gpt-4.1",           TOKENS_O200K    },
    {"gpt-4.5",           TOKENS_O200K    },
    {"gpt-4",             TOKENS_CL100K   },
    {"gpt-3.5",           TOKENS_CL100K   },
    {"gpt-35",            TOKENS_CL100K   },
    {"text-embedding",    TOKENS_CL100K   },
    {"text-embedding-v",  TOKENS_QWEN3    },
    {"qwen",              TOKENS_QWEN3    },
    {"qwq",               TOKENS_QWEN3    },
    {"qvq",               TOKENS_QWEN3    },
    {"deepseek",          TOKENS_DEEPSEEK3},
    {"glm",               TOKENS_GLM      },
    {"chatglm",           TOKENS_GLM      },
    {"charglm",           TOKENS_GLM      },
    {"embedding-",        TOKENS_GLM      },
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool begins(const char *text, const char *prefix)
{
    while (*prefix != '\0' && lower(*text) == *prefix) {
        text++;
        prefix++;
    }
    return *prefix == '\0';
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

static uint64_t milli_tokens(enum tokens_family family, const struct tokens_count *c)
{
    const uint16_t *weight = weights[family];
    uint64_t sum = 0;

    for (size_t i = 0; i < TOKENS_CLASSES; i++)
        sum += c->of[i] * weight[i];
    return sum;
}

/* Something is a token at least. */
static uint64_t whole(uint64_t milli)
{
    return (milli + 500) / 1000 + (milli > 0 && milli < 500);
}

uint64_t tokens_of_text(enum tokens_family family, const char *utf8, size_t len)
{
    struct tokens_count c = {.length = 0};

    tokens_count_text(&c, utf8, utf8 + len, false);
    return whole(milli_tokens(family, &c));
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
        if (whole(milli_tokens(family, &c)) > max_tokens)
            break;
        p = next;
    }
    return (size_t)(p - utf8);
}

/* ---- request bodies ---- */

/*
 * What a chat template puts around a message: OpenAI counts 3, and 3 for the answer that is begun
 * (cookbook.openai.com, How to count tokens with tiktoken); ChatML, which Qwen uses, <|im_start|>,
 * the role, a line end, <|im_end|> and a line end.
 */
#define TOKENS_A_MESSAGE 4
#define TOKENS_AN_ANSWER 3

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
    if (value->kind == JSON_ABSENT || value->kind == JSON_NULL)
        return;
    c->run = TOKENS_RUN_NONE;
    tokens_count_text(c, value->text, value->text + value->len, true);
}

/* One part of a message: a text, an image, or what is not known and counts as its text. */
static uint64_t count_part(struct tokens_count *c, const struct json_value *part)
{
    static const char *const names[] = {"type", "text", "image_url", "content", "output"};
    struct json_value found[ARRAY_LEN(names)];

    if (part->kind == JSON_STRING || part->kind == JSON_NUMBER) {
        count_string(c, part);
        return part->kind == JSON_NUMBER; /* a token of an embedding's input */
    }
    json_members(part, names, ARRAY_LEN(names), found);
    count_string(c, &found[1]);
    count_string(c, &found[3]);
    count_string(c, &found[4]);
    return found[2].kind != JSON_ABSENT || json_string_equals(&found[0], "image_url") ||
                   json_string_equals(&found[0], "input_image")
               ? TOKENS_AN_IMAGE
               : 0;
}

/* A string, or a list of parts. */
static uint64_t count_content(struct tokens_count *c, const struct json_value *content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value part;
    uint64_t tokens = 0;

    count_string(c, content);
    while (content->kind == JSON_ARRAY && json_iter_next(&it, NULL, &part))
        tokens += count_part(c, &part);
    return tokens;
}

static uint64_t count_message(struct tokens_count *c, const struct json_value *message)
{
    static const char *const names[] = {"content", "reasoning_content", "name", "tool_calls",
                                        "output", "arguments"};
    struct json_value found[ARRAY_LEN(names)];

    json_members(message, names, ARRAY_LEN(names), found);
    count_string(c, &found[1]);
    count_string(c, &found[2]);
    count_raw(c, &found[3]);
    count_string(c, &found[4]);
    count_string(c, &found[5]);
    return count_content(c, &found[0]) + TOKENS_A_MESSAGE;
}

static uint64_t count_messages(struct tokens_count *c, const struct json_value *messages)
{
    struct json_iter it = json_iter_begin(messages);
    struct json_value message;
    uint64_t tokens = 0;

    while (messages->kind == JSON_ARRAY && json_iter_next(&it, NULL, &message))
        tokens += message.kind == JSON_OBJECT ? count_message(c, &message)
                                              : count_part(c, &message);
    return tokens;
}

enum member {
    MESSAGES, INPUT, PROMPT, SYSTEM, INSTRUCTIONS, TOOLS, FUNCTIONS, RESPONSE_FORMAT, TEXT,
    MAX_COMPLETION_TOKENS, MAX_OUTPUT_TOKENS, MAX_TOKENS, CHOICES, MEMBERS
};

static const char *const members[] = {
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
};

/* The ceiling, for all choices; 0: there is none that can be used. */
static uint64_t ceiling_of(const struct json_value found[MEMBERS])
{
    int64_t choices = 1, most = 0;

    if (!json_to_int64(&found[CHOICES], &choices) || choices < 1)
        choices = 1;
    for (int i = MAX_COMPLETION_TOKENS; i <= MAX_TOKENS; i++) {
        if (!json_to_int64(&found[i], &most) || most <= 0)
            continue;
        if (most > UINT32_MAX || choices > UINT32_MAX / most)
            return UINT32_MAX;
        return (uint64_t)(most * choices);
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
    json_members(body, members, MEMBERS, found);
    tokens += count_messages(&c, &found[MESSAGES]);
    if (found[MESSAGES].kind == JSON_ARRAY)
        tokens += TOKENS_AN_ANSWER;
    count_string(&c, &found[INPUT]);
    tokens += count_messages(&c, &found[INPUT]);
    tokens += count_content(&c, &found[PROMPT]);
    tokens += count_content(&c, &found[SYSTEM]);
    count_string(&c, &found[INSTRUCTIONS]);
    for (int i = TOOLS; i <= TEXT; i++)
        count_raw(&c, &found[i]);
    *out = (struct tokens_estimate){
        .input = tokens + whole(milli_tokens(family, &c)),
        .max_output = ceiling_of(found),
    };
    return true;
}
