#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "simulator/dialect.h"
#include "simulator/gzip.h"
#include "simulator/hash.h"
#include "simulator/options.h"
#include "simulator/partial.h"
#include "simulator/quantity.h"
#include "simulator/range.h"
#include "simulator/request.h"
#include "simulator/routes.h"
#include "simulator/sim.h"

#define HOPS          "sim_hops" /* a query argument: redirects still to come */
#define BLOCK_BYTES   65536
#define REDIRECT_CODE 302

static const struct problem server_trouble = {500, NULL, NULL, "500"};

/* How one download goes wrong. */
struct bend {
    bool cut, longer, gzip, reorder;
    struct fault how_cut;
    int64_t by; /* what is wrong about its length */
    bool range;
    enum fault_range how_range;
    char etag[48]; /* "": none */
    bool strong;
    uint64_t chance; /* another number each time */
};

static void choose_etag(struct bend *b, struct faults *faults, const struct sim_file *file)
{
    const struct fault *fault = &faults->of[FAULT_ETAG];
    uint64_t hash = hash_fnv(file->id, strlen(file->id));

    b->etag[0] = '\0';
    if (!faults_strike(faults, FAULT_ETAG))
        return;
    if (fault->choice == ETAG_CHANGING)
        hash = hash_mix(hash, fault->seen);
    b->strong = fault->choice != ETAG_WEAK;
    (void)snprintf(b->etag, sizeof(b->etag), "%s\"%016" PRIx64 "\"", b->strong ? "" : "W/", hash);
}

/* Which of the faults strike this download. Needs the lock. */
static void choose(struct bend *b, struct request *rq, const struct sim_file *file)
{
    struct faults *faults = &rq->sim->faults;

    b->how_range = (enum fault_range)faults->of[FAULT_RANGE].choice;
    b->range = (b->how_range == RANGE_IGNORED || request_header(rq, "Range") != NULL) &&
               faults_strike(faults, FAULT_RANGE);
    b->cut = faults_strike(faults, FAULT_CUT);
    b->how_cut = faults->of[FAULT_CUT];
    b->chance = hash_mix(faults->seed, faults->of[FAULT_CUT].seen + faults->of[FAULT_REORDER].seen);
    b->longer = faults_strike(faults, FAULT_WRONG_LENGTH);
    b->by = faults->of[FAULT_WRONG_LENGTH].by;
    b->gzip = faults_strike(faults, FAULT_GZIP);
    b->reorder = faults_strike(faults, FAULT_REORDER);
    choose_etag(b, faults, file);
}

static void refuse_range(struct request *rq)
{
    struct reply *r = &rq->reply;
    uint64_t total = r->total;

    (void)close(r->fd);
    r->fd = -1;
    request_problem(rq, problem(416, NULL, NULL, "1214"),
                    "The requested range is not satisfiable.");
    r->total = total;
    r->partial = true;
}

/* The Range to be honoured; NULL: none. If-Range (RFC 9110 13.1.5) wants the same strong ETag. */
static const char *range_asked(const struct request *rq, const struct bend *b)
{
    const char *only_if = request_header(rq, "If-Range");

    if (b->gzip || (b->range && b->how_range == RANGE_IGNORED))
        return NULL;
    if (only_if != NULL && (!b->strong || strcmp(only_if, b->etag) != 0))
        return NULL;
    return request_header(rq, "Range");
}

/* The part of the file that is asked for. */
static void fill_range(struct request *rq, const struct bend *b)
{
    struct reply *r = &rq->reply;

    switch (range_parse(range_asked(rq, b), r->total, &r->offset, &r->length)) {
    case RANGE_NONE: return;
    case RANGE_PART:
        if (b->range && b->how_range == RANGE_REFUSED) {
            refuse_range(rq);
            return;
        }
        if (b->range && b->how_range == RANGE_SHIFTED && r->offset > 0) {
            r->offset--;
            r->length++;
        }
        r->status = 206;
        r->partial = true;
        return;
    case RANGE_BEYOND: refuse_range(rq); return;
    }
}

static void fill_cut(struct reply *r, const struct bend *b)
{
    /* a byte at least, so that whoever goes on gets to the end */
    uint64_t at = r->length > 1 ? 1 + b->chance % (r->length - 1) : UINT64_MAX;

    r->cut = fault_count(&b->how_cut, KEY_BYTE, at);
    switch ((enum fault_cut)b->how_cut.choice) {
    case CUT_LENGTH: break;
    case CUT_CHUNKED: r->form = REPLY_CHUNKED; break;
    case CUT_CLOSE: r->form = REPLY_UNTIL_CLOSE; break;
    case CUT_STALL: r->stall = true; break;
    }
}

static void fill_wrong_length(struct reply *r, int64_t by)
{
    uint64_t less = by < 0 ? (uint64_t)-by : 0;

    if (by > 0)
        r->longer = (uint64_t)by;
    r->length -= less < r->length ? less : r->length;
}

/* The start of a line somewhere in the middle; 0 when there is none, or the last one has no LF. */
static uint64_t line_start(int fd, uint64_t total, uint64_t from)
{
    char block[BLOCK_BYTES];
    ssize_t n;

    if (total == 0 || pread(fd, block, 1, (off_t)(total - 1)) != 1 || block[0] != '\n')
        return 0;
    while ((n = pread(fd, block, sizeof(block), (off_t)from)) > 0) {
        const char *lf = memchr(block, '\n', (size_t)n);

        if (lf != NULL)
            return (from + (uint64_t)(lf - block) + 1) % total;
        from += (uint64_t)n;
    }
    return 0;
}

