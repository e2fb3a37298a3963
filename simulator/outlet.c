#include "simulator/outlet.h"

#include <unistd.h>

#include "common/base/err.h"
#include "simulator/text.h"

#define SPILL_BYTES ((size_t)1 << 20)

bool outlet_open(struct outlet *o, const struct folder *folder, struct err *err)
{
    o->buf = TEXT_INIT;
    o->fd = folder_temporary(folder, o->path, err);
    return o->fd >= 0;
}

static bool write_out(struct outlet *o, struct err *err)
{
    bool ok = o->buf.len == 0 || folder_write(o->fd, o->buf.data, o->buf.len, err);

    buf_clear(&o->buf);
    return ok;
}

bool outlet_spill(struct outlet *o, struct err *err)
{
    return o->buf.len < SPILL_BYTES || write_out(o, err);
}

bool outlet_shorten(struct outlet *o, uint64_t n, struct err *err)
{
    if (!write_out(o, err))
        return false;
    off_t end = lseek(o->fd, 0, SEEK_END);
    if (end < (off_t)n)
        return true;
    return (ftruncate(o->fd, end - (off_t)n) == 0 && lseek(o->fd, end - (off_t)n, SEEK_SET) >= 0) ||
           err_set(err, ERR_UNAVAILABLE, "%s: cannot be shortened", o->path);
}

bool outlet_finish(struct outlet *o, struct err *err)
{
    bool ok = write_out(o, err);

    (void)close(o->fd);
    o->fd = -1;
    buf_release(&o->buf);
    return ok;
}

void outlet_drop(struct outlet *o)
{
    if (o->fd >= 0)
        (void)close(o->fd);
    o->fd = -1;
    buf_release(&o->buf);
    if (o->path[0] != '\0')
        (void)unlink(o->path);
}
