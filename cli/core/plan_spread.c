#include "cli/core/plan_spread.h"

#include <stdlib.h>

#include "common/base/xmem.h"

static void sample_release(struct plan_sample *sample)
{
    free(sample->system);
    free(sample->prompt);
    *sample = (struct plan_sample){0};
}

_Static_assert(PLAN_SPREAD_MAX % 2 == 0, "the one that comes when it is full stays in step");

/* Every second one goes. */
static void thin_out(struct plan_spread *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (i % 2 != 0) {
            sample_release(&s->kept[i]);
        } else if (i > 0) {
            s->kept[i / 2] = s->kept[i];
            s->kept[i] = (struct plan_sample){0};
        }
    }
    s->count = (s->count + 1) / 2;
    s->stride *= 2;
}

bool plan_spread_wants(struct plan_spread *s)
{
    if (s->stride == 0)
        s->stride = 1;
    uint64_t number = s->seen++;
    if (number % s->stride != 0)
        return false;
    if (s->count == PLAN_SPREAD_MAX)
        thin_out(s);
    return true;
}

static char *keep_text(struct slice text)
{
    size_t n = text.len > PLAN_PROMPT_BYTES ? PLAN_PROMPT_BYTES : text.len;

    while (n > 0 && n < text.len && ((unsigned char)text.p[n] & 0xC0) == 0x80)
        n--;
    return xstrndup(n > 0 ? text.p : "", n);
}

void plan_spread_keep(struct plan_spread *s, uint64_t row, uint64_t rows, struct slice system,
                      struct slice prompt)
{
    s->kept[s->count++] = (struct plan_sample){
        .row = row,
        .rows = rows,
        .system = keep_text(system),
        .prompt = keep_text(prompt),
        .system_len = system.len,
        .prompt_len = prompt.len,
    };
}

const struct plan_sample *plan_spread_pick(const struct plan_spread *s, size_t i, size_t n)
{
    if (s->count == 0)
        return NULL;
    return &s->kept[n > 1 ? i * (s->count - 1) / (n - 1) : 0];
}

void plan_spread_release(struct plan_spread *s)
{
    for (size_t i = 0; i < s->count; i++)
        sample_release(&s->kept[i]);
    *s = (struct plan_spread){0};
}
