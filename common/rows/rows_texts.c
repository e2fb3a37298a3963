/*
 * A folder of text files: each is a row {"file":"a.txt","text":"..."}. Hidden files (their names
 * begin with a dot), sub-folders and whatever is no regular file are passed over.
 */
#include "common/rows/rows_texts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/xmem.h"
#include "common/rows/rows_internal.h"

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_row(DIR *dir, const char *name)
{
    struct stat st;

    return name[0] != '.' && fstatat(dirfd(dir), name, &st, 0) == 0 && S_ISREG(st.st_mode);
}

void rows_texts_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

bool rows_texts_list(const char *path, char ***names, size_t *count, struct err *err)
{
    DIR *dir = opendir(path);
    struct dirent *entry = NULL;
    char **list = NULL;
    size_t n = 0;

    if (dir == NULL)
        return err_set(err, ERR_INPUT, "%s: %s", path, strerrordesc_np(errno));
    for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
        if (!is_row(dir, entry->d_name))
            continue;
        if ((n & (n - 1)) == 0)
            list = xrealloc(list, n == 0 ? 1 : n * 2, sizeof(*list));
        list[n++] = xstrdup(entry->d_name);
    }
    if (errno != 0) {
        (void)err_set(err, ERR_INPUT, "%s: %s", path, strerrordesc_np(errno));
        rows_texts_free(list, n);
        (void)closedir(dir);
        return false;
    }
    (void)closedir(dir);
    if (n > 0)
        qsort(list, n, sizeof(*list), by_bytes);
    *names = list;
    *count = n;
    return true;
}

char *rows_texts_path(const char *folder, const char *name)
{
    size_t cap = strlen(folder) + strlen(name) + 2;
    char *path = xcalloc(cap, 1);

    (void)snprintf(path, cap, "%s/%s", folder, name);
    return path;
}

/* The whole text is the record. */
static bool text_end(void *state, const char **p, const char *end)
{
    (void)state;
    *p = end;
    return false;
}

static bool make_object(struct rows *rows, const char *name, const struct row_record *record)
{
    struct buf *out = &rows->object;

    buf_clear(out);
    return buf_append(out, "{\"file\":", 8) && json_string_encode(out, name, strlen(name)) &&
           buf_append(out, ",\"text\":", 8) && json_string_encode(out, record->text, record->len) &&
           buf_append(out, "}", 1);
}

static bool begin(struct rows *rows, struct err *err)
{
    static const char *const columns[] = {"file", "text"};

    rows->columns = xcalloc(ARRAY_LEN(columns), sizeof(*rows->columns));
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        rows->columns[rows->column_count++] = xstrdup(columns[i]);
    return rows_texts_list(rows->path, &rows->names, &rows->name_count, err);
}

/* Read the file whose turn it is as one record. */
static bool read_file(struct rows *rows, const char *name, struct row_record *record,
                      struct err *err)
{
    char *path = rows_texts_path(rows->path, name);

    row_text_close(rows->text);
    rows->text = row_text_open(path, rows->encoding, true, err);
    free(path);
    return rows->text != NULL && row_text_record(rows->text, text_end, NULL, record, err);
}

static bool next(struct rows *rows, struct row *out, bool *end, struct err *err)
{
    struct row_record record;
    size_t valid = 0;

    if (rows->index == rows->name_count) {
        *end = true;
        return true;
    }
    out->file = rows->names[rows->index];
    if (!read_file(rows, out->file, &record, err))
        return false;
    if (rows_take_record(rows, &record, record.len, out))
        return true;
    valid = row_text_valid(record.text, record.len);
    if (valid < record.len)
        return rows_problem(rows, out, row_place_behind(record.place, record.text, valid),
                            "not valid %s", row_text_encoding(rows->text));
    if (!make_object(rows, out->file, &record))
        return rows_problem_row(rows, out, 1, "is too large as JSON");
    out->bytes = (struct slice){rows->object.data, rows->object.len};
    out->object = (struct json_value){JSON_OBJECT, rows->object.data, rows->object.len};
    return true;
}

const struct rows_kind rows_texts = {.begin = begin, .next = next};