/* Put the gzipped file in the place of the plain one; false, with the request answered. */
static bool squeeze(struct request *rq)
{
    struct reply *r = &rq->reply;
    struct err err = {0};
    int fd = gzip_file(&rq->sim->folder, r->fd, &r->total, &err);

    if (fd < 0) {
        request_problem(rq, server_trouble, "%s", err.msg);
        return false;
    }
    (void)close(r->fd);
    r->fd = fd;
    r->length = r->total;
    reply_header(r, "Content-Encoding", "gzip");
    return true;
}

/* Open the content of @file as the reply; false, with the request answered. Needs the lock. */
static bool open_content(struct request *rq, const struct sim_file *file)
{
    struct reply *r = &rq->reply;

    r->fd = files_open(&rq->sim->files, file->id);
    if (r->fd < 0) {
        request_problem(rq, server_trouble, "the file was lost");
        return false;
    }
    r->status = 200;
    r->type = "application/octet-stream";
    r->total = r->length = (uint64_t)file->bytes;
    r->rate = faults_number(&rq->sim->faults, FAULT_SLOW_DOWNLOAD);
    return true;
}

/* The opened content, bent. */
static void give(struct request *rq, const struct bend *b)
{
    struct reply *r = &rq->reply;

    r->ranges = !b->gzip && !(b->range && b->how_range == RANGE_IGNORED);
    if (b->gzip && !squeeze(rq))
        return;
    if (b->reorder && r->total != 0)
        r->shift = line_start(r->fd, r->total, b->chance % r->total);
    fill_range(rq, b);
    if (r->fd < 0)
        return;
    if (b->etag[0] != '\0')
        reply_header(r, "ETag", "%s", b->etag);
    if (b->longer)
        fill_wrong_length(r, b->by);
    if (b->cut)
        fill_cut(r, b);
}

/* Whether its content is not there yet; then the request is answered. Needs the lock. */
static bool is_late(struct request *rq, const struct sim_file *file)
{
    int64_t lag = (int64_t)faults_number(&rq->sim->faults, FAULT_CONTENT_LAG);

    if (strcmp(file->purpose, "batch") == 0 || clock_unix_ms() - file->created_ms >= lag)
        return false;
    request_problem(rq, problem(404, "id", NULL, "1214"), "No such File object: %.100s", rq->id);
    return true;
}

/* Send the client on: to this server, where the key is needed, or to the content server. */
static void redirect(struct request *rq, unsigned status, const char *to, uint64_t hops)
{
    const struct sim *sim = rq->sim;
    const char *url = sim->content_url;

    request_problem(rq, problem(status, NULL, NULL, NULL), "The content is elsewhere.");
    if (to != NULL && strcmp(to, "same") == 0)
        reply_header(&rq->reply, "Location", "%s%s/files/%s/content?" HOPS "=%" PRIu64,
                     sim->own_url, sim->opt->dialect->base, rq->id, hops);
    else if (to != NULL && strcmp(to, "https") == 0)
        reply_header(&rq->reply, "Location", "https%s/content/%s?" HOPS "=%" PRIu64,
                     url + strlen("http"), rq->id, hops);
    else
        reply_header(&rq->reply, "Location", "%s/content/%s?" HOPS "=%" PRIu64, url, rq->id, hops);
}

/* Whether the client is sent on; then the request is answered. Needs the lock. */
static bool is_sent_on(struct request *rq, const char *to)
{
    const struct fault *fault = &rq->sim->faults.of[FAULT_REDIRECT];
    unsigned status = (unsigned)fault_count(fault, KEY_STATUS, REDIRECT_CODE);
    const char *text = request_query(rq, HOPS);
    uint64_t hops = 0;

    if (text != NULL) {
        if (!quantity_count(text, &hops) || hops == 0)
            return false;
        redirect(rq, status, to, hops - 1);
        return true;
    }
    if (!faults_strike(&rq->sim->faults, FAULT_REDIRECT))
        return false;
    redirect(rq, status, fault_text(fault, KEY_TO), fault->number - 1);
    return true;
}

/* Whether the dialect does not give away such a file; then the request is answered. */
static bool is_kept_back(struct request *rq, const struct sim_file *file)
{
    if (!rq->sim->opt->dialect->files.outputs_only || strcmp(file->purpose, "batch_output") == 0)
        return false;
    request_problem(rq, problem(400, "id", "invalid_request", NULL),
                    "The file %.100s is not the output of a batch and cannot be downloaded.",
                    rq->id);
    return true;
}

/* Content that is given by lines knows neither ranges nor compression. */
static void keep_lines(struct bend *b)
{
    b->range = true;
    b->how_range = RANGE_IGNORED;
    b->gzip = b->reorder = false;
}

/* @to is where redirects go from here on. */
static void answer(struct request *rq, const char *to)
{
    const struct dialect_files *d = &rq->sim->opt->dialect->files;
    struct partial partial = {0};
    struct bend bend = {0};
    bool opened = false;

    sim_lock(rq->sim);
    const struct sim_file *file = route_file_asked(rq);
    if (file != NULL && !is_kept_back(rq, file) && !is_late(rq, file) && !is_sent_on(rq, to)) {
        choose(&bend, rq, file);
        opened = open_content(rq, file);
        if (opened && d->partial)
            partial_find(&partial, rq, file);
    }
    sim_unlock(rq->sim);
    if (!opened || (d->partial && !partial_give(rq, &partial)))
        return;
    if (d->partial)
        keep_lines(&bend);
    give(rq, &bend);
}

void route_files_content(struct request *rq)
{
    answer(rq, "same");
}

void route_content(struct request *rq)
{
    bool key = request_header(rq, "Authorization") != NULL || request_header(rq, "api-key") != NULL;

    sim_lock(rq->sim);
    rq->sim->content_requests++;
    rq->sim->keys_leaked += key;
    sim_unlock(rq->sim);
    answer(rq, NULL);
}
