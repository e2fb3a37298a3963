#include "coordinator/batch_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/digest/crc32c.h"
#include "common/input/window.h"
#include "common/json/request_line.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/provider/profile.h"

#define FLUSH_BYTES      (1u << 20)
#define WINDOW_MAX_BYTES (32u << 20) /* what a window can hold: its limit, or one line of 16 MB */

struct batch_file {
    const struct job_spec *spec;
    const struct provider_profile *profile;
    int fd;
    int source_fd;        /* -1 until a window is read from the source */
    uint64_t size, lines; /* flushed and buffered */
    struct buf out;       /* not flushed yet */
    struct buf window;    /* bytes of the window being read */
    struct window_line lines_of_window[ORDINAL_LINES];
    struct buf model_member; /* "model":"NAME", for bodies without one */
    char url[REQUEST_URL_MAX + 1];
    const char *theirs; /* the provider's name for it */
};

static int temporary_file(struct err *err)
{
    const char *folder = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe) */
    char name[4096];

    if (folder == NULL || folder[0] == '\0')
        folder = "/tmp";
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    (void)snprintf(name, sizeof(name), "%s/.sheaf-spool-XXXXXX", folder);
    fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        err_set(err, ERR_UNAVAILABLE, "%s: no temporary file: %s", folder, strerror(errno));
    else
        (void)unlink(name);
    return fd;
}

struct batch_file *batch_file_new(const struct job_spec *spec,
                                  const struct provider_profile *profile, struct err *err)
{
    int fd = temporary_file(err);

    if (fd < 0)
        return NULL;
    struct batch_file *file = xcalloc(1, sizeof(*file));
    file->spec = spec;
    file->profile = profile;
    file->fd = fd;
    file->source_fd = -1;
    file->out = BUF_INIT(FLUSH_BYTES);
    file->window = BUF_INIT(WINDOW_MAX_BYTES);
    file->model_member = BUF_INIT(4096);
    if (spec->model[0] != '\0' && !request_model_member(spec->model, &file->model_member))
        log_fatal("the model's name is too long");
    return file;
}

void batch_file_free(struct batch_file *file)
{
    if (file == NULL)
        return;
    (void)close(file->fd);
    if (file->source_fd >= 0)
        (void)close(file->source_fd);
    buf_release(&file->out);
    buf_release(&file->window);
    buf_release(&file->model_member);
    free(file);
}

static bool write_all(const struct batch_file *file, const char *bytes, size_t len, struct err *err)
{
    size_t done = 0;

    while (done < len) {
        int pretend = FAILPOINT_ERRNO("coordinator.spool");
        ssize_t n = pretend != 0 ? -1 : write(file->fd, bytes + done, len - done);

        if (pretend != 0)
            errno = pretend;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_UNAVAILABLE, "temporary file: %s", strerror(errno));
        done += (size_t)n;
    }
    return true;
}

static bool flush(struct batch_file *file, struct err *err)
{
    bool ok = write_all(file, file->out.data, file->out.len, err);

    buf_clear(&file->out);
    return ok;
}

/* Small pieces are gathered; a large body goes to the file without being copied. */
static bool put(struct batch_file *file, const void *bytes, size_t len, struct err *err)
{
    file->size += len;
    if (buf_append(&file->out, bytes, len))
        return true;
    if (!flush(file, err))
        return false;
    return buf_append(&file->out, bytes, len) || write_all(file, bytes, len, err);
}

static bool put_text(struct batch_file *file, const char *text, struct err *err)
{
    return put(file, text, strlen(text), err);
}

static bool add_line(struct batch_file *file, uint64_t ordinal, const struct window_line *text,
                     struct err *err)
{
    const char *model = file->spec->model[0] != '\0' ? file->spec->model : NULL;
    struct slice member = {.p = file->model_member.data, .len = file->model_member.len};
    struct slice parts[3];
    struct request_line line;
    char why[REQUEST_WHY_SIZE];
    char id[WIRE_ID_LEN + 1];

    if (text->too_long || !request_line_parse(text->text, text->text_len, model, &line, why))
        return err_set(err, ERR_INPUT, "line %llu is not valid any more",
                       (unsigned long long)text->number);
    if (file->url[0] == '\0') {
        memcpy(file->url, line.url, sizeof(file->url));
        file->theirs = provider_endpoint_for(file->profile, file->url);
    }
    ordinal_format(ordinal, file->spec->ji, id);
    bool ok = put_text(file, "{\"custom_id\":\"", err) && put(file, id, WIRE_ID_LEN, err) &&
              put_text(file, "\",\"method\":\"POST\",\"url\":\"", err) &&
              put_text(file, file->theirs, err) && put_text(file, "\",\"body\":", err);
    size_t n = request_body_parts(&line, member, parts);
    for (size_t i = 0; ok && i < n; i++)
        ok = put(file, parts[i].p, parts[i].len, err);
    file->lines++;
    return ok && put_text(file, "}\n", err);
}

enum batch_file_result batch_file_add(struct batch_file *file, const struct member *member,
                                      const char *bytes, size_t len, struct err *err)
{
    enum batch_file_result result = BATCH_FILE_OK;

    if (crc32c(0, bytes, len) != member->crc) {
        err_set(err, ERR_INPUT, "the input has changed at byte %llu (line %llu)",
                (unsigned long long)member->offset, (unsigned long long)member->first_line);
        return BATCH_FILE_CHANGED;
    }
    size_t count = window_split(bytes, len, member->offset, member->first_line,
                                REQUEST_LINE_MAX_BYTES, file->lines_of_window, ORDINAL_LINES);
    for (uint32_t i = 0; i < count && i < member->lines && result == BATCH_FILE_OK; i++) {
        if (!mask_get(member->mask, i) &&
            !add_line(file, ordinal_make(member->window, i), &file->lines_of_window[i], err))
            result = err->kind == ERR_INPUT ? BATCH_FILE_CHANGED : BATCH_FILE_FAILED;
    }
    return result;
}

static bool read_window(struct batch_file *file, const struct member *member, struct err *err)
{
    const char *path = file->spec->source;

    if (file->source_fd < 0)
        file->source_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file->source_fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    buf_clear(&file->window);
    if (!buf_reserve(&file->window, member->length))
        return err_set(err, ERR_INPUT, "%s: a window of %llu bytes", path,
                       (unsigned long long)member->length);
    while (file->window.len < member->length) {
        ssize_t n =
            pread(file->source_fd, file->window.data + file->window.len,
                  member->length - file->window.len, (off_t)(member->offset + file->window.len));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
        if (n == 0)
            return err_set(err, ERR_INPUT, "%s: is shorter than it was", path);
        file->window.len += (size_t)n;
    }
    return true;
}

enum batch_file_result batch_file_add_from_source(struct batch_file *file,
                                                  const struct member *member, struct err *err)
{
    if (!read_window(file, member, err))
        return err->kind == ERR_INPUT ? BATCH_FILE_CHANGED : BATCH_FILE_UNREADABLE;
    return batch_file_add(file, member, file->window.data, file->window.len, err);
}

bool batch_file_finish(struct batch_file *file, struct err *err)
{
    bool ok = flush(file, err);

    buf_release(&file->out);
    buf_release(&file->window);
    return ok;
}

int batch_file_fd(const struct batch_file *file)
{
    return file->fd;
}

uint64_t batch_file_size(const struct batch_file *file)
{
    return file->size;
}

uint64_t batch_file_lines(const struct batch_file *file)
{
    return file->lines;
}

const char *batch_file_endpoint(const struct batch_file *file)
{
    return file->url;
}
