#include "common/merge/report_fields.h"

#include <assert.h>

#include "common/base/attr.h"
#include "common/merge/report.h"

static const struct {
    const char *name;
    size_t offset;
} fields[] = {
    {"requests",          offsetof(struct report, requests)         },
    {"ok",                offsetof(struct report, ok)               },
    {"failed",            offsetof(struct report, failed)           },
    {"invalid",           offsetof(struct report, invalid)          },
    {"attempts",          offsetof(struct report, attempts)         },
    {"duplicates",        offsetof(struct report, duplicates)       },
    {"superseded",        offsetof(struct report, superseded)       },
    {"paid_twice",        offsetof(struct report, paid_twice)       },
    {"prompt_tokens",     offsetof(struct report, tokens.prompt)    },
    {"completion_tokens", offsetof(struct report, tokens.completion)},
    {"cached_tokens",     offsetof(struct report, tokens.cached)    },
    {"reasoning_tokens",  offsetof(struct report, tokens.reasoning) },
    {"wasted_prompt",     offsetof(struct report, wasted.prompt)    },
    {"wasted_completion", offsetof(struct report, wasted.completion)},
    {"wasted_cached",     offsetof(struct report, wasted.cached)    },
    {"wasted_reasoning",  offsetof(struct report, wasted.reasoning) },
    {"out_bytes",         offsetof(struct report, out.bytes)        },
    {"dead_bytes",        offsetof(struct report, dead.bytes)       },
};

static_assert(ARRAY_LEN(fields) == REPORT_FIELD_COUNT, "REPORT_FIELD_COUNT");

const char *report_field_name(size_t i)
{
    return fields[i].name;
}

uint64_t *report_field(struct report *report, size_t i)
{
    return (uint64_t *)(void *)((char *)report + fields[i].offset);
}

const uint64_t *report_field_const(const struct report *report, size_t i)
{
    return (const uint64_t *)(const void *)((const char *)report + fields[i].offset);
}
