#include "simulator/server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/id.h"
#include "common/base/xmem.h"
#include "simulator/deliver.h"
#include "simulator/dialect.h"
#include "simulator/options.h"
#include "simulator/pauses.h"
#include "simulator/request.h"
#include "simulator/routes.h"
#include "simulator/sim.h"
#include "simulator/upload.h"
#include "simulator/wire.h"

#define CONNECTION_BYTES  ((size_t)96 << 10)
#define CONNECTION_IDLE_S 300U
#define CONNECTIONS_MAX   1000U
#define BODY_LOOK_MS      20

/* One connection of a client. */
struct connection {
    uint64_t requests, creates;
};

struct server {
    struct sim *sim;
    struct MHD_Daemon *daemon;
    struct MHD_Daemon *content; /* NULL: there is none */
    struct pauses pauses;
};

static struct connection *connection_of(struct MHD_Connection *conn)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

/* What is known of a request by its connection: libraries send some again on a new one. */
static void count_on_connection(struct request *rq)
{
    struct connection *c = connection_of(rq->conn);
    struct sim *sim = rq->sim;

    if (c == NULL)
        return;
    rq->reused = ++c->requests > 1;
    if (rq->api != ROUTE_CREATES)
        return;
    c->creates++;
    sim_lock(sim);
    sim->creates_received++;
    sim->creates_on_reused += rq->reused;
    if (c->creates > sim->creates_per_connection)
        sim->creates_per_connection = c->creates;
    sim_unlock(sim);
}

static void on_connection(void *arg, struct MHD_Connection *conn, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    (void)arg;
    (void)conn;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = xcalloc(1, sizeof(struct connection));
        return;
    }
    free(*context);
    *context = NULL;
}

static struct request *request_new(struct server *s, struct MHD_Connection *conn, const char *url,
                                   const char *method, bool at_content)
{
    struct request *rq = xcalloc(1, sizeof(*rq));

    rq->sim = s->sim;
    rq->conn = conn;
    rq->method = method;
    rq->path = xstrdup(url);
    rq->body = BUF_INIT(REQUEST_BODY_MAX);
    rq->at_content = at_content;
    reply_init(&rq->reply);
    routes_find(rq);
    count_on_connection(rq);
    if (routes_takes_upload(rq))
        rq->upload =
            upload_new(conn, &s->sim->folder, &s->sim->opt->dialect->files, s->sim->opt->max_bytes);
    return rq;
}

static void request_free(struct request *rq)
{
    upload_free(rq->upload);
    buf_release(&rq->body);
    reply_release(&rq->reply);
    free(rq->id);
    free(rq->path);
    free(rq);
}

static void feed(struct request *rq, const char *bytes, size_t len)
{
    if (rq->upload != NULL)
        upload_feed(rq->upload, bytes, len);
    else if (!buf_append(&rq->body, bytes, len))
        rq->body_too_big = true;
}

/* Suspend the request: the handler is called again at that time. */
static enum MHD_Result pause_until(struct server *s, const struct request *rq, int64_t until_ms)
{
    return pauses_add(&s->pauses, rq->conn, until_ms) ? MHD_YES : MHD_NO;
}

/* The client sends its body only after our "100 Continue", or when it is tired of waiting. */
static bool ignores_expect(const struct request *rq)
{
    if (request_header(rq, MHD_HTTP_HEADER_EXPECT) == NULL)
        return false;
    sim_lock(rq->sim);
    bool hit = faults_strike(&rq->sim->faults, FAULT_EXPECT_IGNORED);
    sim_unlock(rq->sim);
    return hit;
}

static enum MHD_Result take_head(struct server *s, struct request *rq)
{
    if (!routes_head(rq))
        return deliver(rq, &s->pauses);
    rq->awaits_body = ignores_expect(rq);
    return rq->awaits_body ? pause_until(s, rq, clock_mono_ms() + BODY_LOOK_MS) : MHD_YES;
}

static enum MHD_Result await_body(struct server *s, struct request *rq)
{
    if (!wire_has_bytes(rq->conn) && !wire_is_closed(rq->conn))
        return pause_until(s, rq, clock_mono_ms() + BODY_LOOK_MS);
    rq->awaits_body = false;
    return MHD_YES;
}

/* Bytes of the body that may be taken now at the chosen rate. */
static size_t body_allowance(struct request *rq, size_t max)
{
    int64_t now = clock_mono_ms();

    sim_lock(rq->sim);
    uint64_t rate = faults_number(&rq->sim->faults, FAULT_SLOW_UPLOAD);
    sim_unlock(rq->sim);
    if (rq->upload == NULL || rate == 0)
        return max;
    if (rq->body_began_ms == 0)
        rq->body_began_ms = now;
    uint64_t may = rate * (uint64_t)(now - rq->body_began_ms + BODY_LOOK_MS) / 1000;
    if (may <= rq->body_taken)
        return 0;
    return may - rq->body_taken < max ? (size_t)(may - rq->body_taken) : max;
}

