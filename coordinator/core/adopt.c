#include "coordinator/core/adopt.h"

#include <string.h>

int64_t adopt_since_ms(const struct adopt_facts *f)
{
    int64_t now_ms = f->theirs_ms >= 0 ? f->theirs_ms : f->now_ms;

    return now_ms - (f->now_ms - f->build_ms) - ADOPT_SLACK_MS;
}

bool adopt_is_ours(const struct adopt_facts *f, const struct remote_file *file)
{
    return file->status != REMOTE_FILE_ERROR && file->bytes == (int64_t)f->size &&
           file->created_unix_ms >= adopt_since_ms(f) && strcmp(file->filename, f->name) == 0;
}
