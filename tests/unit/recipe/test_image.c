#include "tests/testlib/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/recipe/image.h"

struct fixture {
    char folder[64];
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));

    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/test_image.XXXXXX");
    *state = f;
    return mkdtemp(f->folder) != NULL ? 0 : -1;
}

static void path_of(const struct fixture *f, const char *name, char out[128])
{
    (void)snprintf(out, 128, "%s/%s", f->folder, name);
}

static int teardown(void **state)
{
    static const char *const names[] = {"a.png", "x.txt", "big.png", "empty", "pipe", "sub"};
    struct fixture *f = *state;
    char path[128];

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        path_of(f, names[i], path);
        (void)remove(path);
    }
    (void)rmdir(f->folder);
    free(f);
    return 0;
}

static void write_file(const struct fixture *f, const char *name, const void *bytes, size_t len)
{
    char path[128];

    path_of(f, name, path);

    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static const struct {
    const char *bytes;
    size_t len;
    enum image_type type;
    const char *name;
} magics[] = {
    {"\x89PNG\r\n\x1a\n",                8,  IMAGE_PNG,     "image/png" },
    {"\x89PNG\r\n\x1a\r",                8,  IMAGE_UNKNOWN, ""          },
    {"\x89PNG\r\n\x1a",                  7,  IMAGE_UNKNOWN, ""          },
    {"\xFF\xD8\xFF\xE0",                 4,  IMAGE_JPEG,    "image/jpeg"},
    {"\xFF\xD8\xFE",                     3,  IMAGE_UNKNOWN, ""          },
    {"GIF87a",                           6,  IMAGE_GIF,     "image/gif" },
    {"GIF89a",                           6,  IMAGE_GIF,     "image/gif" },
    {"GIF88a",                           6,  IMAGE_UNKNOWN, ""          },
    {"RIFF\0\0\0\0WEBP",                 12, IMAGE_WEBP,    "image/webp"},
    {"RIFF\0\0\0\0WAVE",                 12, IMAGE_UNKNOWN, ""          },
    {"RIFF\0\0\0\0WEB",                  11, IMAGE_UNKNOWN, ""          },
    {"BM\x1\x2\x3\x4\0\0\0\0\x36\0\0\0", 14, IMAGE_BMP,     "image/bmp" },
    {"BMX is a text about bicycles",     28, IMAGE_UNKNOWN, ""          },
    {"<svg>",                            5,  IMAGE_UNKNOWN, ""          },
    {"",                                 0,  IMAGE_UNKNOWN, ""          },
};

static void test_the_first_bytes_say_what_an_image_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
        enum image_type type = image_type_of(magics[i].bytes, magics[i].len);

        assert_int_equal(type, magics[i].type);
        assert_string_equal(image_type_name(type), magics[i].name);
        assert_true(magics[i].len <= IMAGE_MAGIC_BYTES || type == IMAGE_UNKNOWN);
    }
}

static void test_a_url_stays_as_it_is(void **state)
{
    static const char *const urls[] = {
        "http://example.org/a.png",
        "https://example.org/a.png?x=1&y=%20",
        "HTTPS://EXAMPLE.ORG/",
        "data:image/png;base64,AAAA",
        "https://example.org/\xE4\xBD\xA0.png",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct buf out = BUF_INIT(1000);
        enum image_problem problem;

        assert_true(buf_append(&out, ">", 1));
        assert_true(image_put(&out, urls[i], "/nowhere", 10, &problem, NULL));
        assert_string_equal(out.data + 1, urls[i]);
        buf_release(&out);
    }
}

/* RFC 4648 section 10, behind a head that makes it an image. */
static void test_a_file_becomes_a_data_url(void **state)
{
    static const struct {
        const char *bytes, *want;
    } cases[] = {
        {"GIF89a",       "R0lGODlh"        },
        {"GIF89afoobar", "R0lGODlhZm9vYmFy"},
        {"GIF89afooba",  "R0lGODlhZm9vYmE="},
        {"GIF89afoob",   "R0lGODlhZm9vYg=="},
    };
    const struct fixture *f = *state;
    char path[128];

    path_of(f, "a.png", path);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = BUF_INIT(1000);
        enum image_problem problem;

        write_file(f, "a.png", cases[i].bytes, strlen(cases[i].bytes));
        assert_true(image_put(&out, "a.png", f->folder, 1000, &problem, NULL));
        assert_memory_equal(out.data, "data:image/gif;base64,", 22);
        assert_string_equal(out.data + 22, cases[i].want);
        buf_clear(&out);
        assert_true(image_put(&out, path, "/nowhere", 1000, &problem, NULL));
        assert_string_equal(out.data + 22, cases[i].want);
        buf_release(&out);
    }
}

