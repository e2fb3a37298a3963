#include "simulator/upload.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/xmem.h"
#include "simulator/dialect.h"
#include "simulator/folder.h"
#include "simulator/text.h"

#define PARSER_BYTES    ((size_t)64 << 10)
#define FIELD_BYTES_MAX 512

struct upload {
    struct upload_parts parts;
    struct MHD_PostProcessor *parser; /* NULL: the body is not multipart */
    const struct folder *folder;
    const struct dialect_files *dialect;
    uint64_t max_bytes, bytes;
    int fd;
    char path[FOLDER_PATH_MAX];
    struct err err;
};

static void trouble(struct upload *u)
{
    u->parts.trouble = u->err.msg;
}

static void take_file(struct upload *u, const char *data, size_t size)
{
    if (u->fd < 0 && u->parts.trouble == NULL) {
        u->fd = folder_temporary(u->folder, u->path, &u->err);
        if (u->fd < 0)
            trouble(u);
        u->parts.path = u->path;
    }
    u->bytes += size;
    u->parts.has_file = true;
    u->parts.too_big = u->bytes > u->max_bytes;
    if (!u->parts.too_big && u->parts.trouble == NULL && !folder_write(u->fd, data, size, &u->err))
        trouble(u);
}

static bool is_part(const char *key, const char *name)
{
    return name != NULL && strcmp(key, name) == 0;
}

static struct buf *field_named(struct upload *u, const char *key)
{
    struct upload_parts *parts = &u->parts;

    if (strcmp(key, "purpose") == 0)
        return &parts->purpose;
    if (is_part(key, u->dialect->anchor))
        return &parts->anchor;
    if (is_part(key, u->dialect->seconds))
        return &parts->seconds;
    return NULL;
}

static enum MHD_Result on_part(void *arg, enum MHD_ValueKind kind, const char *key,
                               const char *filename, const char *type, const char *encoding,
                               const char *data, uint64_t off, size_t size)
{
    struct upload *u = arg;
    struct buf *field;

    (void)kind;
    (void)type;
    (void)encoding;
    if (key == NULL)
        return MHD_YES;
    if (strcmp(key, "file") == 0) {
        if (off == 0 && filename != NULL) {
            buf_clear(&u->parts.filename);
            if (!buf_append(&u->parts.filename, filename, strlen(filename)))
                return MHD_NO;
        }
        take_file(u, data, size);
        return MHD_YES;
    }
    field = field_named(u, key);
    return field == NULL || buf_append(field, data, size) ? MHD_YES : MHD_NO;
}

static bool is_multipart(struct MHD_Connection *conn)
{
    static const char wanted[] = "multipart/form-data";
    const char *type =
        MHD_lookup_connection_value(conn, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);

    return type != NULL && strncasecmp(type, wanted, sizeof(wanted) - 1) == 0;
}

struct upload *upload_new(struct MHD_Connection *conn, const struct folder *folder,
                          const struct dialect_files *dialect, uint64_t max_bytes)
{
    struct upload *u = xcalloc(1, sizeof(*u));

    u->fd = -1;
    u->folder = folder;
    u->dialect = dialect;
    u->max_bytes = max_bytes;
    u->parts.filename = u->parts.purpose = BUF_INIT(FIELD_BYTES_MAX);
    u->parts.anchor = u->parts.seconds = BUF_INIT(FIELD_BYTES_MAX);
    if (is_multipart(conn))
        u->parser = MHD_create_post_processor(conn, PARSER_BYTES, on_part, u);
    u->parts.multipart = u->parser != NULL;
    return u;
}

void upload_feed(struct upload *u, const char *bytes, size_t len)
{
    if (u->parts.multipart && MHD_post_process(u->parser, bytes, len) != MHD_YES)
        u->parts.multipart = false;
}

const struct upload_parts *upload_end(struct upload *u)
{
    if (u->parser != NULL && MHD_destroy_post_processor(u->parser) != MHD_YES)
        u->parts.multipart = false;
    u->parser = NULL;
    if (u->fd >= 0)
        (void)close(u->fd);
    u->fd = -1;
    return &u->parts;
}

void upload_free(struct upload *u)
{
    if (u == NULL)
        return;
    (void)upload_end(u);
    if (u->path[0] != '\0')
        (void)unlink(u->path);
    buf_release(&u->parts.filename);
    buf_release(&u->parts.purpose);
    buf_release(&u->parts.anchor);
    buf_release(&u->parts.seconds);
    free(u);
}
