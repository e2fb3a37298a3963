#include "cli/core/checkup.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/core/json_put.h"
#include "common/base/attr.h"
#include "common/base/log.h"
#include "common/base/units.h"

/* XADD with NOMKSTREAM, GETDEL, ZRANGE BYSCORE and what else the scripts use. */
#define REDIS_MAJOR 6
#define REDIS_MINOR 2

#define CLOCK_NEAR_MS 60000
#define SPACE_FAIL    (64u << 20)   /* not even a job's own files */
#define SPACE_WARN    (1024u << 20) /* a few batch files of the largest size */
#define FILES_FAIL    256u          /* a merge alone has 64 open */
#define FILES_WARN    1024u

static struct check *add(struct checkup *c, const char *name, enum check_level level,
                         enum exit_code code, const char *advice)
{
    if (c->count == CHECKUP_MAX)
        log_fatal("raise CHECKUP_MAX");
    struct check *check = &c->checks[c->count++];

    *check = (struct check){.name = name, .level = level, .code = code, .advice = advice};
    return check;
}

void checkup_ok(struct checkup *c, const char *name, const char *fmt, ...)
{
    struct check *check = add(c, name, CHECK_OK, EXIT_CODE_OK, NULL);
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(check->text, sizeof(check->text), fmt, ap);
    va_end(ap);
}

void checkup_warn(struct checkup *c, const char *name, const char *advice, const char *fmt, ...)
{
    struct check *check = add(c, name, CHECK_WARN, EXIT_CODE_OK, advice);
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(check->text, sizeof(check->text), fmt, ap);
    va_end(ap);
}

void checkup_fail(struct checkup *c, const char *name, enum exit_code code, const char *advice,
                  const char *fmt, ...)
{
    struct check *check = add(c, name, CHECK_FAIL, code, advice);
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(check->text, sizeof(check->text), fmt, ap);
    va_end(ap);
}

enum exit_code checkup_code(const struct checkup *c)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->checks[i].level == CHECK_FAIL)
            return c->checks[i].code;
    }
    return EXIT_CODE_OK;
}

static const char *level_name(enum check_level level)
{
    switch (level) {
    case CHECK_OK: return "ok";
    case CHECK_WARN: return "warn";
    case CHECK_FAIL: return "FAIL";
    }
    return "?";
}

void checkup_print(const struct checkup *c, struct buf *out)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct check *check = &c->checks[i];

        json_put_raw_fmt(out, "%-4s  %-12s  ", level_name(check->level), check->name);
        json_put_clean(out, check->text);
        if (check->advice != NULL)
            json_put_raw_fmt(out, "; %s", check->advice);
        json_put_raw(out, "\n");
    }
}

