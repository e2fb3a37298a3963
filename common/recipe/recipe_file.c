#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/json/scan_text.h"
#include "common/recipe/recipe_loader.h"

/* Everything up to the limit and one byte more. */
static bool read_stream(FILE *f, size_t max_bytes, char **text, size_t *len, struct err *err)
{
    char *bytes = NULL;
    size_t have = 0, cap = 0, n;

    do {
        if (have == cap) {
            cap = cap == 0 ? 65536 : 2 * cap;
            bytes = xrealloc(bytes, cap + 1, 1);
        }
        n = fread(bytes + have, 1, cap - have, f);
        have += n;
    } while (n > 0 && have <= max_bytes);
    bytes[have] = '\0';
    *text = bytes;
    *len = have;
    if (ferror(f) == 0)
        return true;
    free(bytes);
    return err_set(err, ERR_USAGE, "cannot be read: %s", strerrordesc_np(errno));
}

bool recipe_read_file(void *folder, const char *path, size_t max_bytes, char **text, size_t *len,
                      struct err *err)
{
    bool absolute = path[0] == '/';
    char *whole = NULL;

    if (asprintf(&whole, "%s%s%s", absolute ? "" : (const char *)folder, absolute ? "" : "/",
                 path) < 0)
        abort();
    FILE *f = fopen(whole, "re");
    bool ok = f != NULL ? read_stream(f, max_bytes, text, len, err)
                        : err_set(err, ERR_USAGE, "cannot be read: %s", strerrordesc_np(errno));
    if (f != NULL)
        (void)fclose(f);
    free(whole);
    return ok;
}

/* Drop a byte order mark; false with the reason when it is not text. */
static bool make_text(char *text, size_t *len, struct err *err)
{
    size_t line = 1;

    if (*len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        *len -= 3;
        memmove(text, text + 3, *len + 1);
    }
    for (size_t i = 0, n; i < *len; i += n) {
        n = scan_utf8_length(text + i, text + *len);
        if (text[i] == '\0')
            return err_set(err, ERR_USAGE, "line %zu has a NUL", line);
        if (n == 0)
            return err_set(err, ERR_USAGE, "line %zu is not UTF-8", line);
        line += text[i] == '\n' ? 1 : 0;
    }
    return true;
}

static const struct recipe_file *find(const struct recipe *recipe, const char *path)
{
    for (size_t i = 0; i < recipe->file_count; i++) {
        if (strcmp(recipe->files[i].path, path) == 0)
            return &recipe->files[i];
    }
    return NULL;
}

static const struct recipe_file *keep(struct recipe *recipe, const char *path, char *text,
                                      size_t len)
{
    recipe->files = xrealloc(recipe->files, recipe->file_count + 1, sizeof(*recipe->files));

    struct recipe_file *file = &recipe->files[recipe->file_count++];
    *file = (struct recipe_file){.path = xstrdup(path), .text = text, .len = len};
    sha256_hex(text, len, file->sha256);
    return file;
}

const struct recipe_file *loader_file_at(struct recipe_loader *l, const char *path,
                                         size_t max_bytes, struct err *err)
{
    const struct recipe_file *known = find(l->recipe, path);
    char *text;
    size_t len;

    if (known != NULL)
        return known;
    if (l->recipe->file_count == RECIPE_MAX_FILES) {
        (void)err_set(err, ERR_USAGE, "more than %d files", RECIPE_MAX_FILES);
        return NULL;
    }
    if (!l->source->read(l->source->arg, path, max_bytes, &text, &len, err))
        return NULL;
    if (len <= max_bytes && make_text(text, &len, err))
        return keep(l->recipe, path, text, len);
    if (len > max_bytes)
        (void)err_set(err, ERR_USAGE, "larger than %zu MiB", max_bytes >> 20);
    free(text);
    return NULL;
}

const struct recipe_file *loader_file(struct recipe_loader *l, size_t node, size_t max_bytes)
{
    const char *path;

    if (!node_text(l, node, &path))
        return NULL;
    const struct recipe_file *file = loader_file_at(l, path, max_bytes, l->err);
    if (file == NULL) {
        (void)err_wrap(l->err, "%s", path);
        (void)node_fail(l, node);
    }
    return file;
}

char *loader_shown(const struct recipe_loader *l, const char *path)
{
    const char *slash = strrchr(l->recipe->name, '/');
    int before = slash != NULL ? (int)(slash - l->recipe->name) + 1 : 0;
    char *shown = NULL;
    int done;

    if (path[0] == '/')
        return xstrdup(path);
    if (l->shown != NULL)
        done = asprintf(&shown, "%s/%s", l->shown, path);
    else
        done = asprintf(&shown, "%.*s%s", before, l->recipe->name, path);
    if (done < 0)
        abort();
    return shown;
}
