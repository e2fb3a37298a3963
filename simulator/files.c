#include "simulator/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/xmem.h"
#include "simulator/folder.h"
#include "simulator/record.h"
#include "simulator/text.h"

#define META ".json"
#define DATA ".data"

#define FIELD(kind, member)                              \
    {                                                    \
#member, kind, offsetof(struct sim_file, member) \
    }

static const struct record_field fields[] = {
    FIELD(RECORD_NUMBER, seq),        FIELD(RECORD_TEXT, id),
    FIELD(RECORD_TEXT, filename),     FIELD(RECORD_TEXT, purpose),
    FIELD(RECORD_NUMBER, bytes),      FIELD(RECORD_NUMBER, created_ms),
    FIELD(RECORD_NUMBER, expires_ms), FIELD(RECORD_NUMBER, ready_ms),
    FIELD(RECORD_FLAG, broken),
};

/* Files are looked through only when one of them may have expired. */
static void note_end(struct files *f, const struct sim_file *file)
{
    if (file->expires_ms != 0 && file->expires_ms < f->next_end_ms)
        f->next_end_ms = file->expires_ms;
}

static void push(struct files *f, struct sim_file meta)
{
    struct sim_file *file = xcalloc(1, sizeof(*file));

    *file = meta;
    if (f->count == f->cap) {
        f->cap = f->cap == 0 ? 64 : 2 * f->cap;
        f->list = xrealloc(f->list, f->cap, sizeof(struct sim_file *));
    }
    f->list[f->count++] = file;
    note_end(f, file);
    if (meta.seq >= f->next_seq)
        f->next_seq = meta.seq + 1;
}

static bool load_one(const char *name, void *arg, struct err *err)
{
    struct files *f = arg;
    struct sim_file meta = {0};
    char path[FOLDER_PATH_MAX];
    const char *dot = strrchr(name, '.');

    if (dot == NULL || strcmp(dot, META) != 0)
        return true;
    folder_path(f->folder, "files", name, "", path);
    if (!record_read(fields, ARRAY_LEN(fields), path, &meta, err))
        return false;
    if (meta.id == NULL || meta.filename == NULL || meta.purpose == NULL) {
        record_release(fields, ARRAY_LEN(fields), &meta);
        return err_set(err, ERR_PERMANENT, "%s: incomplete", path);
    }
    push(f, meta);
    return true;
}

static int by_seq(const void *a, const void *b)
{
    const struct sim_file *x = *(struct sim_file *const *)a;
    const struct sim_file *y = *(struct sim_file *const *)b;

    return (x->seq > y->seq) - (x->seq < y->seq);
}

bool files_load(struct files *f, struct err *err)
{
    if (!folder_each(f->folder, "files", load_one, f, err))
        return false;
    if (f->count != 0)
        qsort(f->list, f->count, sizeof(struct sim_file *), by_seq);
    return true;
}

static void file_free(struct sim_file *file)
{
    record_release(fields, ARRAY_LEN(fields), file);
    free(file);
}

void files_release(struct files *f)
{
    for (size_t i = 0; i < f->count; i++)
        file_free(f->list[i]);
    free(f->list);
    *f = (struct files){0};
}

const char *files_status(const struct sim_file *file, int64_t now_ms)
{
    if (now_ms < file->ready_ms)
        return "pending";
    return file->broken ? "error" : "processed";
}

struct sim_file *files_find(const struct files *f, const char *id)
{
    for (size_t i = f->count; i > 0; i--) {
        if (strcmp(f->list[i - 1]->id, id) == 0)
            return f->list[i - 1];
    }
    return NULL;
}

/* The bytes first, then the record that makes them a file. */
static bool store(const struct files *f, struct sim_file *meta, const char *from, struct err *err)
{
    char path[FOLDER_PATH_MAX];
    struct buf text = TEXT_INIT;
    struct stat st;

    if (stat(from, &st) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", from, strerror(errno));
    meta->bytes = st.st_size;
    folder_path(f->folder, "files", meta->id, DATA, path);
    if (rename(from, path) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    folder_path(f->folder, "files", meta->id, META, path);
    record_write(fields, ARRAY_LEN(fields), meta, &text);
    bool ok = folder_replace(path, text.data, text.len, err);
    buf_release(&text);
    return ok;
}

bool files_add(struct files *f, struct sim_file meta, const char *path, struct err *err)
{
    meta.seq = f->next_seq;
    if (!store(f, &meta, path, err)) {
        record_release(fields, ARRAY_LEN(fields), &meta);
        return false;
    }
    push(f, meta);
    return true;
}

void files_delete(struct files *f, struct sim_file *file)
{
    char path[FOLDER_PATH_MAX];
    size_t at = 0;

    while (at < f->count && f->list[at] != file)
        at++;
    if (at == f->count)
        return;
    folder_path(f->folder, "files", file->id, META, path);
    (void)unlink(path);
    folder_path(f->folder, "files", file->id, DATA, path);
    (void)unlink(path);
    memmove(f->list + at, f->list + at + 1, (f->count - at - 1) * sizeof(struct sim_file *));
    f->count--;
    file_free(file);
}

void files_expire(struct files *f, int64_t now_ms)
{
    if (now_ms < f->next_end_ms)
        return;
    f->next_end_ms = INT64_MAX;
    for (size_t i = f->count; i > 0; i--) {
        struct sim_file *file = f->list[i - 1];

        if (file->expires_ms != 0 && file->expires_ms <= now_ms)
            files_delete(f, file);
        else
            note_end(f, file);
    }
}

int files_open(const struct files *f, const char *id)
{
    char path[FOLDER_PATH_MAX];

    folder_path(f->folder, "files", id, DATA, path);
    return open(path, O_RDONLY | O_CLOEXEC);
}
