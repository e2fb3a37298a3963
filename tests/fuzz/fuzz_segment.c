/* Segments that come from the sink: records stay in order, lines are as long as they say. */
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "common/codec/segment.h"

static void read_all(struct segment_reader *r)
{
    struct record record;
    unsigned seen = 0;

    while (segment_reader_next(r, &record, NULL) == SEGMENT_RECORD) {
        const char *line;

        if (++seen % 3 != 0 && !segment_reader_line(r, &line, NULL))
            break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("segment", MFD_CLOEXEC);

    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);

    struct segment_reader *r = segment_reader_new(fd, "fuzz", NULL);
    if (r != NULL)
        read_all(r);
    segment_reader_free(r);
    return 0;
}