/* Longer than what is read at once, with every byte there is; coreutils' base64 is the judge. */
static void test_a_large_file_is_the_base64_of_its_bytes(void **state)
{
    const struct fixture *f = *state;
    size_t len = 200001;
    unsigned char *bytes = xcalloc(len, 1);
    struct buf out = BUF_INIT(1 << 20);
    struct buf want = BUF_INIT(1 << 20);
    enum image_problem problem;
    char command[200];

    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)(i * i / 7 + i);
    memcpy(bytes, "\xFF\xD8\xFF", 3);
    write_file(f, "big.png", bytes, len);
    (void)snprintf(command, sizeof(command), "base64 -w0 %s/big.png", f->folder);

    FILE *p = popen(command, "r"); /* NOLINT(cert-env33-c): a fixed command */

    assert_non_null(p);
    assert_true(buf_reserve(&want, len * 2));
    want.len = fread(want.data, 1, len * 2, p);
    assert_int_equal(pclose(p), 0);
    assert_true(image_put(&out, "big.png", f->folder, IMAGE_BYTES_PRESET, &problem, NULL));
    assert_int_equal(out.len, want.len + 23);
    assert_memory_equal(out.data + 23, want.data, want.len);
    assert_memory_equal(out.data, "data:image/jpeg;base64,", 23);
    buf_release(&out);
    buf_release(&want);
    free(bytes);
}

static void test_what_cannot_be_sent_says_why(void **state)
{
    static const struct {
        const char *ref;
        size_t max;
        enum image_problem problem;
        const char *why;
    } cases[] = {
        {"gone.png",                 1000, IMAGE_MISSING, "gone.png: No such file or directory"        },
        {"a.png/x",                  1000, IMAGE_MISSING, "a.png/x: Not a directory"                   },
        {"",                         1000, IMAGE_INVALID, "the image's name is empty"                  },
        {"x.txt",                    1000, IMAGE_INVALID, "x.txt: neither PNG, JPEG, GIF, WebP nor BMP"},
        {"empty",                    1000, IMAGE_INVALID, "empty: the file is empty"                   },
        {"sub",                      1000, IMAGE_INVALID, "sub: not a file"                            },
        {"pipe",                     1000, IMAGE_INVALID, "pipe: not a file"                           },
        {"a.png",                    5,    IMAGE_INVALID, "a.png: an image may have at most 5 bytes"   },
        {"a.png",                    1000, IMAGE_INVALID, "a.png: too large for a request"             },
        {"http://x/a b",             1000, IMAGE_INVALID, "http://x/a b: not a URL"                    },
        {"https://x/\"",             1000, IMAGE_INVALID, "https://x/\": not a URL"                    },
        {"data:image/png,\n",        1000, IMAGE_INVALID, "not a URL"                                  },
        {"data:text/html;base64,AA", 1000, IMAGE_MISSING, "data:text/html;base64,AA: No such file"     },
        {"ftp://x/a.png",            1000, IMAGE_MISSING, "ftp://x/a.png: No such file or directory"   },
    };
    const struct fixture *f = *state;
    char path[128];

    write_file(f, "a.png", "\x89PNG\r\n\x1a\n", 8);
    write_file(f, "x.txt", "just words, and many", 20);
    write_file(f, "empty", "", 0);
    path_of(f, "sub", path);
    assert_int_equal(mkdir(path, 0700), 0);
    path_of(f, "pipe", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = BUF_INIT(20);
        struct err err = {0};
        enum image_problem problem = IMAGE_MISSING;

        assert_true(buf_append(&out, "kept", 4));
        assert_false(image_put(&out, cases[i].ref, f->folder, cases[i].max, &problem, &err));
        assert_int_equal(problem, cases[i].problem);
        assert_int_equal(err.kind, ERR_INPUT);
        if (strstr(err.msg, cases[i].why) == NULL)
            fail_msg("%s: got <%s>, want <%s>", cases[i].ref, err.msg, cases[i].why);
        assert_string_equal(out.data, "kept");
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_bytes_say_what_an_image_is),
        cmocka_unit_test(test_a_url_stays_as_it_is),
        cmocka_unit_test_setup_teardown(test_a_file_becomes_a_data_url, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_large_file_is_the_base64_of_its_bytes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_sent_says_why, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
