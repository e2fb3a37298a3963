#include "common/sink/sink_trail.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/json/doc.h"
#include "common/sink/layout.h"
#include "common/sink/sink_internal.h"

#define RANDOM_LEN 8
#define AT_MAX     32
#define NAME_TRIES 3

void sink_trail_actor(struct sink_trail_actor *actor)
{
    char text[4096];
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwuid_r(geteuid(), &entry, text, sizeof(text), &found) == 0 && found != NULL)
        (void)snprintf(actor->user, sizeof(actor->user), "%s", found->pw_name);
    else
        (void)snprintf(actor->user, sizeof(actor->user), "uid %u", (unsigned)geteuid());
    if (gethostname(actor->host, sizeof(actor->host)) != 0)
        (void)snprintf(actor->host, sizeof(actor->host), "?");
    actor->host[sizeof(actor->host) - 1] = '\0';
}

static const char *format_time(int64_t at_ms, char out[AT_MAX])
{
    time_t at = (time_t)(at_ms / 1000);
    char seconds[24] = "?";
    struct tm utc;

    if (gmtime_r(&at, &utc) != NULL)
        (void)strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(out, AT_MAX, "%s.%03dZ", seconds, (int)(at_ms % 1000));
    return out;
}

static bool write_entry(struct buf *out, int64_t at_ms, const char *verb, const char *what)
{
    struct sink_trail_actor actor;
    char who[sizeof(actor.user) + sizeof(actor.host) + 1];
    char at[AT_MAX];

    sink_trail_actor(&actor);
    (void)snprintf(who, sizeof(who), "%s@%s", actor.user, actor.host);
    return buf_printf(out, "{\"version\":%d,\"at\":\"%s\",\"at_ms\":%" PRId64 ",\"who\":",
                      SINK_TRAIL_VERSION, format_time(at_ms, at), at_ms) &&
           json_string_encode(out, who, strlen(who)) &&
           buf_printf(out, ",\"pid\":%ld,\"verb\":", (long)getpid()) &&
           json_string_encode(out, verb, strlen(verb)) &&
           buf_printf(out, ",\"what\":%s}\n", what != NULL ? what : "{}");
}

bool sink_trail_add(struct sink *sink, const char *verb, const char *what, struct err *err)
{
    struct buf text = BUF_INIT(SINK_TRAIL_MAX);
    int64_t at_ms = clock_unix_ms();
    char random[RANDOM_LEN + 1];
    char name[LAYOUT_NAME_MAX];
    bool existed = true;
    bool ok = write_entry(&text, at_ms, verb, what) ||
              err_set(err, ERR_INTERNAL, "what is to be noted of %s is too large", verb);

    for (int i = 0; ok && existed && i < NAME_TRIES; i++) {
        id_random(random, RANDOM_LEN);
        (void)snprintf(name, sizeof(name), SINK_TRAIL_FOLDER "/%013" PRId64 "-%s.json", at_ms,
                       random);
        ok = sink_publish(sink, name, text.data, text.len, &existed, err);
    }
    buf_release(&text);
    return ok;
}

/* The folder of all jobs, in the shape of a job's. */
static bool open_beside(const char *url, struct sink *beside, struct err *err)
{
    const char *root = sink_root(url, err);

    if (root == NULL)
        return false;
    int n = snprintf(beside->path, sizeof(beside->path), "%s", root);
    if (n < 0 || (size_t)n >= sizeof(beside->path))
        return err_set(err, ERR_USAGE, "sink \"%s\": the path is too long", url);
    beside->dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return beside->dir >= 0 ||
           err_set(err, ERR_UNAVAILABLE, "cannot open sink %s: %s", root, strerror(errno));
}

bool sink_trail_add_beside(const char *url, const char *verb, const char *what, struct err *err)
{
    struct sink beside;

    if (!open_beside(url, &beside, err))
        return false;
    bool ok = sink_trail_add(&beside, verb, what, err);
    (void)close(beside.dir);
    return ok;
}

struct reading {
    struct sink *sink;
    sink_trail_fn fn;
    void *arg;
};

/* What the name alone says: no entry is kept from sight. */
static void read_name(const char *name, struct sink_trail_entry *entry, char at[AT_MAX])
{
    *entry = (struct sink_trail_entry){.who = "?", .verb = "?", .what = "{}"};
    entry->at_ms = strtoll(name, NULL, 10);
    entry->at = format_time(entry->at_ms < 0 ? 0 : entry->at_ms, at);
}

