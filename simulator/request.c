#include "simulator/request.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>

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

void request_problem(struct request *rq, struct problem p, const char *fmt, ...)
{
    char message[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    reply_problem(&rq->reply, rq->sim->opt->profile, p, "%s", message);
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
