/* Segments, and the other documents that come from the sink or from Redis. */
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "common/codec/evidence.h"
#include "common/codec/ids.h"
#include "common/codec/payload.h"
#include "common/codec/segment.h"

static void read_segment(const uint8_t *data, size_t size)
{
    int fd = memfd_create("segment", MFD_CLOEXEC);
    struct record record;
    unsigned seen = 0;

    if (fd < 0)
        return;
    if (write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0) {
        (void)close(fd);
        return;
    }
    struct segment_reader *r = segment_reader_new(fd, "fuzz", NULL);
    while (r != NULL && segment_reader_next(r, &record, NULL) == SEGMENT_RECORD) {
        const char *line;

        if (++seen % 3 != 0 && !segment_reader_line(r, &line, NULL))
            break;
    }
    segment_reader_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct payload payload;
    struct evidence evidence;
    struct ids ids;

    read_segment(data, size);
    if (payload_decode(data, size, &payload, NULL))
        payload_release(&payload);
    if (evidence_decode(data, size, &evidence, NULL))
        evidence_release(&evidence);
    if (ids_decode(data, size, &ids, NULL))
        ids_release(&ids);
    return 0;
}
