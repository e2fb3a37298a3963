/* The API key: from a file or the environment, never from a flag. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/config/options.h"

#define KEY_MAX_BYTES 8192
#define VARIABLE_MAX  256

/* Programs have one thread when they look for the key. */
static const char *variable(const char *name)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe) */

    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* A key goes into a header: visible ASCII only. @where is said in the message, the key never is. */
static bool check_key(const char *key, size_t len, const char *where, struct err *err)
{
    if (len == 0)
        return err_set(err, ERR_AUTH, "%s: the API key is empty", where);
    for (size_t i = 0; i < len; i++) {
        if (key[i] <= ' ' || key[i] > '~')
            return err_set(err, ERR_AUTH,
                           "%s: the API key has a space or another character that "
                           "no key has",
                           where);
    }
    return true;
}

static bool take(const char *key, size_t len, const char *where, char **out, struct err *err)
{
    if (!check_key(key, len, where, err))
        return false;
    *out = xstrndup(key, len);
    return true;
}

static bool take_file(const char *path, char **out, struct err *err)
{
    char text[KEY_MAX_BYTES + 1];
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return err_set(err, ERR_AUTH, "%s: the API key cannot be read: %s", path,
                       strerrordesc_np(errno));

    size_t len = fread(text, 1, sizeof(text), f);
    int failure = ferror(f) != 0 ? errno : 0;
    (void)fclose(f);
    if (failure != 0)
        return err_set(err, ERR_AUTH, "%s: the API key cannot be read: %s", path,
                       strerrordesc_np(failure));
    if (len > KEY_MAX_BYTES)
        return err_set(err, ERR_AUTH, "%s: too long for an API key", path);

    if (len > 0 && text[len - 1] == '\n')
        len--;
    if (len > 0 && text[len - 1] == '\r')
        len--;
    return take(text, len, path, out, err);
}

/* The first of @names (with @suffix) that is set; NULL if none is. @name holds VARIABLE_MAX. */
static const char *first_variable(const char *const *names, const char *suffix, char *name)
{
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        (void)snprintf(name, VARIABLE_MAX, "%s%s", names[i], suffix);
        const char *text = variable(name);
        if (text != NULL)
            return text;
    }
    return NULL;
}

/* The file that systemd's LoadCredential= made, if there is one; the caller frees it. */
static char *credential_path(void)
{
    const char *folder = variable("CREDENTIALS_DIRECTORY");
    char *path = NULL;

    if (folder == NULL || asprintf(&path, "%s/sheaf_api_key", folder) < 0)
        return NULL;
    FILE *f = fopen(path, "re");
    if (f == NULL && errno == ENOENT) {
        free(path);
        return NULL;
    }
    if (f != NULL)
        (void)fclose(f);
    return path;
}

bool options_api_key(const struct options *o, const char *const *env_names, char **key,
                     struct err *err)
{
    static const char *const own[] = {"SHEAF_API_KEY", NULL};
    char name[VARIABLE_MAX];

    if (o->api_key_file != NULL)
        return take_file(o->api_key_file, key, err);

    const char *text = first_variable(own, "", name);
    if (text == NULL)
        text = first_variable(env_names, "", name);
    if (text != NULL)
        return take(text, strlen(text), name, key, err);

    text = first_variable(own, "_FILE", name);
    if (text == NULL)
        text = first_variable(env_names, "_FILE", name);
    if (text != NULL)
        return take_file(text, key, err);

    char *path = credential_path();
    if (path != NULL) {
        bool ok = take_file(path, key, err);
        free(path);
        return ok;
    }
    return err_set(err, ERR_AUTH, "no API key: set %s or --api-key-file",
                   env_names != NULL && env_names[0] != NULL ? env_names[0] : own[0]);
}
