#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "simulator/dialect.h"
#include "simulator/ids.h"
#include "simulator/intake.h"
#include "simulator/limits.h"
#include "simulator/options.h"
#include "simulator/quantity.h"
#include "simulator/request.h"
#include "simulator/routes.h"
#include "simulator/shape.h"
#include "simulator/sim.h"
#include "simulator/text.h"
#include "simulator/upload.h"

static const struct problem server_trouble = {500, NULL, NULL, "500"};

static const char *text_of(const struct buf *b)
{
    return b->data != NULL ? b->data : "";
}

/* Seconds asked for by expires_after, 0 when not; false, with the request answered, when wrong. */
static bool expires_after(struct request *rq, const struct upload_parts *parts, uint64_t *seconds)
{
    *seconds = 0;
    if (parts->anchor.len == 0 && parts->seconds.len == 0)
        return true;
    const struct dialect_files *d = &rq->sim->opt->dialect->files;
    if (strcmp(text_of(&parts->anchor), "created_at") != 0) {
        request_problem(rq, problem(400, "expires_after.anchor", "invalid_value", "1214"),
                        "Invalid value: '%.100s'. Value must be 'created_at'.",
                        text_of(&parts->anchor));
        return false;
    }
    if (!quantity_count(text_of(&parts->seconds), seconds) || *seconds < d->expires_min_s ||
        *seconds > d->expires_max_s) {
        request_problem(rq, problem(400, "expires_after.seconds", "invalid_value", "1214"),
                        "Invalid value for 'expires_after.seconds': expected %" PRIu64
                        " to %" PRIu64 ".",
                        d->expires_min_s, d->expires_max_s);
        return false;
    }
    return true;
}

/* False, with the request answered, when the parts are not those of an upload. */
static bool check_parts(struct request *rq, const struct upload_parts *parts)
{
    const struct dialect_files *d = &rq->sim->opt->dialect->files;

    if (!parts->multipart) {
        request_problem(rq, problem(400, NULL, NULL, "1210"), "Could not parse multipart form");
        return false;
    }
    if (!parts->has_file || parts->purpose.len == 0) {
        const char *name = parts->has_file ? "purpose" : "file";
        request_problem(rq, problem(400, name, "missing_required_parameter", "1213"),
                        "Missing required parameter: '%s'.", name);
        return false;
    }
    if (!dialect_lists(d->purposes, parts->purpose.data)) {
        request_problem(rq, problem(400, "purpose", "invalid_value", "1214"),
                        "Invalid value for purpose: '%.100s'.", parts->purpose.data);
        return false;
    }
    if (parts->too_big) {
        request_problem(rq, problem(d->too_big, NULL, NULL, "1214"), "File is too large.");
        return false;
    }
    if (parts->trouble != NULL) {
        request_problem(rq, server_trouble, "%s", parts->trouble);
        return false;
    }
    return true;
}

/* What is checked at upload about a batch file; false, with the request answered, when it fails. */
static bool check_batch_file(struct request *rq, const struct upload_parts *parts)
{
    struct intake_refusal refusal;
    int fd = open(parts->path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        request_problem(rq, server_trouble, "the file was lost");
        return false;
    }
    bool ok = intake_check(fd, text_of(&parts->filename), rq->sim->opt->dialect, &refusal);
    (void)close(fd);
    if (!ok)
        request_problem(rq, problem(refusal.status, NULL, NULL, refusal.zhipu_code), "%s",
                        refusal.message);
    return ok;
}

/* The faults about the state of a new batch file. Needs the lock. */
static void spoil(struct sim *sim, struct sim_file *file)
{
    int64_t pending = (int64_t)faults_number(&sim->faults, FAULT_FILE_PENDING);

    file->broken = faults_strike(&sim->faults, FAULT_FILE_ERROR);
    if (pending != 0)
        file->ready_ms = file->created_ms + pending;
}

/* Whether the limits have room for it; else the request is answered. */
static bool has_room(struct request *rq, const struct upload_parts *parts)
{
    struct stat st;

    if (stat(parts->path, &st) != 0) {
        request_problem(rq, server_trouble, "the file was lost");
        return false;
    }
    sim_lock(rq->sim);
    bool ok = limits_store(rq, (uint64_t)st.st_size);
    sim_unlock(rq->sim);
    return ok;
}

static bool store_upload(struct request *rq, const struct upload_parts *parts, uint64_t seconds)
{
    struct sim *sim = rq->sim;
    bool batch = strcmp(parts->purpose.data, "batch") == 0;
    int64_t now = clock_unix_ms();
    const struct dialect *d = sim->opt->dialect;
    char *id = ids_new(d->files.id);
    struct sim_file meta = {.id = xstrdup(id), .created_ms = now};
    struct err err = {0};

    meta.filename = xstrdup(text_of(&parts->filename));
    meta.purpose = xstrdup(parts->purpose.data);
    if (seconds == 0 && batch)
        seconds = d->files.ttl_s;
    meta.expires_ms = sim_file_end(sim, now, seconds);
    meta.ready_ms = now + sim->opt->file_delay_ms;
    sim_lock(sim);
    if (batch)
        spoil(sim, &meta);
    bool ok = files_add(&sim->files, meta, parts->path, &err);
    if (ok) {
        /* with Azure the answer to an upload says "pending" even if it is ready at once */
        int64_t as_of = d->files.pending ? INT64_MIN : now;
        shape_file(reply_json(&rq->reply, d->batches.created), d, files_find(&sim->files, id),
                   as_of);
        text_put(&rq->reply.body, "\n");
    }
    sim_unlock(sim);
    free(id);
    if (!ok)
        request_problem(rq, server_trouble, "%s", err.msg);
    return ok;
}

