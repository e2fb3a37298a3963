#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/enrich/round_map.h"

void round_counts_init(struct round_counts *counts, uint32_t analyses)
{
    *counts = (struct round_counts){.analyses = xcalloc(analyses, sizeof(*counts->analyses)),
                                    .count = analyses};
}

void round_counts_release(struct round_counts *counts)
{
    free(counts->analyses);
    *counts = (struct round_counts){0};
}

void round_counts_copy(struct round_counts *out, const struct round_counts *counts)
{
    struct round_count *analyses = xcalloc(counts->count, sizeof(*analyses));

    memcpy(analyses, counts->analyses, counts->count * sizeof(*analyses));
    *out = *counts;
    out->analyses = analyses;
}

void round_counts_block(struct round_counts *counts, size_t rows)
{
    counts->blocks++;
    counts->rows += rows;
}

void round_counts_item(struct round_counts *counts, const struct render_item *item)
{
    struct round_count *count = &counts->analyses[item->analysis];

    count->pairs[item->code] += item->row_count;
    if (item->code != RENDER_ASKED)
        return;
    counts->requests++;
    counts->bytes += item->line.len;
    count->requests++;
    count->tokens += item->tokens;
    count->max_output += item->max_output;
    count->unbounded += item->max_output == 0;
}