static void read_doc(struct json_object *doc, struct sink_trail_entry *entry)
{
    const char *at = doc_string(doc, "at");
    const char *who = doc_string(doc, "who");
    const char *verb = doc_string(doc, "verb");

    if (doc_int(doc, "version", 0) != SINK_TRAIL_VERSION || at == NULL || who == NULL ||
        verb == NULL || doc_kind(doc, "what") != JSON_OBJECT)
        return;
    *entry = (struct sink_trail_entry){
        .at = at,
        .at_ms = doc_int(doc, "at_ms", entry->at_ms),
        .who = who,
        .pid = doc_int(doc, "pid", 0),
        .verb = verb,
        .what = doc_text(doc, "what"),
    };
}

static bool on_name(const char *name, void *arg, struct err *err)
{
    struct reading *r = arg;
    struct buf text = BUF_INIT(SINK_TRAIL_MAX);
    struct sink_trail_entry entry;
    struct json_object *doc = NULL;
    char path[LAYOUT_NAME_MAX];
    char at[AT_MAX];

    int n = snprintf(path, sizeof(path), SINK_TRAIL_FOLDER "/%s", name);
    if (n < 0 || (size_t)n >= sizeof(path))
        return true; /* none of ours */
    struct err problem = {0};
    bool ok = sink_read(r->sink, path, &text, &problem);
    if (!ok && problem.kind != ERR_PERMANENT) {
        if (err != NULL)
            *err = problem;
        buf_release(&text);
        return false;
    }
    read_name(name, &entry, at);
    if (ok && doc_parse(text.data, text.len, &doc, NULL))
        read_doc(doc, &entry);
    ok = r->fn(&entry, r->arg, err);
    doc_free(doc);
    buf_release(&text);
    return ok;
}

bool sink_trail_read(struct sink *sink, sink_trail_fn fn, void *arg, struct err *err)
{
    struct reading r = {.sink = sink, .fn = fn, .arg = arg};

    return sink_list(sink, SINK_TRAIL_FOLDER, on_name, &r, err);
}

struct putting {
    struct buf *out;
    size_t skip;
    size_t seen;
};

static bool put_entry(const struct sink_trail_entry *e, void *arg, struct err *err)
{
    struct putting *p = arg;
    struct buf *out = p->out;
    size_t i = p->seen++;

    if (i < p->skip)
        return true;
    return (buf_printf(out, "%s{\"at\":", i > p->skip ? "," : "") &&
            json_string_encode(out, e->at, strlen(e->at)) &&
            buf_printf(out, ",\"at_ms\":%" PRId64 ",\"who\":", e->at_ms) &&
            json_string_encode(out, e->who, strlen(e->who)) &&
            buf_printf(out, ",\"pid\":%" PRId64 ",\"verb\":", e->pid) &&
            json_string_encode(out, e->verb, strlen(e->verb)) &&
            buf_printf(out, ",\"what\":%s}", e->what)) ||
           err_set(err, ERR_PERMANENT, "the trail is larger than %zu bytes", out->max);
}

static bool count_name(const char *name, void *arg, struct err *err)
{
    (void)name;
    (void)err;
    (*(size_t *)arg)++;
    return true;
}

bool sink_trail_put_json(struct sink *sink, size_t max, struct buf *out, struct err *err)
{
    struct putting p = {.out = out};
    size_t count = 0;

    if (!sink_list(sink, SINK_TRAIL_FOLDER, count_name, &count, err))
        return false;
    if (max > 0 && count > max)
        p.skip = count - max;
    if (!buf_append(out, "[", 1))
        return err_set(err, ERR_PERMANENT, "no room for the trail");
    if (!sink_trail_read(sink, put_entry, &p, err))
        return false;
    return buf_append(out, "]", 1) || err_set(err, ERR_PERMANENT, "no room for the trail");
}

bool sink_trail_read_beside(const char *url, sink_trail_fn fn, void *arg, struct err *err)
{
    struct sink beside;

    if (!open_beside(url, &beside, err))
        return false;
    bool ok = sink_trail_read(&beside, fn, arg, err);
    (void)close(beside.dir);
    return ok;
}
