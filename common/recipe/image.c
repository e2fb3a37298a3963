#include "common/recipe/image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"

enum {
    CHUNK = 48 * 1024, /* a multiple of 3: base64 of pieces is that of the whole */
};

const char *image_type_name(enum image_type type)
{
    switch (type) {
    case IMAGE_UNKNOWN: return "";
    case IMAGE_PNG: return "image/png";
    case IMAGE_JPEG: return "image/jpeg";
    case IMAGE_GIF: return "image/gif";
    case IMAGE_WEBP: return "image/webp";
    case IMAGE_BMP: return "image/bmp";
    }
    return "";
}

static bool begins(const char *bytes, size_t len, const char *magic, size_t magic_len)
{
    return len >= magic_len && memcmp(bytes, magic, magic_len) == 0;
}

/*
 * PNG: W3C PNG (Third Edition) 5.2; JPEG: ITU-T T.81 B.1.1.3, SOI and the marker behind it; GIF:
 * GIF89a 17; WebP: RFC 9649 2.4; BMP: "BM", and the reserved words of the file header are 0.
 */
enum image_type image_type_of(const void *bytes, size_t len)
{
    const char *p = bytes;

    if (begins(p, len, "\x89PNG\r\n\x1a\n", 8))
        return IMAGE_PNG;
    if (begins(p, len, "\xFF\xD8\xFF", 3))
        return IMAGE_JPEG;
    if (begins(p, len, "GIF87a", 6) || begins(p, len, "GIF89a", 6))
        return IMAGE_GIF;
    if (len >= 12 && begins(p, len, "RIFF", 4) && memcmp(p + 8, "WEBP", 4) == 0)
        return IMAGE_WEBP;
    if (len >= 14 && begins(p, len, "BM", 2) && memcmp(p + 6, "\0\0\0\0", 4) == 0)
        return IMAGE_BMP;
    return IMAGE_UNKNOWN;
}

/* The 1 to 3 bytes at @in as 4 characters. */
static void put_group(const unsigned char *in, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned a = in[0];
    unsigned b = len > 1 ? in[1] : 0;
    unsigned c = len > 2 ? in[2] : 0;

    out[0] = digits[a >> 2];
    out[1] = digits[(a & 3) << 4 | b >> 4];
    out[2] = out[3] = '=';
    if (len > 1)
        out[2] = digits[(b & 15) << 2 | c >> 6];
    if (len > 2)
        out[3] = digits[c & 63];
}

/* base64 of RFC 4648 section 4. */
static bool put_base64(struct buf *out, const unsigned char *in, size_t len)
{
    if (!buf_reserve(out, (len + 2) / 3 * 4))
        return false;
    for (size_t i = 0; i < len; i += 3) {
        put_group(in + i, len - i, out->data + out->len);
        out->len += 4;
    }
    out->data[out->len] = '\0';
    return true;
}

/* Until @len bytes are there or the file ends. */
static ssize_t read_full(int fd, unsigned char *to, size_t len)
{
    size_t have = 0;

    while (have < len) {
        ssize_t n = read(fd, to + have, len - have);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

/* One call of image_put() that has come as far as a file. */
struct reading {
    struct buf *out;
    const char *path;
    int fd;
    size_t max_bytes;
    enum image_problem problem;
    struct err *err;
};

static bool fail(struct reading *r, enum image_problem problem, const char *why)
{
    r->problem = problem;
    return err_set(r->err, ERR_INPUT, "%s: %s", r->path, why);
}

static bool fail_size(struct reading *r)
{
    r->problem = IMAGE_INVALID;
    return err_set(r->err, ERR_INPUT, "%s: an image may have at most %zu bytes", r->path,
                   r->max_bytes);
}

static bool put_head(struct reading *r, const unsigned char *bytes, size_t len)
{
    enum image_type type = image_type_of(bytes, len);

    if (len == 0)
        return fail(r, IMAGE_INVALID, "the file is empty");
    if (type == IMAGE_UNKNOWN)
        return fail(r, IMAGE_INVALID, "neither PNG, JPEG, GIF, WebP nor BMP");
    if (!buf_printf(r->out, "data:%s;base64,", image_type_name(type)))
        return fail(r, IMAGE_INVALID, "too large for a request");
    return true;
}

static bool put_chunks(struct reading *r)
{
    unsigned char chunk[CHUNK];
    size_t size = 0;
    ssize_t n = 0;

    do {
        n = read_full(r->fd, chunk, sizeof(chunk));
        if (n < 0)
            return fail(r, IMAGE_MISSING, strerror(errno));
        if (size == 0 && !put_head(r, chunk, (size_t)n))
            return false;
        size += (size_t)n;
        if (size > r->max_bytes) /* it may have grown since it was looked at */
            return fail_size(r);
        if (!put_base64(r->out, chunk, (size_t)n))
            return fail(r, IMAGE_INVALID, "too large for a request");
    } while ((size_t)n == sizeof(chunk));
    return true;
}

static bool put_file(struct reading *r)
{
    struct stat st;

    /* NONBLOCK: a pipe must not make a whole job wait. */
    r->fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (r->fd < 0 || fstat(r->fd, &st) != 0)
        return fail(r, IMAGE_MISSING, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(r, IMAGE_INVALID, "not a file");
    if ((uintmax_t)st.st_size > r->max_bytes)
        return fail_size(r);
    return put_chunks(r);
}

static bool is_url(const char *ref)
{
    static const char *const schemes[] = {"http://", "https://", "data:image/"};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (strncasecmp(ref, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

/* Quotes and control characters are no part of a URL (RFC 3986 2), nor a backslash. */
static bool put_url(struct reading *r)
{
    for (const char *p = r->path; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || *p == '"' || *p == '\\' || *p == 0x7F)
            return fail(r, IMAGE_INVALID, "not a URL");
    return buf_append(r->out, r->path, strlen(r->path)) ||
           fail(r, IMAGE_INVALID, "too large for a request");
}

bool image_put(struct buf *out, const char *ref, const char *folder, size_t max_bytes,
               enum image_problem *problem, struct err *err)
{
    struct buf path = BUF_INIT(PATH_MAX);
    struct reading r = {out, ref, -1, max_bytes, IMAGE_INVALID, err};
    size_t before = out->len;
    bool relative = *ref != '/' && folder != NULL;
    bool ok = false;

    if (*ref == '\0') {
        ok = err_set(err, ERR_INPUT, "the image's name is empty");
    } else if (is_url(ref)) {
        ok = put_url(&r);
    } else if (!buf_printf(&path, "%s%s%s", relative ? folder : "", relative ? "/" : "", ref)) {
        ok = fail(&r, IMAGE_MISSING, "the path is too long");
    } else {
        r.path = path.data;
        ok = put_file(&r);
    }
    if (r.fd >= 0)
        (void)close(r.fd);
    buf_release(&path);
    if (ok)
        return true;
    if (out->data != NULL) {
        out->len = before;
        out->data[before] = '\0';
    }
    *problem = r.problem;
    return false;
}
