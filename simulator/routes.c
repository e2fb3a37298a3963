#include "simulator/routes.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/xmem.h"
#include "simulator/dialect.h"
#include "simulator/limits.h"
#include "simulator/options.h"
#include "simulator/plan.h"
#include "simulator/request.h"
#include "simulator/sim.h"
#include "simulator/text.h"

/* Where a path is: behind the profile's base, or the whole of it. */
enum place {
    PLACE_API,
    PLACE_ADMIN,
    PLACE_CONTENT, /* on the content server, and nothing else is there */
};

/* Path with {id} where it has one. */
static const struct {
    const char *method;
    const char *path;
    enum place place;
    enum fault_route api;
    void (*answer)(struct request *rq);
} routes[] = {
    {"POST",   "/files",               PLACE_API,     ROUTE_UPLOADS,      route_files_create  },
    {"GET",    "/files",               PLACE_API,     ROUTE_FILE_LISTS,   route_files_list    },
    {"GET",    "/files/{id}",          PLACE_API,     ROUTE_FILE_GETS,    route_files_get     },
    {"DELETE", "/files/{id}",          PLACE_API,     ROUTE_FILE_DELETES, route_files_delete  },
    {"GET",    "/files/{id}/content",  PLACE_API,     ROUTE_DOWNLOADS,    route_files_content },
    {"POST",   "/batches",             PLACE_API,     ROUTE_CREATES,      route_batches_create},
    {"GET",    "/batches",             PLACE_API,     ROUTE_LISTS,        route_batches_list  },
    {"GET",    "/batches/{id}",        PLACE_API,     ROUTE_POLLS,        route_batches_get   },
    {"POST",   "/batches/{id}/cancel", PLACE_API,     ROUTE_CANCELS,      route_batches_cancel},
    {"DELETE", "/batches/{id}",        PLACE_API,     ROUTE_ANY,          route_batches_delete},
    {"GET",    "/models",              PLACE_API,     ROUTE_MODELS,       route_models        },
    {"GET",    "/_sim/ledger",         PLACE_ADMIN,   ROUTE_ANY,          route_admin_ledger  },
    {"POST",   "/_sim/faults",         PLACE_ADMIN,   ROUTE_ANY,          route_admin_faults  },
    {"GET",    "/_sim/state",          PLACE_ADMIN,   ROUTE_ANY,          route_admin_state   },
    {"GET",    "/content/{id}",        PLACE_CONTENT, ROUTE_ANY,          route_content       },
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

static bool is_hidden(const struct dialect *dialect, size_t route)
{
    return (!dialect->files.get && routes[route].answer == route_files_get) ||
           (!dialect->batches.deletable && routes[route].answer == route_batches_delete);
}

void routes_find(struct request *rq)
{
    const struct dialect *dialect = rq->sim->opt->dialect;
    const char *base = dialect->base;
    bool in_base = strncmp(rq->path, base, strlen(base)) == 0;
    const char *rest = in_base ? rq->path + strlen(base) : "";
    const char *id = NULL;
    size_t id_len;

    rq->route = -1;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (strcmp(rq->method, routes[i].method) != 0 || is_hidden(dialect, i) ||
            (routes[i].place == PLACE_CONTENT) != rq->at_content ||
            !path_is(routes[i].path, routes[i].place == PLACE_API ? rest : rq->path, &id, &id_len))
            continue;
        rq->route = (int)i;
        rq->api = routes[i].api;
        rq->id = id_len != 0 ? xstrndup(id, id_len) : NULL;
        return;
    }
}

bool routes_takes_upload(const struct request *rq)
{
    return rq->route == UPLOAD_ROUTE;
}

/* The token of an Authorization: Bearer header; NULL when there is none. */
static const char *bearer(const struct request *rq)
{
    static const char scheme[] = "Bearer ";
    const char *value = request_header(rq, "Authorization");

    if (value == NULL || strncmp(value, scheme, sizeof(scheme) - 1) != 0 ||
        value[sizeof(scheme) - 1] == '\0')
        return NULL;
    return value + sizeof(scheme) - 1;
}

/* Whether @token has the form of a JSON web token, as those of Entra ID. */
static bool is_jwt(const char *token)
{
    const char *dot = token != NULL ? strchr(token, '.') : NULL;

    return dot != NULL && strncmp(token, "eyJ", 3) == 0 && strchr(dot + 1, '.') != NULL;
}

/* The key that the request shows, where the dialect wants it; NULL when it shows none. */
static const char *given_key(const struct request *rq)
{
    const char *token = bearer(rq);

    if (rq->sim->opt->dialect->key == DIALECT_KEY_BEARER)
        return token;
    return is_jwt(token) ? token : request_header(rq, "api-key");
}

/* False, with the request answered, when its key is not taken. */
static bool check_key(struct request *rq)
{
    const char *key = rq->sim->opt->key;
    const char *value = given_key(rq);

    if (value != NULL && (key == NULL || strcmp(value, key) == 0))
        return true;
    if (rq->sim->opt->dialect->key == DIALECT_KEY_HEADER)
        request_problem(rq, problem(401, NULL, "401", NULL),
                        "Access denied due to invalid subscription key or wrong API endpoint. Make "
                        "sure to provide a valid key for an active subscription and use a correct "
                        "regional API endpoint for your resource.");
    else if (value == NULL)
        request_problem(rq, problem(401, NULL, NULL, "1001"),
                        "You didn't provide an API key. You need to provide your API key in an "
                        "Authorization header using Bearer auth (i.e. Authorization: Bearer "
                        "YOUR_KEY).");
    else
        request_problem(rq, problem(401, NULL, "invalid_api_key", "1000"),
                        "Incorrect API key provided.");
    return false;
}

static bool is_admin(const struct request *rq)
{
    return rq->route >= 0 && routes[rq->route].place == PLACE_ADMIN;
}

static void count(struct request *rq)
{
    const char *key = given_key(rq);

    sim_lock(rq->sim);
    if (key != NULL && !rq->at_content && !is_admin(rq))
        keys_note(&rq->sim->keys, key);
    files_expire(&rq->sim->files, clock_unix_ms());
    if (rq->route < 0)
        rq->sim->requests_unknown++;
    else
        rq->sim->requests[rq->route]++;
    sim_unlock(rq->sim);
}

bool routes_head(struct request *rq)
{
    if (is_admin(rq) || plan_head(rq))
        return true;
    count(rq);
    rq->step = REQUEST_DONE;
    return false;
}

static void carry_out(struct request *rq)
{
    if (!is_admin(rq) && !rq->at_content && (!check_key(rq) || !limits_pass(rq)))
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

static bool must_wait(const struct request *rq)
{
    return rq->until_ms != 0 && clock_mono_ms() < rq->until_ms;
}

bool routes_answer(struct request *rq)
{
    if (rq->step == REQUEST_ARRIVED) {
        count(rq);
        rq->step = is_admin(rq) || plan_before(rq) ? REQUEST_GOES : REQUEST_DONE;
        if (rq->step == REQUEST_DONE)
            plan_answer(rq);
    }
    if (must_wait(rq))
        return false;
    if (rq->step == REQUEST_GOES) {
        rq->step = REQUEST_DONE;
        carry_out(rq);
        if (!is_admin(rq)) {
            plan_after(rq);
            plan_answer(rq);
        }
    }
    return !must_wait(rq);
}

void routes_write_counts(const struct sim *sim, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        text_f(out, "\"%s %s\":%" PRIu64 ",", routes[i].method, routes[i].path, sim->requests[i]);
    text_f(out, "\"other\":%" PRIu64, sim->requests_unknown);
}
