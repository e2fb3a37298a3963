#include "simulator/routes.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/xmem.h"
#include "simulator/options.h"
#include "simulator/request.h"
#include "simulator/sim.h"
#include "simulator/text.h"

/* Path with {id} where it has one. Admin paths are whole, the others follow the profile's base. */
static const struct {
    const char *method;
    const char *path;
    bool admin;
    void (*answer)(struct request *rq);
} routes[] = {
    {"POST",   "/files",               false, route_files_create  },
    {"GET",    "/files",               false, route_files_list    },
    {"GET",    "/files/{id}",          false, route_files_get     },
    {"DELETE", "/files/{id}",          false, route_files_delete  },
    {"GET",    "/files/{id}/content",  false, route_files_content },
    {"POST",   "/batches",             false, route_batches_create},
    {"GET",    "/batches",             false, route_batches_list  },
    {"GET",    "/batches/{id}",        false, route_batches_get   },
    {"POST",   "/batches/{id}/cancel", false, route_batches_cancel},
    {"GET",    "/models",              false, route_models        },
    {"GET",    "/_sim/ledger",         true,  route_admin_ledger  },
    {"POST",   "/_sim/faults",         true,  route_admin_faults  },
    {"GET",    "/_sim/state",          true,  route_admin_state   },
};

_Static_assert(ARRAY_LEN(routes) <= SIM_ROUTES_MAX, "raise SIM_ROUTES_MAX");

#define UPLOAD_ROUTE 0

/* Whether @path is @pattern; its {id} in @id, empty when the pattern has none. */
static bool path_is(const char *pattern, const char *path, const char **id, size_t *id_len)
{
    const char *hole = strchr(pattern, '{');

    *id_len = 0;
    if (hole == NULL)
        return strcmp(pattern, path) == 0;
    size_t before = (size_t)(hole - pattern);
    if (strncmp(pattern, path, before) != 0)
        return false;
    *id = path + before;
    *id_len = strcspn(*id, "/");
    return *id_len > 0 && strcmp(hole + strlen("{id}"), *id + *id_len) == 0;
}

static bool hidden_by_profile(enum profile profile, size_t route)
{
    return profile == PROFILE_ZHIPU && routes[route].answer == route_files_get;
}

void routes_find(struct request *rq)
{
    enum profile profile = rq->sim->opt->profile;
    const char *base = profile_base(profile);
    bool in_base = strncmp(rq->path, base, strlen(base)) == 0;
    const char *rest = in_base ? rq->path + strlen(base) : "";
    const char *id = NULL;
    size_t id_len;

    rq->route = -1;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (strcmp(rq->method, routes[i].method) != 0 || hidden_by_profile(profile, i) ||
            !path_is(routes[i].path, routes[i].admin ? rq->path : rest, &id, &id_len))
            continue;
        rq->route = (int)i;
        rq->id = id_len != 0 ? xstrndup(id, id_len) : NULL;
        return;
    }
}

bool routes_takes_upload(const struct request *rq)
{
    return rq->route == UPLOAD_ROUTE;
}

static void answer_html(struct request *rq, unsigned status)
{
    text_put(reply_json(&rq->reply, status),
             "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
             "<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n");
    rq->reply.type = "text/html";
}

static bool strike(struct request *rq, enum fault_id id)
{
    sim_lock(rq->sim);
    bool hit = faults_strike(&rq->sim->faults, id);
    sim_unlock(rq->sim);
    return hit;
}

/* False, with the request answered, when its key is not taken. */
static bool check_key(struct request *rq)
{
    static const char scheme[] = "Bearer ";
    const char *value = request_header(rq, "Authorization");
    const char *key = rq->sim->opt->key;
    struct problem p = {401, NULL, NULL, "1001"};

    if (value == NULL || strncmp(value, scheme, sizeof(scheme) - 1) != 0 ||
        value[sizeof(scheme) - 1] == '\0') {
        request_problem(rq, p,
                        "You didn't provide an API key. You need to provide your API key in an "
                        "Authorization header using Bearer auth (i.e. Authorization: Bearer "
                        "YOUR_KEY).");
        return false;
    }
    if ((key != NULL && strcmp(value + sizeof(scheme) - 1, key) != 0) ||
        strike(rq, FAULT_REJECT_KEY)) {
        p.code = "invalid_api_key";
        p.zhipu_code = "1000";
        request_problem(rq, p, "Incorrect API key provided.");
        return false;
    }
    return true;
}

/* What stands before every route of the API. */
static bool pass_gate(struct request *rq)
{
    if (strike(rq, FAULT_HTML_502)) {
        answer_html(rq, 502);
        return false;
    }
    if (!check_key(rq))
        return false;
    if (strike(rq, FAULT_RATE_429)) {
        request_problem(rq, problem(429, NULL, "rate_limit_exceeded", "1302"),
                        "Rate limit reached. Please try again in 1s.");
        rq->reply.retry_after_s = 1;
        return false;
    }
    return true;
}

static void count(struct request *rq)
{
    sim_lock(rq->sim);
    if (rq->route < 0)
        rq->sim->requests_unknown++;
    else
        rq->sim->requests[rq->route]++;
    sim_unlock(rq->sim);
}

void routes_answer(struct request *rq)
{
    bool admin = rq->route >= 0 && routes[rq->route].admin;

    count(rq);
    if (!admin && !pass_gate(rq))
        return;
    if (rq->route < 0) {
        request_problem(rq, problem(404, NULL, "unknown_url", "404"), "Invalid URL (%.20s %.200s)",
                        rq->method, rq->path);
        return;
    }
    if (rq->body_too_big) {
        request_problem(rq, problem(413, NULL, NULL, NULL), "The request body is too large.");
        return;
    }
    routes[rq->route].answer(rq);
}

void routes_write_counts(const struct sim *sim, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        text_f(out, "\"%s %s\":%" PRIu64 ",", routes[i].method, routes[i].path, sim->requests[i]);
    text_f(out, "\"other\":%" PRIu64, sim->requests_unknown);
}
