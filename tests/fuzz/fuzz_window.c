/*
 * Cutting an input: windows cover it, their bytes split into the same requests, and
 * cutting from a boundary in the middle gives the same windows. The first three bytes
 * are the limits.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/xmem.h"
#include "common/digest/crc32c.h"
#include "common/input/line_reader.h"
#include "common/input/source.h"
#include "common/input/window.h"

enum { SUMS_MAX = 1024 };

struct input {
    char path[32];
    const char *bytes;
    size_t len;
    size_t line_max;
    struct window_limits limits;
};

static void check_split(const struct input *in, const struct window *w)
{
    struct window_line *lines = xcalloc(w->count, sizeof(*lines));

    FUZZ_CHECK(window_split(in->bytes + w->offset, w->len, w->offset, w->first_line, in->line_max,
                            lines, w->count) == w->count);
    for (uint32_t i = 0; i < w->count; i++) {
        FUZZ_CHECK(lines[i].number == w->lines[i].number);
        FUZZ_CHECK(lines[i].too_long == w->lines[i].too_long);
        FUZZ_CHECK(lines[i].text_len == w->lines[i].text_len);
        FUZZ_CHECK(memcmp(lines[i].text, w->lines[i].text, lines[i].text_len) == 0);
    }
    free(lines);
}

/*
 * Cut from where @start says (NULL: the beginning) to the end, checking each window.
 * Each one's description goes to @out, with pointers that mean nothing any more.
 */
static size_t cut(const struct input *in, const struct window *start, struct window *out)
{
    struct err err = {0};
    struct window w = {0};
    bool end = false;
    size_t n = 0;
    uint64_t at = start != NULL ? start->offset : 0;
    struct source *src = source_open(in->path, &err);

    FUZZ_CHECK(src != NULL);

    struct line_reader *reader = line_reader_new(src, in->line_max);

    FUZZ_CHECK(source_seek(src, at, &err));
    if (start != NULL)
        line_reader_start(reader, at, start->first_line);

    struct window_cutter *cutter =
        window_cutter_new(reader, in->limits, start != NULL ? start->index : 0);

    while (n < SUMS_MAX && window_cutter_next(cutter, &w, &end, &err) && !end) {
        FUZZ_CHECK(w.offset == at && w.count > 0 && w.len <= in->len - at);
        FUZZ_CHECK(w.crc32c == crc32c(0, in->bytes + at, w.len));
        FUZZ_CHECK(w.bytes == NULL || memcmp(w.bytes, in->bytes + at, w.len) == 0);
        check_split(in, &w);
        at += w.len;
        out[n++] = w;
    }
    FUZZ_CHECK(err.kind == ERR_NONE);
    FUZZ_CHECK(!end || at == in->len || n == 0);
    window_cutter_free(cutter);
    line_reader_free(reader);
    source_close(src);
    return n;
}

static void check_resumed(const struct input *in, const struct window *whole, size_t n)
{
    static struct window rest[SUMS_MAX];
    size_t from = n / 2;
    size_t m = cut(in, &whole[from], rest);

    FUZZ_CHECK(m >= n - from);
    for (size_t i = from; i < n; i++) {
        const struct window *a = &whole[i];
        const struct window *b = &rest[i - from];

        FUZZ_CHECK(a->index == b->index && a->offset == b->offset && a->len == b->len);
        FUZZ_CHECK(a->first_line == b->first_line && a->line_count == b->line_count);
        FUZZ_CHECK(a->count == b->count && a->crc32c == b->crc32c);
        FUZZ_CHECK((a->bytes == NULL) == (b->bytes == NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct window whole[SUMS_MAX];
    struct input in = {0};

    if (size < 3)
        return 0;
    in.limits = (struct window_limits){data[0] % 8, data[1]};
    in.line_max = data[2];
    in.bytes = (const char *)data + 3;
    in.len = size - 3;

    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(write(fd, in.bytes, in.len) == (ssize_t)in.len);
    (void)snprintf(in.path, sizeof(in.path), "/proc/self/fd/%d", fd);

    size_t n = cut(&in, NULL, whole);

    if (n > 0)
        check_resumed(&in, whole, n);
    FUZZ_CHECK(close(fd) == 0);
    return 0;
}
