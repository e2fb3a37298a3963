#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/input/source.h"
#include "tests/unit/input/input_files.h"

enum { DATA_BYTES = 1500000 };

/* Lines that compress well enough to make more output than a read takes. */
static char *make_data(void)
{
    char *data = malloc(DATA_BYTES);

    assert_non_null(data);
    for (size_t i = 0; i < DATA_BYTES; i++)
        data[i] = (char)(i % 40 == 39 ? '\n' : 'a' + (i / 5 + i / 4000) % 26);
    return data;
}

static size_t gzip_at(int level, const char *in, size_t len, char *out, size_t cap)
{
    z_stream z = {0};

    assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)in;
    z.avail_in = (uInt)len;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);

    size_t n = cap - z.avail_out;

    assert_int_equal(deflateEnd(&z), Z_OK);
    return n;
}

static size_t gzip(const char *in, size_t len, char *out, size_t cap)
{
    return gzip_at(6, in, len, out, cap);
}

static size_t zstd(const char *in, size_t len, char *out, size_t cap)
{
    size_t n = ZSTD_compress(out, cap, in, len, 3);

    assert_false(ZSTD_isError(n));
    return n;
}

static const struct {
    const char *suffix;
    size_t (*pack)(const char *in, size_t len, char *out, size_t cap);
} kinds[] = {
    {".gz",  gzip},
    {".zst", zstd}
};

/* Everything in @path, read @cap bytes at a time; false with @err as source_read(). */
static bool slurp(const char *path, size_t cap, struct buf *out, struct err *err)
{
    struct source *src = source_open(path, err);
    char *chunk = malloc(cap);
    size_t got = 1;
    bool ok = true;

    assert_non_null(src);
    assert_non_null(chunk);
    while (ok && got > 0) {
        ok = source_read(src, chunk, cap, &got, err);
        if (ok) {
            assert_true(got <= cap);
            assert_true(buf_append(out, chunk, got));
        }
    }
    free(chunk);
    source_close(src);
    return ok;
}

static void assert_content(const char *path, size_t cap, const char *want, size_t len)
{
    struct buf out = BUF_INIT((size_t)4 * DATA_BYTES);
    struct err err = {0};

    if (!slurp(path, cap, &out, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(out.len, len);
    if (len > 0)
        assert_memory_equal(out.data, want, len);
    buf_release(&out);
}

/* Reading fails; the message names the file and has @part in it. */
static void assert_fails(const char *path, const char *part)
{
    struct buf out = BUF_INIT((size_t)4 * DATA_BYTES);
    struct err err = {0};

    assert_false(slurp(path, 4096, &out, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_non_null(strstr(err.msg, path));
    if (strstr(err.msg, part) == NULL)
        fail_msg("no \"%s\" in \"%s\"", part, err.msg);
    buf_release(&out);
}

static void a_plain_file_is_read_as_it_is(void **state)
{
    static const size_t caps[] = {1, 7, 4096, 1 << 20};
    char *data = make_data();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(caps); i++) {
        size_t len = i == 0 ? 1000 : DATA_BYTES;

        assert_content(input_file("plain.jsonl", data, len), caps[i], data, len);
    }
    assert_content(input_file("empty.jsonl", "", 0), 100, "", 0);
    assert_content(input_file("x.gz.txt", "\x1f\x8b", 2), 100, "\x1f\x8b", 2);
    free(data);
}

static void compressed_files_are_read_whole(void **state)
{
    static const size_t caps[] = {1, 63, 4096, 1 << 21};
    char *data = make_data();
    char *packed = malloc(DATA_BYTES);
    char name[32];

    (void)state;
    assert_non_null(packed);
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        for (size_t i = 0; i < ARRAY_LEN(caps); i++) {
            size_t len = i == 0 ? 5000 : DATA_BYTES;
            size_t n = kinds[k].pack(data, len, packed, DATA_BYTES);

            (void)snprintf(name, sizeof(name), "one%s", kinds[k].suffix);
            print_message("  %s, %zu bytes a time\n", name, caps[i]);
            assert_content(input_file(name, packed, n), caps[i], data, len);
        }
    }
    free(packed);
    free(data);
}

static void members_and_frames_are_joined(void **state)
{
    char packed[400];
    char name[32];

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        size_t n = kinds[k].pack("one\n", 4, packed, 100);

        n += kinds[k].pack("", 0, packed + n, 100);
        n += kinds[k].pack("two\n", 4, packed + n, 100);
        (void)snprintf(name, sizeof(name), "joined%s", kinds[k].suffix);
        print_message("  %s\n", name);
        assert_content(input_file(name, packed, n), 100, "one\ntwo\n", 8);
        n = kinds[k].pack("", 0, packed, 100);
        assert_content(input_file(name, packed, n), 100, "", 0);
    }

    size_t n = gzip("one\n", 4, packed, 100);

    memset(packed + n, 0, 100);
    assert_content(input_file("padded.gz", packed, n + 100), 100, "one\n", 4);
    n += 100 + gzip("two\n", 4, packed + n + 100, 100);
    assert_content(input_file("padded.gz", packed, n), 100, "one\ntwo\n", 8);
}

/* Zero bytes are padding only between members, wherever the blocks of the file end. */
static void zero_bytes_inside_a_member_are_data(void **state)
{
    enum { ZEROS = 500000 };
    char *data = calloc(1, ZEROS + 1);
    char *packed = malloc(ZEROS + 1000);

    (void)state;
    assert_non_null(data);
    assert_non_null(packed);
    data[0] = 'x';

    size_t n = gzip("x", 1, packed, 100);

    n += gzip_at(0, data + 1, ZEROS, packed + n, ZEROS + 900);
    assert_content(input_file("zeros.gz", packed, n), 4096, data, ZEROS + 1);
    free(packed);
    free(data);
}

static void every_truncation_is_an_error(void **state)
{
    char text[300];
    char packed[500];
    char name[32];

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        size_t n = kinds[k].pack("first\n", 6, packed, sizeof(packed));
        size_t first = n;

        n += kinds[k].pack(text, sizeof(text), packed + n, sizeof(packed) - n);
        (void)snprintf(name, sizeof(name), "cut%s", kinds[k].suffix);
        for (size_t len = 0; len < n; len++) {
            const char *path = input_file(name, packed, len);

            if (len == first)
                assert_content(path, 100, "first\n", 6);
            else
                assert_fails(path, "ends too early, at byte");
        }
    }
}

