#include "common/model/price_rows.h"

#include <string.h>

#include "common/base/attr.h"

/* Units and millionths of one, for a million tokens, as nano-units. */
#define AT(units, micros) ((int64_t)(units)*MONEY_UNIT + (int64_t)(micros)*1000)
#define NONE              INT64_C(-1)

/*
 * https://github.com/pydantic/genai-prices, prices/providers/{openai,zhipuai,groq}.yml at commit
 * 47df840 of 2026-08-21, MIT; "checked" is its prices_checked. Zhipu bills in yuan and that table
 * has it in dollars, "converted at 1 USD = 7.25 CNY (May 2026)", with three decimals: here it is
 * converted back and rounded to a fen, which is what open.bigmodel.cn/pricing lists. What the Batch
 * API costs of them is the vendors': half at openai (platform.openai.com/docs/guides/batch), zhipu
 * (docs.bigmodel.cn, batch) and groq (console.groq.com/docs/batch); a free model stays free.
 * Of models whose price depends on lengths, what is here is for input up to 32,000 tokens and
 * answers over 200: shorter answers cost less, and a budget must not come out too low.
 * Cached input from gpt-5.2 on is a tenth (developers.openai.com/api/docs/pricing).
 */
static const char genai[] = "genai-prices 47df840";
static const char yuan[] = "genai-prices 47df840, converted back at its 7.25 CNY/USD, to a fen";
static const char lobe[] = "lobehub/lobe-chat, model bank, after bigmodel.cn/pricing";
static const char free_of_charge[] = "open.bigmodel.cn/pricing: free";

/* clang-format off */
#define OPENAI(model, input, cached, output, checked) \
    {"openai", model, "USD", input, cached, output, 50, checked, genai}
#define GROQ(model, input, output, checked) \
    {"groq", model, "USD", input, NONE, output, 50, checked, genai}
#define ZHIPU(model, input, cached, output) \
    {"zhipu", model, "CNY", input, cached, output, 50, "2026-05-23", yuan}
#define TIERED(model, input, cached, output) \
    {"zhipu", model, "CNY", input, cached, output, 50, "2025-12", lobe}

const struct price price_rows[] = {
    OPENAI("gpt-4o",                 AT(2, 500000), AT(1, 250000), AT(10, 0),     "2025-07-04"),
    OPENAI("gpt-4o-mini",            AT(0, 150000), AT(0, 75000),  AT(0, 600000), "2025-07-04"),
    OPENAI("gpt-4.1",                AT(2, 0),      AT(0, 500000), AT(8, 0),      "2025-07-04"),
    OPENAI("gpt-4.1-mini",           AT(0, 400000), AT(0, 100000), AT(1, 600000), "2025-07-04"),
    OPENAI("gpt-4.1-nano",           AT(0, 100000), AT(0, 25000),  AT(0, 400000), "2025-07-04"),
    OPENAI("o4-mini",                AT(1, 100000), AT(0, 275000), AT(4, 400000), "2025-07-04"),
    OPENAI("gpt-5",                  AT(1, 250000), AT(0, 125000), AT(10, 0),     "2025-11-13"),
    OPENAI("gpt-5-mini",             AT(0, 250000), AT(0, 25000),  AT(2, 0),      "2025-11-13"),
    OPENAI("gpt-5-nano",             AT(0, 50000),  AT(0, 5000),   AT(0, 400000), "2025-11-13"),
    OPENAI("gpt-5.2",                AT(1, 750000), AT(0, 175000), AT(14, 0),     "2025-12-11"),
    OPENAI("gpt-5.4",                AT(2, 500000), AT(0, 250000), AT(15, 0),     "2026-03-06"),
    OPENAI("gpt-5.4-mini",           AT(0, 750000), AT(0, 75000),  AT(4, 500000), "2026-03-18"),
    OPENAI("gpt-5.4-nano",           AT(0, 200000), AT(0, 20000),  AT(1, 250000), "2026-03-18"),
    OPENAI("gpt-5.5",                AT(5, 0),      AT(0, 500000), AT(30, 0),     "2026-04-24"),
    OPENAI("gpt-5.6-sol",            AT(5, 0),      AT(0, 500000), AT(30, 0),     "2026-08-02"),
    OPENAI("gpt-5.6-terra",          AT(2, 0),      AT(0, 200000), AT(12, 0),     "2026-08-02"),
    OPENAI("gpt-5.6-luna",           AT(0, 200000), AT(0, 20000),  AT(1, 200000), "2026-08-02"),
    OPENAI("text-embedding-3-small", AT(0, 20000),  NONE,          0,             "2025-07-04"),
    OPENAI("text-embedding-3-large", AT(0, 130000), NONE,          0,             "2025-07-04"),
    {"zhipu", "glm-4-flash", "CNY", 0, 0, 0, 100, "2025-11", free_of_charge},
    ZHIPU("glm-4-flashx-250414", AT(0, 100000), AT(0, 50000),  AT(0, 100000)),
    ZHIPU("glm-4-air",           AT(0, 500000), AT(0, 250000), AT(0, 500000)),
    ZHIPU("glm-4-plus",          AT(5, 0),      AT(2, 500000), AT(5, 0)),
    ZHIPU("glm-4-long",          AT(1, 0),      AT(0, 500000), AT(1, 0)),
    TIERED("glm-4.5-air",        AT(0, 800000), AT(0, 160000), AT(6, 0)),
    TIERED("glm-4.7",            AT(3, 0),      AT(0, 600000), AT(14, 0)),
    ZHIPU("glm-5-turbo",         AT(5, 0),      AT(1, 200000), AT(22, 0)),
    ZHIPU("glm-5.1",             AT(6, 0),      AT(1, 300000), AT(24, 0)),
    {"zhipu", "glm-4v-plus", "CNY", AT(10, 0), NONE, AT(10, 0), 50, "2024-09", lobe},
    {"zhipu", "glm-4v-plus-0111", "CNY", AT(4, 0), NONE, AT(4, 0), 50, "2025-10", lobe},
    {"zhipu", "glm-4v-flash", "CNY", 0, 0, 0, 100, "2025-10", free_of_charge},
    GROQ("llama-3.3-70b-versatile", AT(0, 590000), AT(0, 790000), "2025-08-12"),
    GROQ("llama-3.1-8b-instant",    AT(0, 50000),  AT(0, 80000),  "2025-08-12"),
    GROQ("openai/gpt-oss-120b",     AT(0, 150000), AT(0, 600000), "2025-08-06"),
};
/* clang-format on */

const size_t price_row_count = ARRAY_LEN(price_rows);

/* help.aliyun.com/zh/model-studio: billed in yuan; its prices are not in the table. */
static const struct {
    const char *provider, *currency;
} billed[] = {
    {"openai",     "USD"},
    {"azure",      "USD"},
    {"groq",       "USD"},
    {"doubleword", "USD"},
    {"zhipu",      "CNY"},
    {"dashscope",  "CNY"},
};

const char *price_rows_currency(const char *provider)
{
    for (size_t i = 0; i < ARRAY_LEN(billed); i++) {
        if (strcmp(billed[i].provider, provider) == 0)
            return billed[i].currency;
    }
    return NULL;
}
