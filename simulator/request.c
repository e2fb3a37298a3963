#include "simulator/request.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "simulator/dialect.h"
#include "simulator/options.h"
#include "simulator/quantity.h"
#include "simulator/sim.h"

const char *request_query(const struct request *rq, const char *name)
{
    return MHD_lookup_connection_value(rq->conn, MHD_GET_ARGUMENT_KIND, name);
}

const char *request_header(const struct request *rq, const char *name)
{
    return MHD_lookup_connection_value(rq->conn, MHD_HEADER_KIND, name);
}

/*
 * Zhipu tells some of its own errors inside a 200. Which ones is not documented:
 * here those of parameters, outside of uploads; after a POST at the top level.
 */
static void soften(struct request *rq, struct problem *p)
{
    if (rq->sim->opt->dialect->problem != DIALECT_PROBLEM_ZHIPU || p->status != 400 ||
        rq->upload != NULL || p->zhipu_code == NULL)
        return;
    p->status = 200;
    rq->reply.soft = strcmp(rq->method, "POST") == 0;
}

void request_problem(struct request *rq, struct problem p, const char *fmt, ...)
{
    char message[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    soften(rq, &p);
    reply_problem(&rq->reply, rq->sim->opt->dialect, p, "%s", message);
}

bool request_limit(struct request *rq, uint64_t preset, uint64_t max, uint64_t *out)
{
    struct problem p = {400, "limit", "invalid_type", "1214"};
    const char *text = request_query(rq, "limit");
    uint64_t limit = preset;

    if (text != NULL && !quantity_count(text, &limit)) {
        request_problem(rq, p, "Invalid type for 'limit': expected an integer.");
        return false;
    }
    if (limit < 1 || limit > max) {
        p.code = limit < 1 ? "integer_below_min_value" : "integer_above_max_value";
        request_problem(rq, p,
                        "Invalid 'limit': expected a value from 1 to %" PRIu64 ", but got %" PRIu64
                        " instead.",
                        max, limit);
        return false;
    }
    *out = limit;
    return true;
}
