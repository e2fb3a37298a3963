#include "common/recipe/json_place.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/json/scan.h"

bool json_place_fail(const struct json_file *file, const char *at, struct err *err, const char *fmt,
                     ...)
{
    char words[sizeof(err->msg)];
    size_t line = 1;
    size_t column = 1; /* in characters */
    va_list args;

    for (const char *p = file->text; p < at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*p & 0xC0) != 0x80) {
            column++;
        }
    }
    va_start(args, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, args);
    va_end(args);
    err_set(err, ERR_USAGE, "%s:%zu:%zu: %s", file->name, line, column, words);
    return err_one_line(err);
}

bool json_place_scan(const struct json_file *file, struct json_value *root, struct err *err)
{
    struct json_error wrong = {0};

    if (json_scan(file->text, file->len, root, &wrong))
        return true;
    return json_place_fail(file, file->text + wrong.offset, err, "not valid JSON: %s", wrong.what);
}
