#include "cli/doctor.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/xmem.h"
#include "common/loop/loop.h"
#include "common/provider/provider.h"
#include "common/redis/redis_conn.h"
#include "common/redis/redis_url.h"

#define ANSWER_MS   5000
#define PROVIDER_MS 20000

/* A question with a time limit: whatever comes first ends the loop. */
struct probe {
    struct checkup *checkup;
    struct event_base *base;
    struct redis_conn *redis;
    struct loop_timer *limit;
    bool over;
    int answers; /* that are still to come */
    bool has_key;
};

static void end(struct probe *p)
{
    p->over = true;
    (void)event_base_loopbreak(p->base);
}

static void run_probe(struct probe *p, int64_t limit_ms)
{
    loop_timer_set(p->limit, limit_ms);
    while (!p->over)
        (void)event_base_dispatch(p->base);
}

/* ---- Redis */

static void redis_gone(struct probe *p, const struct err *reason)
{
    checkup_fail(p->checkup, "redis", EXIT_CODE_UNAVAILABLE,
                 reason->kind == ERR_PERMANENT ? "look at the URL, its password and its database"
                                               : "is it running, and is the URL right?",
                 "%s", reason->kind != ERR_NONE ? reason->msg : "no answer in time");
    end(p);
}

static void on_info(const struct redis_result *result, void *arg)
{
    struct probe *p = arg;

    if (result->outcome == REDIS_OK)
        checkup_redis_info(p->checkup, redis_reply_text(result->reply));
    else
        checkup_warn(p->checkup, "redis-version", "allow INFO, to see more", "%s", result->err.msg);
    if (--p->answers == 0)
        end(p);
}

static void on_time(const struct redis_result *result, void *arg)
{
    struct probe *p = arg;
    int64_t s = redis_reply_int(result->reply, 0, 0);

    if (result->outcome == REDIS_OK && s > 0)
        checkup_clock(p->checkup, "redis-clock", clock_unix_ms(),
                      s * 1000 + redis_reply_int(result->reply, 1, 0) / 1000);
    else
        checkup_fail(p->checkup, "redis-clock", EXIT_CODE_UNAVAILABLE, "allow the command TIME",
                     "%s", result->err.msg);
    if (--p->answers == 0)
        end(p);
}

static void on_redis_state(bool up, const struct err *reason, void *arg)
{
    static const char *const info[] = {"INFO"};
    static const char *const time[] = {"TIME"};
    struct probe *p = arg;

    if (!up) {
        if (!p->over)
            redis_gone(p, reason);
        return;
    }
    checkup_ok(p->checkup, "redis", "answers");
    p->answers = 2;
    (void)redis_call(p->redis, 1, info, NULL, on_info, p);
    (void)redis_call(p->redis, 1, time, NULL, on_time, p);
}

static void on_redis_limit(void *arg)
{
    struct probe *p = arg;

    redis_gone(p, redis_conn_last_error(p->redis));
}

void doctor_redis(struct checkup *c, const char *url)
{
    struct probe p = {.checkup = c};
    struct redis_url parsed;
    struct err err = {0};

    if (!redis_url_parse(url, &parsed, &err)) {
        checkup_fail(c, "redis", EXIT_CODE_USAGE, "redis://host:6379/0, for one", "--redis: %s",
                     err.msg);
        return;
    }
    p.base = loop_new();
    p.limit = loop_timer_new(p.base, on_redis_limit, &p);
    p.redis = redis_conn_new(p.base, &parsed, ANSWER_MS);
    redis_conn_on_state(p.redis, on_redis_state, &p);
    run_probe(&p, ANSWER_MS + 1000);
    redis_conn_free(p.redis);
    loop_timer_free(p.limit);
    loop_free(p.base);
}

