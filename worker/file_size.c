#include "worker/file_size.h"

#include <stdlib.h>

#include "common/base/xmem.h"
#include "common/daemon/daemon.h"
#include "common/provider/provider.h"

struct file_size {
    struct daemon *daemon; /* borrowed */
    const char *file;      /* borrowed */
    struct provider_call *call;
    int64_t announced; /* -1: not yet */
    file_size_fn done;
    void *arg;
};

void file_size_free(struct file_size *f)
{
    if (f == NULL)
        return;
    provider_call_cancel(f->call);
    free(f);
}

static void on_announced(int64_t total, void *arg)
{
    struct file_size *f = arg;

    f->announced = total;
}

static enum http_body_verdict on_bytes(const char *bytes, size_t len, void *arg)
{
    (void)bytes;
    (void)len;
    (void)arg;
    return HTTP_BODY_ABORT; /* only the length was wanted */
}

/* An answer without a length and without a byte is an empty file. */
static void on_content(const struct provider_error *error, void *arg)
{
    struct file_size *f = arg;

    f->call = NULL;
    if (f->announced >= 0)
        f->done(NULL, f->announced, f->arg);
    else
        f->done(error, 0, f->arg);
}

static void ask_content(struct file_size *f)
{
    static const struct provider_content_sink sink = {
        .on_size = on_announced, .on_bytes = on_bytes, .done = on_content};

    f->call = provider_content(f->daemon->provider, f->file, 0, &sink, f);
}

static void on_file(const struct provider_error *error, const struct remote_file *file, void *arg)
{
    struct file_size *f = arg;

    f->call = NULL;
    daemon_note_provider(f->daemon, error);
    if (error == NULL && file->bytes >= 0)
        f->done(NULL, file->bytes, f->arg);
    else if (error == NULL || error->class == PROVIDER_NOT_FOUND ||
             error->class == PROVIDER_REFUSED)
        ask_content(f);
    else
        f->done(error, 0, f->arg);
}

struct file_size *file_size_new(struct daemon *daemon, const char *file, file_size_fn done,
                                void *arg)
{
    struct file_size *f = xcalloc(1, sizeof(*f));

    f->daemon = daemon;
    f->file = file;
    f->announced = -1;
    f->done = done;
    f->arg = arg;
    if (daemon->profile->has_file_get)
        f->call = provider_file_get(daemon->provider, file, on_file, f);
    else
        ask_content(f);
    return f;
}
