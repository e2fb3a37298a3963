#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "simulator/hash.h"
#include "simulator/options.h"
#include "simulator/quantity.h"
#include "simulator/range.h"
#include "simulator/request.h"
#include "simulator/routes.h"
#include "simulator/shape.h"
#include "simulator/sim.h"
#include "simulator/text.h"
#include "simulator/upload.h"
#include "simulator/validate.h"
#include "simulator/worker.h"

#define BATCH_FILE_TTL_S 2592000

static const struct problem server_trouble = {500, NULL, NULL, "500"};

static const char *text_of(const struct buf *b)
{
    return b->data != NULL ? b->data : "";
}

static bool is_known_purpose(enum profile profile, const char *purpose)
{
    static const char *const openai[] = {"batch",  "assistants", "fine-tune",
                                         "vision", "user_data",  "evals"};
    static const char *const zhipu[] = {"batch", "code-interpreter", "agent", "voice-clone-input"};
    const char *const *list = profile == PROFILE_ZHIPU ? zhipu : openai;
    size_t count = profile == PROFILE_ZHIPU ? ARRAY_LEN(zhipu) : ARRAY_LEN(openai);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], purpose) == 0)
            return true;
    }
    return false;
}

/* Seconds asked for by expires_after, 0 when not; false, with the request answered, when wrong. */
static bool expires_after(struct request *rq, const struct upload_parts *parts, uint64_t *seconds)
{
    *seconds = 0;
    if (parts->anchor.len == 0 && parts->seconds.len == 0)
        return true;
    if (strcmp(text_of(&parts->anchor), "created_at") != 0) {
        request_problem(rq, problem(400, "expires_after.anchor", "invalid_value", "1214"),
                        "Invalid value: '%.100s'. Value must be 'created_at'.",
                        text_of(&parts->anchor));
        return false;
    }
    if (!quantity_count(text_of(&parts->seconds), seconds) || *seconds < 3600 ||
        *seconds > BATCH_FILE_TTL_S) {
        request_problem(rq, problem(400, "expires_after.seconds", "invalid_value", "1214"),
                        "Invalid value for 'expires_after.seconds': expected 3600 to 2592000.");
        return false;
    }
    return true;
}

/* False, with the request answered, when the parts are not those of an upload. */
static bool check_parts(struct request *rq, const struct upload_parts *parts)
{
    enum profile profile = rq->sim->opt->profile;

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
    if (!is_known_purpose(profile, parts->purpose.data)) {
        request_problem(rq, problem(400, "purpose", "invalid_value", "1214"),
                        "Invalid value for purpose: '%.100s'.", parts->purpose.data);
        return false;
    }
    if (parts->too_big) {
        request_problem(rq, problem(profile == PROFILE_ZHIPU ? 435 : 400, NULL, NULL, "1214"),
                        "File is too large.");
        return false;
    }
    if (parts->trouble != NULL) {
        request_problem(rq, server_trouble, "%s", parts->trouble);
        return false;
    }
    return true;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);

    return n >= m && strcasecmp(text + n - m, end) == 0;
}

/* What is checked at upload about a batch file; false, with the request answered, when it fails. */
static bool check_batch_file(struct request *rq, const struct upload_parts *parts)
{
    struct err err = {0};
    const char *code = "1210";
    bool named = ends_with(text_of(&parts->filename), ".jsonl");
    bool zhipu = rq->sim->opt->profile == PROFILE_ZHIPU;
    bool ok = false;

    int fd = open(parts->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        request_problem(rq, server_trouble, "the file was lost");
        return false;
    }
    if (named)
        ok = zhipu ? validate_zhipu_upload(fd, &code, &err) : validate_first_line(fd);
    (void)close(fd);
    if (!ok && named && zhipu)
        request_problem(rq, problem(400, NULL, NULL, code), "%s", err.msg);
    else if (!ok)
        request_problem(rq, problem(400, NULL, NULL, "1214"),
                        "Invalid file format for Batch API. Must be .jsonl");
    return ok;
}