void doctor_redis_server(struct checkup *c)
{
    static const char advice[] = "apt install redis-server, or give --redis URL";
    char line[256] = "";
    FILE *f = popen("redis-server --version 2>/dev/null", "re"); /* NOLINT(cert-env33-c) */

    if (f != NULL) {
        if (fgets(line, sizeof(line), f) == NULL)
            line[0] = '\0';
        (void)pclose(f);
    }
    const char *version = strstr(line, "v=");
    if (version != NULL)
        checkup_redis_version(c, "redis-server", version);
    else
        checkup_fail(c, "redis-server", EXIT_CODE_UNAVAILABLE, advice,
                     "none is installed, which `run` needs");
}

/* ---- the provider */

static void judge_refusal(struct probe *p, const struct provider_error *error)
{
    switch (error->class) {
    case PROVIDER_NOT_SENT:
    case PROVIDER_AMBIGUOUS:
    case PROVIDER_TRUNCATED:
    case PROVIDER_ABORTED:
    case PROVIDER_UNKNOWN:
        checkup_fail(p->checkup, "provider", EXIT_CODE_PROVIDER,
                     "is --base-url right, and the way there open?", "%.300s", error->message);
        return;
    case PROVIDER_AUTH:
        if (p->has_key)
            checkup_fail(p->checkup, "provider", EXIT_CODE_AUTH, "set the right key",
                         "refuses the key: %.300s", error->message);
        else
            checkup_ok(p->checkup, "provider", "answers; the key was not tried");
        return;
    case PROVIDER_NONE:
    case PROVIDER_RATE_LIMIT:
    case PROVIDER_QUOTA_ENQUEUED:
    case PROVIDER_QUOTA_CREATES:
    case PROVIDER_QUOTA_FILES:
    case PROVIDER_QUOTA_TIME:
    case PROVIDER_BILLING:
    case PROVIDER_NOT_FOUND:
    case PROVIDER_INVALID_FILE:
    case PROVIDER_INVALID_LINE:
    case PROVIDER_MODEL_UNSUPPORTED:
    case PROVIDER_CONFLICT_STATE:
    case PROVIDER_CONTENT_POLICY:
    case PROVIDER_REFUSED: break;
    }
    checkup_warn(p->checkup, "provider", "whether the key works is not known",
                 "answers, but has no list of models for us: %.300s", error->message);
}

static void on_models(const struct provider_error *error, void *arg)
{
    struct probe *p = arg;

    if (error != NULL)
        judge_refusal(p, error);
    else if (p->has_key)
        checkup_ok(p->checkup, "provider", "answers, and takes the key");
    else
        checkup_ok(p->checkup, "provider", "answers; the key was not tried");
    end(p);
}

static void on_provider_limit(void *arg)
{
    struct probe *p = arg;

    checkup_fail(p->checkup, "provider", EXIT_CODE_PROVIDER,
                 "is --base-url right, and the way there open?", "no answer in %d s",
                 PROVIDER_MS / 1000);
    end(p);
}

/* Time is taken when the answer is read: what a request takes is within what is near enough. */
static void check_time(struct checkup *c, const struct provider *provider)
{
    int64_t theirs_ms = provider_date_ms(provider);

    if (theirs_ms > 0)
        checkup_clock(c, "provider-clock", clock_unix_ms(), theirs_ms);
}

static void ask_provider(struct checkup *c, const struct options *o,
                         const struct provider_profile *profile, const char *key)
{
    struct probe p = {.checkup = c, .has_key = key != NULL};
    struct err err = {0};

    p.base = loop_new();
    struct http_client *client = http_client_new(p.base);
    struct provider *provider =
        provider_new(client, profile, o->base_url, key != NULL ? key : "none", o->account, &err);
    if (provider != NULL) {
        if (key != NULL)
            checkup_account(c, provider_account(provider), o->account);
        p.limit = loop_timer_new(p.base, on_provider_limit, &p);
        (void)provider_models(provider, on_models, &p);
        run_probe(&p, PROVIDER_MS);
        check_time(c, provider);
        loop_timer_free(p.limit);
    } else {
        checkup_fail(c, "provider", EXIT_CODE_USAGE, "https://host/v1, for one", "%s", err.msg);
    }
    provider_free(provider);
    http_client_free(client);
    loop_free(p.base);
}

