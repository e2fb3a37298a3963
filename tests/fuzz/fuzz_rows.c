/*
 * Reading rows and writing them with answers. The first byte says the format (bits 0-1), the
 * encoding (bit 2) and the form of the output (bits 3-4). Rows are an object or have a problem;
 * what is spliced is JSON with the value where it was put; a table that was written is read again
 * with as many rows as it had records.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/rows/row_columns.h"
#include "common/rows/row_path.h"
#include "common/rows/row_writer.h"
#include "common/rows/rows.h"

enum { OUT_MAX = 64 << 20 };

/* A file in memory and its path. */
struct memory {
    int fd;
    char path[32];
};

static struct memory memory_open(const void *bytes, size_t len)
{
    struct memory m = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};

    FUZZ_CHECK(m.fd >= 0);
    FUZZ_CHECK(len == 0 || write(m.fd, bytes, len) == (ssize_t)len);
    (void)snprintf(m.path, sizeof(m.path), "/proc/self/fd/%d", m.fd);
    return m;
}

static void check_object(const struct json_value *object)
{
    struct json_value root;

    FUZZ_CHECK(object->kind == JSON_OBJECT);
    FUZZ_CHECK(json_scan(object->text, object->len, &root, NULL));
    FUZZ_CHECK(root.kind == JSON_OBJECT && root.len == object->len);
}

static void check_row(const struct row *row, uint64_t index, uint64_t line)
{
    FUZZ_CHECK(row->index == index);
    FUZZ_CHECK(row->line >= line && row->file == NULL);
    if (row->problem != NULL)
        FUZZ_CHECK(row->object.kind == JSON_ABSENT && strncmp(row->problem, "line ", 5) == 0);
    else
        check_object(&row->object);
}

static void check_splice(const struct row *row)
{
    static const struct row_put puts[] = {
        {"a.b",   {"{\"c\":0}", 7}},
        {"a.b.c", {"[1]", 3}      },
        {"x",     {"2", 1}        },
        {"a",     {"{\"b\":3}", 7}},
        {"0.a",   {"\"4\"", 3}    },
    };
    struct buf out = BUF_INIT(OUT_MAX);
    struct json_value root;

    for (size_t count = 1; count <= ARRAY_LEN(puts); count++) {
        const struct row_put *last = &puts[count - 1];

        buf_clear(&out);
        FUZZ_CHECK(row_splice(&out, &row->object, puts, count));
        FUZZ_CHECK(json_scan(out.data, out.len, &root, NULL));

        struct json_value found = row_at(&root, last->path);

        FUZZ_CHECK(found.len == last->json.len);
        FUZZ_CHECK(memcmp(found.text, last->json.p, found.len) == 0);
    }
    buf_release(&out);
}

static bool collect(void *arg, const void *bytes, size_t len, struct err *err)
{
    return buf_append(arg, bytes, len) || err_set(err, ERR_UNAVAILABLE, "full");
}

/* Read all; with @columns note them, with @writer write them. Returns how many rows there are. */
static uint64_t read_all(const char *path, const struct rows_options *options,
                         struct row_columns *columns, struct row_writer *writer, bool *failed)
{
    static const struct row_put put = {
        "_sheaf", {"{\"a\":\"ok\"}", 10}
    };
    struct err err = {0};
    struct row row = {0};
    bool end = false;
    uint64_t n = 0;
    struct rows *rows = rows_open(path, options, &err);

    *failed = rows == NULL;
    if (rows != NULL && columns != NULL)
        row_columns_init(columns, rows);
    while (!*failed && !end) {
        uint64_t line = row.line;

        if (!rows_next(rows, &row, &end, &err) ||
            (!end && columns != NULL && !row_columns_note(columns, &row, &err)))
            *failed = true;
        if (*failed || end)
            break;
        check_row(&row, n++, line);
        if (columns != NULL)
            check_splice(&row);
        if (writer != NULL)
            FUZZ_CHECK(row_writer_add(writer, &row, &put, 1, &err));
    }
    FUZZ_CHECK(!*failed || err.kind == ERR_INPUT);
    rows_close(rows);
    return n;
}

static void check_written(const struct buf *out, enum row_form form, uint64_t count)
{
    static const enum rows_format formats[] = {
        [ROW_FORM_JSONL] = ROWS_JSONL,
        [ROW_FORM_JSON] = ROWS_JSON,
        [ROW_FORM_CSV] = ROWS_CSV,
        [ROW_FORM_TSV] = ROWS_TSV,
    };
    struct rows_options options = {.format = formats[form]};
    struct memory file = memory_open(out->data, out->len);
    bool failed = false;
    uint64_t n = read_all(file.path, &options, NULL, NULL, &failed);

    /* a member without a name makes a column without one, which is refused */
    FUZZ_CHECK(failed ? form == ROW_FORM_CSV || form == ROW_FORM_TSV : n == count);
    FUZZ_CHECK(close(file.fd) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum rows_format formats[] = {ROWS_JSONL, ROWS_JSON, ROWS_CSV, ROWS_TSV};
    struct rows_options options = {0};
    struct row_columns columns = {0};
    struct buf out = BUF_INIT(OUT_MAX);
    struct err err = {0};
    bool failed = false;

    if (size < 1)
        return 0;
    options.format = formats[data[0] & 3];
    options.encoding = (data[0] & 4) != 0 ? "gb18030" : NULL;

    enum row_form form = (enum row_form)(data[0] >> 3 & 3);
    struct memory file = memory_open(data + 1, size - 1);
    uint64_t count = read_all(file.path, &options, &columns, NULL, &failed);

    if (!failed) {
        row_columns_answer(&columns, "_sheaf");

        struct row_writer *writer = row_writer_new(form, &columns, collect, &out);

        FUZZ_CHECK(read_all(file.path, &options, NULL, writer, &failed) == count && !failed);
        FUZZ_CHECK(row_writer_end(writer, &err));
        check_written(&out, form, count);
        row_writer_free(writer);
    }
    row_columns_release(&columns);
    buf_release(&out);
    FUZZ_CHECK(close(file.fd) == 0);
    return 0;
}
