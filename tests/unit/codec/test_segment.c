#include "tests/testlib/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/codec/segment.h"
#include "common/model/ordinal.h"

static const struct segment_batch batch = {.bid = "0123456789abcdef", .created_ms = 1700000000000};

static bool to_buf(void *arg, const void *bytes, size_t len, struct err *err)
{
    return buf_append(arg, bytes, len) || err_set(err, ERR_PERMANENT, "full");
}

static struct segment_reader *reader_of(const char *bytes, size_t len, struct err *err)
{
    int fd = memfd_create("segment", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_true(write(fd, bytes, len) == (ssize_t)len);
    assert_true(lseek(fd, 0, SEEK_SET) == 0);
    return segment_reader_new(fd, "part-0000001/x.seg", err);
}

/* Some records of part 1, two of them for the same task. */
static void three_records(struct record records[3])
{
    records[0] = (struct record){.ordinal = ordinal_make(512, 0),
                                 .offset = 100,
                                 .outcome = OUTCOME_RETRY,
                                 .attempt = 2,
                                 .line = "{\"a\":1}",
                                 .len = 7};
    records[1] = (struct record){.ordinal = ordinal_make(600, 999),
                                 .offset = 0,
                                 .outcome = OUTCOME_OK,
                                 .line = "{}",
                                 .len = 2};
    records[2] = (struct record){.ordinal = ordinal_make(600, 999),
                                 .offset = 50,
                                 .outcome = OUTCOME_PERM,
                                 .line = "",
                                 .len = 0};
}

static void records_come_back_as_they_were(void **state)
{
    struct record records[3];
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    three_records(records);
    assert_true(segment_write(1, &batch, records, 3, to_buf, &out, NULL));
    struct segment_reader *r = reader_of(out.data, out.len, NULL);
    assert_non_null(r);
    const struct segment_header *h = segment_reader_header(r);
    assert_int_equal(h->part, 1);
    assert_int_equal(h->records, 3);
    assert_true(h->first == records[0].ordinal && h->last == records[2].ordinal);
    assert_string_equal(h->batches[0].bid, batch.bid);
    assert_true(h->batches[0].created_ms == batch.created_ms);
    for (size_t i = 0; i < 3; i++) {
        struct record got;
        const char *line;

        assert_int_equal(segment_reader_next(r, &got, NULL), SEGMENT_RECORD);
        assert_true(got.ordinal == records[i].ordinal && got.offset == records[i].offset);
        assert_int_equal(got.outcome, records[i].outcome);
        assert_int_equal(got.attempt, records[i].attempt);
        assert_int_equal(got.len, records[i].len);
        if (i == 1)
            continue; /* a line may be passed over */
        assert_true(segment_reader_line(r, &line, NULL));
        assert_memory_equal(line, records[i].line, got.len);
    }
    struct record none;
    assert_int_equal(segment_reader_next(r, &none, NULL), SEGMENT_END);
    segment_reader_free(r);
    buf_release(&out);
}

static void a_segment_may_be_empty(void **state)
{
    struct buf out = BUF_INIT(1 << 20);
    struct record none;

    (void)state;
    assert_true(segment_write(1, &batch, NULL, 0, to_buf, &out, NULL));
    struct segment_reader *r = reader_of(out.data, out.len, NULL);
    assert_non_null(r);
    assert_int_equal(segment_reader_next(r, &none, NULL), SEGMENT_END);
    segment_reader_free(r);
    buf_release(&out);
}

static void unsorted_records_are_a_bug(void **state)
{
    struct record records[3];
    struct buf out = BUF_INIT(1 << 20);
    struct err err = {0};

    (void)state;
    three_records(records);
    records[2].offset = 0;
    records[1].offset = 1;
    assert_false(segment_write(1, &batch, records, 3, to_buf, &out, &err));
    assert_int_equal(err.kind, ERR_INTERNAL);
    qsort(records, 3, sizeof(records[0]), record_compare);
    buf_clear(&out);
    assert_true(segment_write(1, &batch, records, 3, to_buf, &out, NULL));
    buf_clear(&out);
    assert_false(segment_write(2, &batch, records, 3, to_buf, &out, NULL)); /* another part */
    buf_release(&out);
}

/* Read all, lines too; SEGMENT_END or SEGMENT_FAILED. */
static enum segment_read read_all(const char *bytes, size_t len, struct err *err)
{
    struct segment_reader *r = reader_of(bytes, len, err);
    enum segment_read read = SEGMENT_FAILED;
    struct record record;
    const char *line;

