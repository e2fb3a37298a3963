#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/rows/rows.h"

/*
 * Inputs that are many times as large as what may be held. Another process writes them into a pipe,
 * so that nothing but the reading takes memory here.
 */
enum { TOTAL_MIB = 48, GROWTH_MIB = 8, ROW_BYTES = 4000 };

static const struct {
    const char *name;
    enum rows_format format;
    const char *encoding;
    const char *begin, *open, *close, *between, *end;
} forms[] = {
    {"JSON lines",     ROWS_JSONL, NULL,      "",      "{\"a\":\"", "\"}", "\n",  "\n"},
    {"an array",       ROWS_JSON,  NULL,      "[",     "{\"a\":\"", "\"}", ",\n", "]" },
    {"CSV",            ROWS_CSV,   NULL,      "a,b\n", "1,\"",      "\"",  "\n",  "\n"},
    {"CSV in GB18030", ROWS_CSV,   "gb18030", "a,b\n", "1,\"",      "\"",  "\n",  "\n"},
};

static void write_rows(int fd, size_t form, size_t count)
{
    char filler[ROW_BYTES + 1];
    FILE *file = fdopen(fd, "w");

    memset(filler, 'x', ROW_BYTES);
    filler[ROW_BYTES] = '\0';
    if (file == NULL)
        _exit(1);
    (void)fputs(forms[form].begin, file);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(file, "%s%s%s%s", i > 0 ? forms[form].between : "", forms[form].open, filler,
                      forms[form].close);
    (void)fputs(forms[form].end, file);
    _exit(fclose(file) == 0 ? 0 : 1);
}

static long memory_kib(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

static void large_inputs_are_read_in_little_memory(void **state)
{
    size_t count = ((size_t)TOTAL_MIB << 20) / ROW_BYTES;
    long before = memory_kib();

    (void)state;
    for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
        struct rows_options options = {forms[f].format, forms[f].encoding};
        struct err err = {0};
        char path[32];
        struct row row;
        bool end = false;
        int ends[2];
        int status = 0;

        print_message("  %s\n", forms[f].name);
        assert_int_equal(pipe(ends), 0);

        pid_t pid = fork();

        if (pid == 0) {
            (void)close(ends[0]);
            write_rows(ends[1], f, count);
        }
        assert_int_equal(close(ends[1]), 0);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);

        struct rows *rows = rows_open(path, &options, &err);

        assert_non_null(rows);
        while (rows_next(rows, &row, &end, &err) && !end)
            assert_true(row.problem == NULL && row.object.len > ROW_BYTES);
        assert_true(end);
        assert_true(row.index == count - 1);
        rows_close(rows);
        assert_int_equal(close(ends[0]), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    print_message("  %ld KiB more\n", memory_kib() - before);
    assert_in_range(memory_kib() - before, 0, GROWTH_MIB * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_inputs_are_read_in_little_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
