/*
 * For bench.py: how many request lines of about 1 KB a producer plans in a CPU second, which
 * estimates their tokens, and how many it only checks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/input/shard_plan.h"

#define LINES  1000
#define ROUNDS 200
#define SIZE   1000

static const char *const names[] = {"English", "Chinese", "Chinese as \\u escapes"};

static const char *const texts[] = {
    "The quick brown fox jumps over the lazy dog, and 12 people watched it near the river. ",
    "这家餐厅的菜品味道不错，服务也很周到，价格合理，值得推荐给朋友们。",
    "\\u8fd9\\u5bb6\\u9910\\u5385\\u7684\\u83dc\\u54c1\\u5473\\u9053\\u4e0d\\u9519\\uff0c",
};

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fill(struct window_line *line, size_t number, const char *text)
{
    size_t cap = SIZE + 512, len = 0;
    char *out = malloc(cap);

    if (out == NULL)
        exit(1);
    len += (size_t)snprintf(out, cap,
                            "{\"custom_id\":\"row-%zu\",\"body\":{\"model\":\"gpt-4o-mini\","
                            "\"max_tokens\":100,\"messages\":[{\"role\":\"user\",\"content\":\"",
                            number);
    while (len < SIZE)
        len += (size_t)snprintf(out + len, cap - len, "%s", text);
    len += (size_t)snprintf(out + len, cap - len, "\"}]}}");
    *line = (struct window_line){.text = out, .text_len = len, .number = number + 1};
}

static double plan(const struct window *window, const struct job_spec *spec)
{
    double start = now();

    for (int i = 0; i < ROUNDS; i++) {
        struct shard_plan plan;

        shard_plan_make(&plan, spec, window, NULL);
        shard_plan_release(&plan);
    }
    return LINES * ROUNDS / (now() - start);
}

static double check(const struct window *window, const struct job_spec *spec)
{
    char why[REQUEST_WHY_SIZE];
    double start = now();
    size_t good = 0;

    for (int i = 0; i < ROUNDS; i++) {
        for (uint32_t n = 0; n < LINES; n++) {
            struct request_line line;

            good += shard_line_parse(spec, &window->lines[n], &line, why);
        }
    }
    return (double)good / (now() - start);
}

int main(void)
{
    static struct window_line lines[LINES];
    const struct job_spec spec = {.site = "site"};
    const struct window window = {.count = LINES, .lines = lines};

    (void)printf("%-24s%16s%16s\n", "lines/s", "plan", "check only");
    for (size_t kind = 0; kind < ARRAY_LEN(texts); kind++) {
        for (size_t i = 0; i < LINES; i++)
            fill(&lines[i], i, texts[kind]);
        (void)printf("%-24s%16.0f%16.0f\n", names[kind], plan(&window, &spec),
                     check(&window, &spec));
        for (size_t i = 0; i < LINES; i++)
            free((void *)(uintptr_t)lines[i].text);
    }
    return 0;
}