void route_files_create(struct request *rq)
{
    const struct upload_parts *parts = upload_end(rq->upload);
    uint64_t seconds;

    if (!check_parts(rq, parts) || !expires_after(rq, parts, &seconds))
        return;
    if (strcmp(parts->purpose.data, "batch") == 0 && !check_batch_file(rq, parts))
        return;
    if (has_room(rq, parts) && store_upload(rq, parts, seconds))
        log_debug("ev=file_stored");
}

/* Which files a listing shows, and how. */
struct listing {
    const char *purpose; /* NULL: all */
    uint64_t limit;
    bool ascending;
    size_t from; /* steps taken before the first file looked at */
};

static struct sim_file *nth(const struct files *f, const struct listing *l, size_t step)
{
    return f->list[l->ascending ? step : f->count - 1 - step];
}

/* The files of the listing as JSON objects; says which were the ends and whether there are more. */
static bool write_page(const struct request *rq, const struct listing *l, struct buf *out,
                       const char **first, const char **last)
{
    const struct files *f = &rq->sim->files;
    int64_t lag = (int64_t)faults_number(&rq->sim->faults, FAULT_FILE_LIST_LAG);
    int64_t now = clock_unix_ms();
    uint64_t shown = 0;

    for (size_t step = l->from; step < f->count; step++) {
        const struct sim_file *file = nth(f, l, step);

        if ((l->purpose != NULL && strcmp(file->purpose, l->purpose) != 0) ||
            now - file->created_ms < lag)
            continue;
        if (shown == l->limit)
            return true;
        text_put(out, shown == 0 ? "" : ",");
        shape_file(out, rq->sim->opt->dialect, file, now);
        if (shown++ == 0)
            *first = file->id;
        *last = file->id;
    }
    return false;
}

static void write_listing(const struct request *rq, const struct listing *l, struct buf *out)
{
    const char *first = NULL;
    const char *last = NULL;

    text_put(out, "{\"object\":\"list\",\"data\":[");
    bool more = write_page(rq, l, out, &first, &last);
    text_put(out, "]");
    struct shape_page page = {first, last, more};
    shape_page(out, rq->sim->opt->dialect, rq->sim->opt->dialect->files.list, &page);
}

/* Steps up to and with the file @after; false when there is none. */
static bool find_after(const struct files *f, struct listing *l, const char *after)
{
    for (size_t step = 0; after != NULL && step < f->count; step++) {
        if (strcmp(nth(f, l, step)->id, after) == 0) {
            l->from = step + 1;
            return true;
        }
    }
    return after == NULL;
}

void route_files_list(struct request *rq)
{
    const struct dialect_files *d = &rq->sim->opt->dialect->files;
    const char *order = request_query(rq, "order");
    const char *after = request_query(rq, "after");
    struct listing l = {.purpose = request_query(rq, "purpose")};

    if (d->list_purpose && l.purpose == NULL) {
        request_problem(rq, problem(400, "purpose", NULL, "1213"), "purpose 参数缺失");
        return;
    }
    if (!request_limit(rq, d->list_preset, d->list_max, &l.limit))
        return;
    if (d->list_ordered && order != NULL && strcmp(order, "asc") != 0 &&
        strcmp(order, "desc") != 0) {
        request_problem(rq, problem(400, "order", "invalid_value", NULL),
                        "Invalid value: '%.50s'. Supported values are: 'asc' and 'desc'.", order);
        return;
    }
    l.ascending = d->list_ordered && order != NULL && strcmp(order, "asc") == 0;
    sim_lock(rq->sim);
    if (find_after(&rq->sim->files, &l, after))
        write_listing(rq, &l, reply_json(&rq->reply, 200));
    else
        request_problem(rq, problem(400, "after", NULL, "1214"), "No such File object: %.100s",
                        after);
    sim_unlock(rq->sim);
}

struct sim_file *route_file_asked(struct request *rq)
{
    struct sim *sim = rq->sim;
    struct sim_file *file = files_find(&sim->files, rq->id);
    int64_t lag = (int64_t)faults_number(&sim->faults, FAULT_FILE_GET_LAG);

    if (file != NULL && clock_unix_ms() - file->created_ms >= lag)
        return file;
    request_problem(rq, problem(404, "id", NULL, "1214"), "No such File object: %.100s", rq->id);
    return NULL;
}

void route_files_get(struct request *rq)
{
    sim_lock(rq->sim);
    const struct sim_file *file = route_file_asked(rq);
    if (file != NULL) {
        shape_file(reply_json(&rq->reply, 200), rq->sim->opt->dialect, file, clock_unix_ms());
        text_put(&rq->reply.body, "\n");
    }
    sim_unlock(rq->sim);
}

void route_files_delete(struct request *rq)
{
    sim_lock(rq->sim);
    struct sim_file *file = route_file_asked(rq);
    if (file != NULL) {
        files_delete(&rq->sim->files, file);
        struct buf *out = reply_json(&rq->reply, 200);
        text_put(out, "{\"id\":");
        text_string(out, rq->id);
        text_put(out, ",\"object\":\"file\",\"deleted\":true}\n");
    }
    sim_unlock(rq->sim);
}
