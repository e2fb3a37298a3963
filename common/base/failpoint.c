#include "common/base/failpoint.h"

/* Keeps the file a translation unit when failpoints are compiled out. */
typedef int failpoint_unit;

#ifdef SHEAF_FAILPOINTS

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/log.h"

#define MAX_POINTS 16

struct point {
    char name[64];
    char action[32];
    long at; /* 0: every visit */
    long visits;
};

static struct point points[MAX_POINTS];
static size_t point_count;
static bool loaded;

static void parse_one(char *text)
{
    struct point *p = &points[point_count];
    char *at = strchr(text, '@');

    p->at = 1;
    if (at != NULL) {
        *at = '\0';
        p->at = at[1] == '*' ? 0 : strtol(at + 1, NULL, 10);
    }
    char *colon = strchr(text, ':');
    if (colon == NULL)
        log_fatal("SHEAF_FP: \"%s\" has no action", text);
    *colon = '\0';
    (void)snprintf(p->name, sizeof(p->name), "%s", text);
    (void)snprintf(p->action, sizeof(p->action), "%s", colon + 1);
    point_count++;
}

static void load(void)
{
    const char *env = getenv("SHEAF_FP"); /* NOLINT(concurrency-mt-unsafe) */
    char copy[1024];
    char *save = NULL;

    loaded = true;
    if (env == NULL)
        return;
    (void)snprintf(copy, sizeof(copy), "%s", env);
    for (char *one = strtok_r(copy, ",", &save); one != NULL; one = strtok_r(NULL, ",", &save)) {
        if (point_count == MAX_POINTS)
            log_fatal("SHEAF_FP: more than %d points", MAX_POINTS);
        parse_one(one);
    }
}

static int errno_by_name(const char *name)
{
    static const struct {
        const char *name;
        int value;
    } known[] = {
        {"ENOSPC", ENOSPC},
        {"EIO",    EIO   },
        {"EDQUOT", EDQUOT},
        {"EACCES", EACCES}
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(known[i].name, name) == 0)
            return known[i].value;
    }
    log_fatal("SHEAF_FP: unknown errno \"%s\"", name);
}

static int act(const struct point *p)
{
    if (strcmp(p->action, "kill") == 0)
        (void)raise(SIGKILL);
    else if (strcmp(p->action, "stop") == 0)
        (void)raise(SIGSTOP);
    else if (strncmp(p->action, "delay=", 6) == 0) {
        long ms = strtol(p->action + 6, NULL, 10);
        nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
    } else if (strncmp(p->action, "err=", 4) == 0)
        return errno_by_name(p->action + 4);
    else
        log_fatal("SHEAF_FP: unknown action \"%s\"", p->action);
    return 0;
}

/* Among all processes that share the folder, only the first to leave the mark acts. */
static bool is_first(const struct point *p)
{
    const char *folder = getenv("SHEAF_FP_ONCE"); /* NOLINT(concurrency-mt-unsafe) */
    char path[512];

    if (folder == NULL)
        return true;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, p->name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

int failpoint_visit(const char *name)
{
    int failure = 0;

    if (!loaded)
        load();
    for (size_t i = 0; i < point_count; i++) {
        struct point *p = &points[i];

        if (strcmp(p->name, name) != 0)
            continue;
        p->visits++;
        if ((p->at != 0 && p->at != p->visits) || !is_first(p))
            continue;
        int given = act(p);
        if (failure == 0)
            failure = given;
    }
    return failure;
}

#endif
