#include "common/model/price.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MILLION INT64_C(1000000)
#define NANO    INT64_C(1000000000)

const char price_source[] = "pydantic/genai-prices, commit 47df840 of 2026-08-21";

/* US dollars and millionths of one, for a million tokens, as nano-units. */
#define USD(units, micros) ((int64_t)(units)*NANO + (int64_t)(micros)*1000)

/*
 * https://github.com/pydantic/genai-prices, prices/providers/{openai,zhipuai,groq}.yml, MIT; the
 * last column is its prices_checked. It has zhipu's prices converted from yuan. What the Batch API
 * costs of them is the vendors': half at openai (platform.openai.com/docs/guides/batch), zhipu
 * (docs.bigmodel.cn, batch) and groq (console.groq.com/docs/batch); a free model stays free.
 */
static const struct price table[] = {
    {"openai", "gpt-4o",                  "USD", USD(2, 500000), USD(10, 0),      50,  "2025-07-04"},
    {"openai", "gpt-4o-mini",             "USD", USD(0, 150000), USD(0,  600000), 50,  "2025-07-04"},
    {"openai", "gpt-4.1",                 "USD", USD(2, 0),      USD(8,  0),      50,  "2025-07-04"},
    {"openai", "gpt-4.1-mini",            "USD", USD(0, 400000), USD(1,  600000), 50,  "2025-07-04"},
    {"openai", "gpt-4.1-nano",            "USD", USD(0, 100000), USD(0,  400000), 50,  "2025-07-04"},
    {"openai", "o4-mini",                 "USD", USD(1, 100000), USD(4,  400000), 50,  "2025-07-04"},
    {"openai", "gpt-5",                   "USD", USD(1, 250000), USD(10, 0),      50,  "2025-11-13"},
    {"openai", "gpt-5-mini",              "USD", USD(0, 250000), USD(2,  0),      50,  "2025-11-13"},
    {"openai", "gpt-5-nano",              "USD", USD(0, 50000),  USD(0,  400000), 50,  "2025-11-13"},
    {"openai", "gpt-5.2",                 "USD", USD(1, 750000), USD(14, 0),      50,  "2025-12-11"},
    {"openai", "gpt-5.4",                 "USD", USD(2, 500000), USD(15, 0),      50,  "2026-03-06"},
    {"openai", "gpt-5.4-mini",            "USD", USD(0, 750000), USD(4,  500000), 50,  "2026-03-18"},
    {"openai", "gpt-5.4-nano",            "USD", USD(0, 200000), USD(1,  250000), 50,  "2026-03-18"},
    {"openai", "gpt-5.5",                 "USD", USD(5, 0),      USD(30, 0),      50,  "2026-04-24"},
    {"openai", "gpt-5.6-sol",             "USD", USD(5, 0),      USD(30, 0),      50,  "2026-08-02"},
    {"openai", "gpt-5.6-terra",           "USD", USD(2, 0),      USD(12, 0),      50,  "2026-08-02"},
    {"openai", "gpt-5.6-luna",            "USD", USD(0, 200000), USD(1,  200000), 50,  "2026-08-02"},
    {"openai", "text-embedding-3-small",  "USD", USD(0, 20000),  USD(0,  0),      50,  "2025-07-04"},
    {"openai", "text-embedding-3-large",  "USD", USD(0, 130000), USD(0,  0),      50,  "2025-07-04"},
    {"zhipu",  "glm-4-flash",             "USD", USD(0, 0),      USD(0,  0),      100, "2025-11"   },
    {"zhipu",  "glm-4-flashx-250414",     "USD", USD(0, 14000),  USD(0,  14000),  50,  "2026-05-23"},
    {"zhipu",  "glm-4-air",               "USD", USD(0, 69000),  USD(0,  69000),  50,  "2026-05-23"},
    {"zhipu",  "glm-4-plus",              "USD", USD(0, 690000), USD(0,  690000), 50,  "2026-05-23"},
    {"zhipu",  "glm-4-long",              "USD", USD(0, 138000), USD(0,  138000), 50,  "2026-05-23"},
    {"zhipu",  "glm-4.5-air",             "USD", USD(0, 110000), USD(0,  276000), 50,  "2026-05-23"},
    {"zhipu",  "glm-4.7",                 "USD", USD(0, 276000), USD(1,  103000), 50,  "2026-05-23"},
    {"zhipu",  "glm-5-turbo",             "USD", USD(0, 690000), USD(3,  34000),  50,  "2026-05-23"},
    {"zhipu",  "glm-5.1",                 "USD", USD(0, 828000), USD(3,  310000), 50,  "2026-05-23"},
    {"groq",   "llama-3.3-70b-versatile", "USD", USD(0, 590000), USD(0,  790000), 50,  "2025-08-12"},
    {"groq",   "llama-3.1-8b-instant",    "USD", USD(0, 50000),  USD(0,  80000),  50,  "2025-08-12"},
    {"groq",   "openai/gpt-oss-120b",     "USD", USD(0, 150000), USD(0,  600000), 50,  "2025-08-06"},
};

/* Behind a row's name: nothing, "-latest", or a date: "-2024-07-18", "-250414". */
static bool is_snapshot(const char *rest)
{
    if (rest[0] == '\0' || strcmp(rest, "-latest") == 0)
        return true;
    return rest[0] == '-' && rest[1] >= '0' && rest[1] <= '9' &&
           rest[strspn(rest, "0123456789-")] == '\0';
}

const struct price *price_find(const char *provider, const char *model)
{
    const struct price *found = NULL;
    size_t longest = 0;

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        size_t len = strlen(table[i].model);

        if (len <= longest || strcmp(table[i].provider, provider) != 0 ||
            strncmp(table[i].model, model, len) != 0 || !is_snapshot(model + len))
            continue;
        found = &table[i];
        longest = len;
    }
    return found;
}

/* Tokens have 64 bits and a price 63: their product needs 127. */
__extension__ typedef unsigned __int128 wide;

bool price_cost(const struct price *price, uint64_t input, uint64_t output, bool batch,
                int64_t *nano)
{
    wide percent = batch ? price->batch_percent : 100;
    wide in = (wide)input * (wide)price->input;
    wide out = (wide)output * (wide)price->output;
    wide most = ~(wide)0 / 200; /* so that neither the sum nor the factor can overflow */
    wide divisor = (wide)100 * MILLION;

    if (in > most || out > most)
        return false;
    wide cost = ((in + out) * percent + divisor / 2) / divisor;
    if (cost > INT64_MAX)
        return false;
    *nano = (int64_t)cost;
    return true;
}

const char *price_format(const char *currency, int64_t nano, char out[PRICE_TEXT_MAX])
{
    bool dollars = strcmp(currency, "USD") == 0;
    uint64_t magnitude = nano < 0 ? (uint64_t)0 - (uint64_t)nano : (uint64_t)nano;
    uint64_t unit = magnitude < (uint64_t)NANO ? 1000 : 10 * (uint64_t)MILLION;
    uint64_t steps = (magnitude + unit / 2) / unit;
    uint64_t whole = (uint64_t)NANO / unit; /* steps in one unit of money */

    (void)snprintf(out, PRICE_TEXT_MAX, "%s%s%s%" PRIu64 ".%0*" PRIu64, nano < 0 ? "-" : "",
                   dollars ? "$" : currency, dollars ? "" : " ", steps / whole,
                   whole == (uint64_t)MILLION ? 6 : 2, steps % whole);
    return out;
}