void checkup_print_json(const struct checkup *c, struct buf *out)
{
    json_put_raw_fmt(out, "{\"schema\":1,\"exit_code\":%d,\"checks\":[", (int)checkup_code(c));
    for (size_t i = 0; i < c->count; i++) {
        const struct check *check = &c->checks[i];

        json_put_raw(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        json_put_text(out, check->name);
        json_put_raw(out, check->level == CHECK_OK     ? ",\"level\":\"ok\""
                          : check->level == CHECK_WARN ? ",\"level\":\"warn\""
                                                       : ",\"level\":\"fail\"");
        json_put_raw(out, ",\"text\":");
        json_put_text(out, check->text);
        json_put_raw(out, ",\"advice\":");
        json_put_text(out, check->advice);
        json_put_raw(out, "}");
    }
    json_put_raw(out, "]}\n");
}

const char *checkup_info(const char *info, const char *key, char *out, size_t size)
{
    size_t len = strlen(key);

    out[0] = '\0';
    for (const char *p = info; p != NULL; p = strchr(p, '\n')) {
        p += *p == '\n';
        if (strncmp(p, key, len) != 0 || p[len] != ':')
            continue;
        p += len + 1;
        (void)snprintf(out, size, "%.*s", (int)strcspn(p, "\r\n"), p);
        break;
    }
    return out;
}

/* The digits at *@p, which moves behind them; -1 for none. */
static int take_number(const char **p)
{
    int n = -1;

    for (; **p >= '0' && **p <= '9' && n < 10000; (*p)++)
        n = (n < 0 ? 0 : n * 10) + (**p - '0');
    return n;
}

void checkup_redis_version(struct checkup *c, const char *name, const char *text)
{
    const char *version = strpbrk(text, "0123456789");
    const char *p = version;
    int major = p != NULL ? take_number(&p) : -1;
    int minor = -1;

    if (major >= 0 && *p == '.') {
        p++;
        minor = take_number(&p);
    }
    if (major < 0 || minor < 0)
        checkup_warn(c, name, "Sheaf needs 6.2 or later", "the version is not to be seen");
    else if (major < REDIS_MAJOR || (major == REDIS_MAJOR && minor < REDIS_MINOR))
        checkup_fail(c, name, EXIT_CODE_UNAVAILABLE, "Sheaf needs 6.2 or later", "version %d.%d",
                     major, minor);
    else
        checkup_ok(c, name, "version %.*s", (int)strspn(version, "0123456789."), version);
}

static void judge_policy(struct checkup *c, const char *policy, bool limited)
{
    static const char advice[] = "it may throw jobs away: set maxmemory-policy noeviction";

    if (policy[0] == '\0')
        checkup_warn(c, "redis-memory", "see to maxmemory-policy noeviction",
                     "the policy is not to be seen");
    else if (strcmp(policy, "noeviction") == 0)
        checkup_ok(c, "redis-memory", "maxmemory-policy noeviction");
    else if (limited)
        checkup_fail(c, "redis-memory", EXIT_CODE_UNAVAILABLE, advice, "maxmemory-policy %s",
                     policy);
    else
        checkup_warn(c, "redis-memory", advice, "maxmemory-policy %s, without a maxmemory so far",
                     policy);
}

void checkup_redis_info(struct checkup *c, const char *info)
{
    char value[64];
    char limit[32];

    checkup_redis_version(c, "redis-version",
                          checkup_info(info, "redis_version", value, sizeof(value)));
    (void)checkup_info(info, "maxmemory", limit, sizeof(limit));
    (void)checkup_info(info, "maxmemory_policy", value, sizeof(value));
    judge_policy(c, value, limit[0] != '\0' && strcmp(limit, "0") != 0);
    (void)checkup_info(info, "aof_enabled", value, sizeof(value));
    if (strcmp(value, "1") == 0)
        checkup_ok(c, "redis-disk", "appendonly yes");
    else
        checkup_warn(c, "redis-disk", "set appendonly yes",
                     "appendonly is %s: a restart of Redis loses what was not saved, and batches "
                     "in flight may be paid for again",
                     value[0] != '\0' ? "no" : "not to be seen");
}

void checkup_clock(struct checkup *c, const char *name, int64_t ours_ms, int64_t theirs_ms)
{
    int64_t apart_ms = ours_ms > theirs_ms ? ours_ms - theirs_ms : theirs_ms - ours_ms;
    char text[UNITS_TEXT_MAX];

    (void)units_format_duration(apart_ms, text);
    if (apart_ms <= CLOCK_NEAR_MS)
        checkup_ok(c, name, "%s apart from ours", text);
    else
        checkup_warn(c, name, "set both; nothing is decided by ours, but times will not compare",
                     "%s apart from ours", text);
}

void checkup_account(struct checkup *c, const char *id, const char *given)
{
    if (given == NULL)
        checkup_ok(c, "account", "%s, of this key", id);
    else if (strcmp(id, given) == 0)
        checkup_ok(c, "account", "%s, as given", id);
    else
        checkup_ok(c, "account", "%s, of the name \"%.100s\"", id, given);
}

static bool is_local(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        size_t len = strlen(names[i]);

        if (strncmp(host, names[i], len) == 0 && (host[len] == '\0' || strchr(":/", host[len])))
            return true;
    }
    return false;
}

void checkup_address(struct checkup *c, const char *base_url)
{
    static const char clear[] = "http://";

    if (strncasecmp(base_url, clear, strlen(clear)) == 0 && !is_local(base_url + strlen(clear)))
        checkup_warn(c, "address", "use https", "%.300s: the key travels in the clear", base_url);
    else
        checkup_ok(c, "address", "%.300s", base_url);
}

void checkup_space(struct checkup *c, const char *name, const char *path, uint64_t free_bytes)
{
    char text[UNITS_TEXT_MAX];

    (void)units_format_size(free_bytes, text);
    if (free_bytes < SPACE_FAIL)
        checkup_fail(c, name, EXIT_CODE_UNAVAILABLE, "make room", "%s free in %.300s", text, path);
    else if (free_bytes < SPACE_WARN)
        checkup_warn(c, name, "a batch file may have 200 MB: make room", "%s free in %.300s", text,
                     path);
    else
        checkup_ok(c, name, "%s free in %.300s", text, path);
}

void checkup_descriptors(struct checkup *c, uint64_t soft)
{
    if (soft < FILES_FAIL)
        checkup_fail(c, "open-files", EXIT_CODE_UNAVAILABLE, "raise it: ulimit -n 4096",
                     "at most %" PRIu64, soft);
    else if (soft < FILES_WARN)
        checkup_warn(c, "open-files", "raise it: ulimit -n 4096", "at most %" PRIu64, soft);
    else
        checkup_ok(c, "open-files", "at most %" PRIu64, soft);
}
