#include "cli/trail.h"

#include <inttypes.h>
#include <string.h>

#include "common/json/scan.h"
#include "common/sink/sink.h"
#include "common/sink/sink_trail.h"

/* A member that does not fit leaves nothing behind. */
static void keep_whole(struct buf *what, size_t len, bool fits)
{
    if (fits)
        return;
    what->len = len;
    if (what->data != NULL)
        what->data[len] = '\0';
}

void trail_put_text(struct buf *what, const char *name, const char *text)
{
    size_t len = what->len;
    bool fits = buf_printf(what, "%s\"%s\":", len > 0 ? "," : "", name) &&
                (text != NULL && text[0] != '\0' ? json_string_encode(what, text, strlen(text))
                                                 : buf_append(what, "null", 4));

    keep_whole(what, len, fits);
}

void trail_put_count(struct buf *what, const char *name, uint64_t n)
{
    size_t len = what->len;

    keep_whole(what, len, buf_printf(what, "%s\"%s\":%" PRIu64, len > 0 ? "," : "", name, n));
}

static bool whole(struct buf *out, const struct buf *what, struct err *err)
{
    if (buf_printf(out, "{%s}", what != NULL && what->len > 0 ? what->data : ""))
        return true;
    return err_set(err, ERR_INTERNAL, "what is to be noted is too large");
}

bool trail_note(const struct job_spec *spec, const char *verb, const struct buf *what,
                struct err *err)
{
    struct buf text = BUF_INIT(TRAIL_WHAT_MAX + 2);
    struct sink *sink = sink_open(spec->sink, spec->job, spec->ji, false, err);

    if (sink == NULL && err != NULL) { /* Redis knows the job: it is not the job that is missing */
        err->kind = err->kind == ERR_NO_JOB ? ERR_UNAVAILABLE : err->kind;
        (void)err_wrap(err, "nothing was changed, since it cannot be noted in the job's trail");
    }
    bool ok = sink != NULL && whole(&text, what, err) && sink_trail_add(sink, verb, text.data, err);
    sink_close(sink);
    buf_release(&text);
    return ok;
}

bool trail_note_beside(const struct job_spec *spec, const char *verb, const struct buf *what,
                       struct err *err)
{
    struct buf text = BUF_INIT(TRAIL_WHAT_MAX + 2);
    bool ok = whole(&text, what, err) && sink_trail_add_beside(spec->sink, verb, text.data, err);

    buf_release(&text);
    return ok;
}