static enum MHD_Result take_body(struct server *s, struct request *rq, const char *data,
                                 size_t *size)
{
    size_t n = body_allowance(rq, *size);

    feed(rq, data, n);
    rq->body_taken += n;
    *size -= n;
    return *size == 0 ? MHD_YES : pause_until(s, rq, clock_mono_ms() + BODY_LOOK_MS);
}

static enum MHD_Result go_on(struct server *s, struct request *rq, const char *data, size_t *size)
{
    if (rq->awaits_body)
        return await_body(s, rq);
    if (*size != 0 && rq->step != REQUEST_DONE)
        return take_body(s, rq, data, size);
    if (!routes_answer(rq))
        return pause_until(s, rq, rq->until_ms);
    return deliver(rq, &s->pauses);
}

/* Called when the head of a request is there, for each piece of its body, and once at its end. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *conn, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    struct server *s = arg;

    (void)version;
    if (*state != NULL)
        return go_on(s, *state, data, size);
    *state = request_new(s, conn, url, method, false);
    return take_head(s, *state);
}

/* The same at the content server. */
static enum MHD_Result on_content(void *arg, struct MHD_Connection *conn, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    struct server *s = arg;

    (void)version;
    if (*state != NULL)
        return go_on(s, *state, data, size);
    *state = request_new(s, conn, url, method, true);
    return take_head(s, *state);
}

static void on_completed(void *arg, struct MHD_Connection *conn, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)arg;
    (void)conn;
    (void)code;
    if (*state != NULL)
        request_free(*state);
    *state = NULL;
}

static struct addrinfo *resolve(const char *host, uint16_t number, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char port[8];

    (void)snprintf(port, sizeof(port), "%u", (unsigned)number);
    int rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0) {
        err_set(err, ERR_USAGE, "--host %s: %s", host, gai_strerror(rc));
        return NULL;
    }
    return found;
}

/* NULL with @err when nobody can listen there. */
static struct MHD_Daemon *listen_on(struct server *s, uint16_t port,
                                    MHD_AccessHandlerCallback handler, struct err *err)
{
    unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    const char *host = s->sim->opt->host;
    struct addrinfo *address = resolve(host, port, err);

    if (address == NULL)
        return NULL;
    if (address->ai_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handler, s, MHD_OPTION_SOCK_ADDR, address->ai_addr,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
        CONNECTION_IDLE_S, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
        MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_END);
    freeaddrinfo(address);
    if (daemon == NULL)
        err_set(err, ERR_UNAVAILABLE, "cannot listen on %s port %u", host, (unsigned)port);
    return daemon;
}

static uint16_t port_of(struct MHD_Daemon *daemon)
{
    const union MHD_DaemonInfo *info =
        daemon != NULL ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;

    return info != NULL ? info->port : 0;
}

/* "http://host:port", an IPv6 address in brackets. */
static void write_url(char *out, size_t size, const char *host, uint16_t port)
{
    bool v6 = strchr(host, ':') != NULL;

    (void)snprintf(out, size, "http://%s%.80s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "",
                   (unsigned)port);
}

/* Where redirects lead to. Requests may be there already. */
static void tell_urls(struct server *s)
{
    struct sim *sim = s->sim;
    uint16_t port = port_of(s->daemon);

    sim_lock(sim);
    write_url(sim->own_url, sizeof(sim->own_url), sim->opt->host, port);
    write_url(sim->content_url, sizeof(sim->content_url), sim->opt->host,
              s->content != NULL ? port_of(s->content) : port);
    sim_unlock(sim);
}

struct server *server_start(struct sim *sim, struct err *err)
{
    struct server *s = xcalloc(1, sizeof(*s));

    s->sim = sim;
    pauses_init(&s->pauses);
    s->daemon = listen_on(s, sim->opt->port, on_request, err);
    if (s->daemon != NULL && sim->opt->content)
        s->content = listen_on(s, sim->opt->content_port, on_content, err);
    if (s->daemon == NULL || (sim->opt->content && s->content == NULL)) {
        server_stop(s);
        return NULL;
    }
    tell_urls(s);
    return s;
}

uint16_t server_port(const struct server *s)
{
    return port_of(s->daemon);
}

uint16_t server_content_port(const struct server *s)
{
    return port_of(s->content);
}

void server_tick(struct server *s)
{
    pauses_wake(&s->pauses, clock_mono_ms());
}

void server_stop(struct server *s)
{
    if (s == NULL)
        return;
    pauses_close(&s->pauses);
    if (s->daemon != NULL)
        MHD_stop_daemon(s->daemon);
    if (s->content != NULL)
        MHD_stop_daemon(s->content);
    pauses_release(&s->pauses);
    free(s);
}