static void corrupt_data_names_the_file_and_the_place(void **state)
{
    char packed[400];
    char name[32];

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        size_t n = kinds[k].pack("one\n", 4, packed, 100);

        (void)snprintf(name, sizeof(name), "bad%s", kinds[k].suffix);
        packed[0] ^= 1;
        assert_fails(input_file(name, packed, n), "near byte ");
        packed[0] ^= 1;
        memcpy(packed + n, "garbage behind it", 17);
        assert_fails(input_file(name, packed, n + 17), "near byte ");
        assert_fails(input_file(name, "{\"custom_id\":1}\n", 16), "near byte ");
    }

    size_t n = gzip("one\n", 4, packed, 100);

    packed[n - 6] ^= 1; /* in the checksum */
    assert_fails(input_file("sum.gz", packed, n), "corrupt gzip data near byte");
}

static void what_cannot_be_opened_says_why(void **state)
{
    struct err err = {0};

    (void)state;
    assert_null(source_open("/nonexistent/input.jsonl", &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_string_equal(err.msg, "/nonexistent/input.jsonl: No such file or directory");
    assert_null(source_open("/tmp", &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_non_null(strstr(err.msg, "/tmp: is a directory"));
    assert_null(source_open("/nonexistent/input.jsonl.gz", NULL));
}

static void only_plain_files_can_be_read_at_an_offset(void **state)
{
    struct err err = {0};
    char packed[100];
    char got[10];
    size_t n = 0;
    struct source *src = source_open(input_file("seek.jsonl", "0123456789", 10), &err);

    (void)state;
    assert_non_null(src);
    assert_true(source_is_seekable(src));
    assert_true(source_seek(src, 7, &err));
    assert_true(source_read(src, got, sizeof(got), &n, &err));
    assert_int_equal(n, 3);
    assert_memory_equal(got, "789", 3);
    assert_true(source_seek(src, 10, &err));
    assert_true(source_read(src, got, sizeof(got), &n, &err));
    assert_int_equal(n, 0);
    assert_false(source_seek(src, 11, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_non_null(strstr(source_name(src), "seek.jsonl"));
    source_close(src);

    n = gzip("abc", 3, packed, sizeof(packed));
    src = source_open(input_file("seek.gz", packed, n), &err);
    assert_non_null(src);
    assert_false(source_is_seekable(src));
    assert_false(source_seek(src, 0, &err));
    source_close(src);

    src = source_open("-", &err);
    assert_non_null(src);
    assert_false(source_is_seekable(src));
    assert_string_equal(source_name(src), "standard input");
    source_close(src);
    source_close(NULL);
}

static void a_dash_is_standard_input_and_stays_open(void **state)
{
    int ends[2];
    int saved = dup(STDIN_FILENO);
    char got[16];
    size_t n = 0;
    struct err err = {0};
    struct source *src = NULL;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "line\n", 5), 5);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    src = source_open("-", &err);
    assert_non_null(src);
    assert_true(source_read(src, got, sizeof(got), &n, &err));
    assert_int_equal(n, 5);
    assert_memory_equal(got, "line\n", 5);
    assert_true(source_read(src, got, sizeof(got), &n, &err));
    assert_int_equal(n, 0);
    source_close(src);
    assert_int_equal(read(STDIN_FILENO, got, 1), 0);
    assert_int_equal(close(ends[0]), 0);
    if (saved >= 0) {
        assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
        assert_int_equal(close(saved), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_file_is_read_as_it_is),
        cmocka_unit_test(compressed_files_are_read_whole),
        cmocka_unit_test(members_and_frames_are_joined),
        cmocka_unit_test(zero_bytes_inside_a_member_are_data),
        cmocka_unit_test(every_truncation_is_an_error),
        cmocka_unit_test(corrupt_data_names_the_file_and_the_place),
        cmocka_unit_test(what_cannot_be_opened_says_why),
        cmocka_unit_test(only_plain_files_can_be_read_at_an_offset),
        cmocka_unit_test(a_dash_is_standard_input_and_stays_open),
    };
    return cmocka_run_group_tests(tests, input_files_setup, input_files_teardown);
}
