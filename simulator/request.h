#ifndef SIMULATOR_REQUEST_H
#define SIMULATOR_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "simulator/faults.h"
#include "simulator/reply.h"

struct MHD_Connection;
struct sim;
struct upload;

#define REQUEST_BODY_MAX ((size_t)1 << 20)

/* How far a request is. */
enum request_step {
    REQUEST_ARRIVED, /* it is there */
    REQUEST_GOES,    /* it may be carried out */
    REQUEST_DONE,    /* its reply may be sent */
};

/* One HTTP request, while it is being received and answered. */
struct request {
    struct sim *sim;
    struct MHD_Connection *conn;
    const char *method;
    char *path;           /* without the query */
    int route;            /* its row in the table of routes; -1: none */
    enum fault_route api; /* what faults call that route */
    bool at_content;      /* it came to the content server */
    bool reused;          /* not the first request of its connection */
    enum request_step step;
    int64_t until_ms; /* monotonic: nothing is done with it before; 0: go on */
    bool awaits_body; /* its head was taken, "100 Continue" is withheld */
    int64_t body_began_ms;
    uint64_t body_taken;
    char *id;              /* the {id} in the path, or NULL */
    struct upload *upload; /* when the body is one */
    struct buf body;       /* else the body itself */
    bool body_too_big;
    struct reply reply;
};

/** A query argument, NULL when it is not there. */
const char *request_query(const struct request *rq, const char *name);

/** A request header, NULL when it is not there. */
const char *request_header(const struct request *rq, const char *name);

/**
 * The query argument "limit", from 1 to @max; @preset when it is not there.
 * False, with the request answered, when it can't be used.
 */
MUST_CHECK bool request_limit(struct request *rq, uint64_t preset, uint64_t max, uint64_t *out);

/** Answer with an error; see reply_problem(). */
void request_problem(struct request *rq, struct problem p, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
