#include "worker/core/classify.h"

#include "common/json/result_line.h"
#include "common/provider/retry.h"
#include "common/provider/row.h"

static enum row_class class_of(const struct result_line *line)
{
    bool has_error = line->error.len != 0 || line->body_has_error;

    return provider_row_classify(line->status_code, line->code, line->message, has_error);
}

bool classify_unpaid(const struct result_line *line)
{
    return class_of(line) == ROW_QUOTA;
}

enum outcome classify_line(const struct result_line *line)
{
    switch ((int)retry_row_action(class_of(line))) {
    case RETRY_FETCH: return OUTCOME_OK;
    case RETRY_RESUBMIT_FREE: return OUTCOME_FREE;
    case RETRY_DEAD_LETTER: return OUTCOME_PERM;
    default: return OUTCOME_RETRY;
    }
}