    while (r != NULL && (read = segment_reader_next(r, &record, err)) == SEGMENT_RECORD) {
        if (!segment_reader_line(r, &line, err)) {
            read = SEGMENT_FAILED;
            break;
        }
    }
    segment_reader_free(r);
    return read;
}

static void every_flipped_bit_and_cut_is_noticed(void **state)
{
    struct record records[3];
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    three_records(records);
    assert_true(segment_write(1, &batch, records, 3, to_buf, &out, NULL));
    assert_int_equal(read_all(out.data, out.len, NULL), SEGMENT_END);
    for (size_t i = 0; i < out.len; i++) {
        struct err err = {0};

        assert_int_equal(read_all(out.data, i, &err), SEGMENT_FAILED);
        assert_int_equal(err.kind, ERR_PERMANENT);
        assert_non_null(strstr(err.msg, "part-0000001/x.seg"));
        out.data[i] = (char)(out.data[i] ^ 1 << (i % 8));
        assert_int_equal(read_all(out.data, out.len, NULL), SEGMENT_FAILED);
        out.data[i] = (char)(out.data[i] ^ 1 << (i % 8));
    }
    assert_true(buf_append(&out, "x", 1));
    assert_int_equal(read_all(out.data, out.len, NULL), SEGMENT_FAILED);
    buf_release(&out);
}

static void long_lines_pass_between_short_ones(void **state)
{
    enum { LINES = 40 };
    struct record records[LINES];
    struct buf out = BUF_INIT(64u << 20);
    size_t longest = 3u << 20;
    char *text = xcalloc(longest, 1);

    (void)state;
    for (size_t i = 0; i < longest; i++)
        text[i] = (char)('a' + i % 26);
    for (uint32_t i = 0; i < LINES; i++)
        records[i] = (struct record){.ordinal = i,
                                     .offset = i,
                                     .outcome = OUTCOME_OK,
                                     .line = text + i,
                                     .len = i % 7 == 3 ? longest - 64 : 131000 + i * 13};
    assert_true(segment_write(0, &batch, records, LINES, to_buf, &out, NULL));
    struct segment_reader *r = reader_of(out.data, out.len, NULL);
    assert_non_null(r);
    for (uint32_t i = 0; i < LINES; i++) {
        struct record got;
        const char *line;

        assert_int_equal(segment_reader_next(r, &got, NULL), SEGMENT_RECORD);
        assert_int_equal(got.len, records[i].len);
        if (i % 3 == 0)
            continue;
        assert_true(segment_reader_line(r, &line, NULL));
        assert_int_equal(memcmp(line, text + i, got.len), 0);
    }
    struct record none;
    assert_int_equal(segment_reader_next(r, &none, NULL), SEGMENT_END);
    segment_reader_free(r);
    free(text);
    buf_release(&out);
}

static void a_line_over_the_limit_is_refused(void **state)
{
    struct record record = {.ordinal = 1, .line = "x", .len = SEGMENT_MAX_LINE + 1};
    struct buf out = BUF_INIT(1 << 20);
    struct err err = {0};

    (void)state;
    record.outcome = OUTCOME_OK;
    assert_false(segment_write(0, &batch, &record, 1, to_buf, &out, &err));
    assert_int_equal(err.kind, ERR_PERMANENT);
    buf_release(&out);
}

static void a_writer_that_fails_stops_the_writing(void **state)
{
    struct record records[3];
    struct buf out = BUF_INIT(90);
    struct err err = {0};

    (void)state;
    three_records(records);
    assert_false(segment_write(1, &batch, records, 3, to_buf, &out, &err));
    assert_string_equal(err.msg, "full");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_as_they_were),
        cmocka_unit_test(a_segment_may_be_empty),
        cmocka_unit_test(unsorted_records_are_a_bug),
        cmocka_unit_test(every_flipped_bit_and_cut_is_noticed),
        cmocka_unit_test(long_lines_pass_between_short_ones),
        cmocka_unit_test(a_line_over_the_limit_is_refused),
        cmocka_unit_test(a_writer_that_fails_stops_the_writing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
