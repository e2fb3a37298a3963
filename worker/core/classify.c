#include "worker/core/classify.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/json/result_line.h"

static bool is_free_code(const char *code)
{
    static const char *const codes[] = {"batch_expired", "batch_cancelled", "request_timeout"};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (strcmp(code, codes[i]) == 0)
            return true;
    }
    return false;
}

static bool is_passing_status(int64_t status)
{
    return status == 408 || status == 409 || status == 429 || status >= 500 || status <= 0;
}

enum outcome classify_line(const struct result_line *line)
{
    bool success = line->status_code >= 200 && line->status_code < 300;

    if (success && line->error.len == 0 && !line->body_has_error)
        return OUTCOME_OK;
    if (is_free_code(line->code))
        return OUTCOME_FREE;
    if (success || is_passing_status(line->status_code))
        return OUTCOME_RETRY;
    return OUTCOME_PERM;
}