static bool store_upload(struct request *rq, const struct upload_parts *parts, uint64_t seconds)
{
    struct sim *sim = rq->sim;
    bool batch = strcmp(parts->purpose.data, "batch") == 0;
    int64_t now = clock_unix_ms();
    char *id = worker_new_id("file-", 24);
    struct sim_file meta = {.id = xstrdup(id), .created_ms = now};
    struct err err = {0};

    meta.filename = xstrdup(text_of(&parts->filename));
    meta.purpose = xstrdup(parts->purpose.data);
    if (seconds == 0 && batch)
        seconds = BATCH_FILE_TTL_S;
    if (seconds != 0)
        meta.expires_s = now / 1000 + (int64_t)seconds;
    sim_lock(sim);
    bool ok = files_add(&sim->files, meta, parts->path, &err);
    if (ok) {
        shape_file(reply_json(&rq->reply, 200), sim->opt->profile, files_find(&sim->files, id));
        text_put(&rq->reply.body, "\n");
        rq->reply.hang_up = faults_strike(&sim->faults, FAULT_LOST_UPLOAD);
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

    sim_lock(rq->sim);
    bool hit = faults_strike(&rq->sim->faults, FAULT_UPLOAD_500);
    sim_unlock(rq->sim);
    if (hit) {
        request_problem(rq, server_trouble,
                        "The server had an error while processing your "
                        "request. Sorry about that!");
        return;
    }
    if (!check_parts(rq, parts) || !expires_after(rq, parts, &seconds))
        return;
    if (strcmp(parts->purpose.data, "batch") == 0 && !check_batch_file(rq, parts))
        return;
    if (store_upload(rq, parts, seconds))
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
    uint64_t shown = 0;

    for (size_t step = l->from; step < f->count; step++) {
        const struct sim_file *file = nth(f, l, step);

        if (l->purpose != NULL && strcmp(file->purpose, l->purpose) != 0)
            continue;
        if (shown == l->limit)
            return true;
        text_put(out, shown == 0 ? "" : ",");
        shape_file(out, rq->sim->opt->profile, file);
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
    if (rq->sim->opt->profile == PROFILE_OPENAI) {
        text_put(out, ",\"first_id\":");
        text_string_or_null(out, first);
        text_put(out, ",\"last_id\":");
        text_string_or_null(out, last);
    }
    text_f(out, ",\"has_more\":%s}\n", more ? "true" : "false");
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
    bool zhipu = rq->sim->opt->profile == PROFILE_ZHIPU;
    const char *order = request_query(rq, "order");
    const char *after = request_query(rq, "after");
    struct listing l = {.purpose = request_query(rq, "purpose")};

    if (zhipu && l.purpose == NULL) {
        request_problem(rq, problem(400, "purpose", NULL, "1213"), "purpose 参数缺失");
        return;
    }
    if (!request_limit(rq, zhipu ? 20 : 10000, zhipu ? 100 : 10000, &l.limit))
        return;
    if (!zhipu && order != NULL && strcmp(order, "asc") != 0 && strcmp(order, "desc") != 0) {
        request_problem(rq, problem(400, "order", "invalid_value", NULL),
                        "Invalid value: '%.50s'. Supported values are: 'asc' and 'desc'.", order);
        return;
    }
    l.ascending = !zhipu && order != NULL && strcmp(order, "asc") == 0;
    sim_lock(rq->sim);
    if (find_after(&rq->sim->files, &l, after))
        write_listing(rq, &l, reply_json(&rq->reply, 200));
    else
        request_problem(rq, problem(400, "after", NULL, "1214"), "No such File object: %.100s",
                        after);
    sim_unlock(rq->sim);
}

/* The file of the request's path; NULL, with the request answered, when there is none. */
static struct sim_file *file_asked(struct request *rq)
{
    struct sim_file *file = files_find(&rq->sim->files, rq->id);

    if (file == NULL)
        request_problem(rq, problem(404, "id", NULL, "1214"), "No such File object: %.100s",
                        rq->id);
    return file;
}

void route_files_get(struct request *rq)
{
    sim_lock(rq->sim);
    const struct sim_file *file = file_asked(rq);
    if (file != NULL) {
        shape_file(reply_json(&rq->reply, 200), rq->sim->opt->profile, file);
        text_put(&rq->reply.body, "\n");
    }
    sim_unlock(rq->sim);
}

void route_files_delete(struct request *rq)
{
    sim_lock(rq->sim);
    struct sim_file *file = file_asked(rq);
    if (file != NULL) {
        files_delete(&rq->sim->files, file);
        struct buf *out = reply_json(&rq->reply, 200);
        text_put(out, "{\"id\":");
        text_string(out, rq->id);
        text_put(out, ",\"object\":\"file\",\"deleted\":true}\n");
    }
    sim_unlock(rq->sim);
}

/* The part of a file of @total bytes that is asked for, as a reply without its bytes. */
static void fill_range(struct request *rq, uint64_t total)
{
    struct reply *r = &rq->reply;
    const char *asked = r->ranges ? request_header(rq, "Range") : NULL;

    /* Files here never change, but they have no ETag either: If-Range can't hold. */
    if (request_header(rq, "If-Range") != NULL)
        asked = NULL;
    r->total = r->length = total;
    r->status = 200;
    switch (range_parse(asked, total, &r->offset, &r->length)) {
    case RANGE_NONE: return;
    case RANGE_PART:
        r->status = 206;
        r->partial = true;
        return;
    case RANGE_BEYOND:
        request_problem(rq, problem(416, NULL, NULL, "1214"),
                        "The requested range is not satisfiable.");
        r->partial = true;
        (void)close(r->fd);
        r->fd = -1;
        return;
    }
}

void route_files_content(struct request *rq)
{
    struct sim *sim = rq->sim;
    struct reply *r = &rq->reply;
    uint64_t total = 0;

    sim_lock(sim);
    const struct sim_file *file = file_asked(rq);
    bool cut = false;
    if (file != NULL) {
        r->fd = files_open(&sim->files, file->id);
        total = (uint64_t)file->bytes;
        r->ranges = !faults_strike(&sim->faults, FAULT_NO_RANGE);
        r->rate = faults_number(&sim->faults, FAULT_SLOW_DOWNLOAD);
        cut = faults_strike(&sim->faults, FAULT_TRUNCATE);
    }
    uint64_t chance = hash_mix(sim->faults.seed, sim->faults.of[FAULT_TRUNCATE].seen);
    sim_unlock(sim);
    if (file == NULL)
        return;
    if (r->fd < 0) {
        request_problem(rq, server_trouble, "the file was lost");
        return;
    }
    r->type = "application/octet-stream";
    fill_range(rq, total);
    if (cut && r->length > 1) /* a byte at least, so that whoever goes on gets to the end */
        r->cut = 1 + chance % (r->length - 1);
}
