#include <stdlib.h>
#include <string.h>

#include "common/digest/file_digest.h"
#include "common/digest/sha256.h"
#include "common/rows/rows_internal.h"
#include "common/rows/rows_texts.h"

static bool add_folder(struct sha256 *sha, const char *folder, struct err *err)
{
    char **names = NULL;
    size_t count = 0;
    bool ok = rows_texts_list(folder, &names, &count, err);

    for (size_t i = 0; ok && i < count; i++) {
        char *path = rows_texts_path(folder, names[i]);

        sha256_update(sha, names[i], strlen(names[i]) + 1);
        ok = file_digest_add(sha, path, err);
        free(path);
    }
    rows_texts_free(names, count);
    return ok;
}

bool rows_fingerprint(const char *path, const struct rows_options *options, char out[65],
                      struct err *err)
{
    const char *encoding = options->encoding != NULL ? options->encoding : "UTF-8";
    enum rows_format format = ROWS_AUTO;
    struct sha256 *sha = NULL;
    const char *name = NULL;
    bool ok = true;

    if (!rows_find_format(path, options->format, &format, err))
        return false;
    sha = sha256_new();
    name = rows_format_name(format);
    sha256_update(sha, name, strlen(name) + 1);
    sha256_update(sha, encoding, strlen(encoding) + 1);
    if (format == ROWS_TEXTS)
        ok = add_folder(sha, path, err);
    else if (strcmp(path, "-") == 0)
        sha256_update(sha, "standard input", 14);
    else
        ok = file_digest_add(sha, path, err);
    if (ok)
        sha256_finish(sha, out);
    sha256_free(sha);
    return ok;
}