/* What the limits come to for one file, with what the user set. */
static void tell_file(struct checkup *c, const struct options *o,
                      const struct provider_profile *profile)
{
    uint64_t requests = profile->limits.max_requests;
    uint64_t bytes = provider_max_bytes(profile);
    char size[UNITS_TEXT_MAX];

    if (o->max_requests > 0 && (uint64_t)o->max_requests < requests)
        requests = (uint64_t)o->max_requests;
    if (o->max_bytes > 0 && o->max_bytes < bytes)
        bytes = o->max_bytes;
    checkup_ok(c, "limits",
               "%s: %" PRIu64 " requests and %s a batch file, %u batches at once a model",
               profile->name, requests, units_format_size(bytes, size),
               (unsigned)profile->limits.batches_alive);
}

void doctor_provider(struct checkup *c, const struct options *o,
                     const struct provider_profile *profile)
{
    struct err err = {0};
    char *key = NULL;

    if (options_api_key(o, profile->key_names, &key, &err))
        checkup_ok(c, "key", "there is one");
    else
        checkup_fail(c, "key", EXIT_CODE_AUTH, "nothing can be sent without", "%s", err.msg);
    if (o->base_url == NULL && profile->base_url_varies) {
        checkup_fail(c, "address", EXIT_CODE_USAGE, "give --base-url",
                     "%s has no address for all; yours is such as %s", profile->name,
                     profile->base_url);
    } else if (provider_check_base_url(profile, o->base_url, &err)) {
        checkup_address(c, o->base_url != NULL ? o->base_url : profile->base_url);
        ask_provider(c, o, profile, key);
    } else {
        checkup_fail(c, "address", EXIT_CODE_USAGE, "https://host/v1, for one", "%s", err.msg);
    }
    if (key != NULL)
        explicit_bzero(key, strlen(key));
    free(key);
    tell_file(c, o, profile);
}

/* ---- this host */

/* Programs have one thread when they ask. */
static const char *temporary_folder(void)
{
    const char *path = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe) */

    return path != NULL && path[0] != '\0' ? path : "/tmp";
}

/* A folder that is not there yet is made where its parent is. */
static void check_folder(struct checkup *c, const char *name, const char *given)
{
    struct statvfs fs;
    char *path = xstrdup(given);

    while (access(path, F_OK) != 0 && errno == ENOENT) {
        char *slash = strrchr(path, '/');

        if (slash == NULL || slash == path) {
            free(path);
            path = xstrdup(slash == NULL ? "." : "/");
            break;
        }
        *slash = '\0';
    }
    if (access(path, W_OK | X_OK) != 0 || statvfs(path, &fs) != 0)
        checkup_fail(c, name, EXIT_CODE_UNAVAILABLE, "it must be writable", "%.300s: %s", path,
                     strerror(errno));
    else if (fs.f_blocks == 0) /* /proc, /sys */
        checkup_fail(c, name, EXIT_CODE_UNAVAILABLE, "give a folder on a disk",
                     "%.300s: no files can be kept in %.300s", given, path);
    else
        checkup_space(c, name, given, (uint64_t)fs.f_bavail * fs.f_frsize);
    free(path);
}

void doctor_host(struct checkup *c, const struct options *o)
{
    struct rlimit limit;

    check_folder(c, "state-dir", o->state_dir != NULL ? o->state_dir : ".");
    check_folder(c, "temporary", temporary_folder());
    if (o->sink != NULL && strncmp(o->sink, "dir:", 4) == 0)
        check_folder(c, "sink", o->sink + 4);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        checkup_descriptors(c, limit.rlim_cur);
}
