#include "cli/cmdline.h"

#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/xmem.h"

#define SIGNALLED 128 /* how a shell tells a signal */

static void add(struct cmdline *w, const char *word)
{
    w->items = xrealloc(w->items, w->count + 2, sizeof(*w->items));
    w->items[w->count++] = word;
    w->items[w->count] = NULL;
}

void cmdline_release(struct cmdline *w)
{
    for (size_t i = 0; i < w->count; i++) {
        char *word;

        memcpy(&word, &w->items[i], sizeof(word)); /* our own copy */
        free(word);
    }
    free(w->items);
    *w = (struct cmdline){0};
}

void cmdline_add(struct cmdline *w, const char *fmt, ...)
{
    char *word = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&word, fmt, ap) < 0)
        log_fatal("out of memory");
    va_end(ap);
    add(w, word);
}

static bool is_in(const char *name, const char *const *list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        if (strcmp(name, list[i]) == 0)
            return true;
    }
    return false;
}

/* One setting that has a value. */
static void add_option(struct cmdline *w, const struct options *o, const struct setting *row)
{
    const char *field = (const char *)o + row->offset;
    const char *text;
    int64_t number;
    uint64_t size;
    bool flag;
    int choice;

    switch (row->type) {
    case SETTING_STRING:
        memcpy(&text, field, sizeof(text));
        if (text != NULL)
            cmdline_add(w, "--%s=%s", row->name, text);
        break;
    case SETTING_INT:
        memcpy(&number, field, sizeof(number));
        cmdline_add(w, "--%s=%" PRId64, row->name, number);
        break;
    case SETTING_DURATION:
        memcpy(&number, field, sizeof(number));
        cmdline_add(w, "--%s=%" PRId64 "ms", row->name, number);
        break;
    case SETTING_SIZE:
        memcpy(&size, field, sizeof(size));
        cmdline_add(w, "--%s=%" PRIu64, row->name, size);
        break;
    case SETTING_FLAG:
        memcpy(&flag, field, sizeof(flag));
        cmdline_add(w, flag ? "--%s" : "--no-%s", row->name);
        break;
    case SETTING_CHOICE:
        memcpy(&choice, field, sizeof(choice));
        if (choice != SETTING_UNSET)
            cmdline_add(w, "--%s=%s", row->name, row->choices[choice]);
        break;
    }
}

void cmdline_add_options(struct cmdline *w, const struct options *o, unsigned groups,
                         const char *const *but)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct setting *row = &options_rows[i];

        if ((row->groups & groups) != 0 && o->origins[i] != SETTING_FROM_DEFAULT &&
            !is_in(row->name, but))
            add_option(w, o, row);
    }
}

void cmdline_add_program(struct cmdline *w, const char *name)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    path[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (slash != NULL)
        *slash = '\0';
    char *beside = NULL;
    if (asprintf(&beside, "%s/%s", path, name) < 0)
        log_fatal("out of memory");
    if (slash != NULL && access(beside, X_OK) == 0) {
        add(w, beside);
        return;
    }
    free(beside);
    add(w, xstrdup(name));
}

bool cmdline_run(const struct cmdline *w, int *code, struct err *err)
{
    char *const *items;
    pid_t pid;
    int status;

    memcpy(&items, &w->items, sizeof(items)); /* exec does not write to them, but says it might */
    int cause = posix_spawnp(&pid, items[0], NULL, NULL, items, environ);
    if (cause != 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot start %s: %s", items[0], strerror(cause));
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return err_set(err, ERR_INTERNAL, "waitpid: %s", strerror(errno));
    }
    *code = WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}
