#include "simulator/server.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/id.h"
#include "common/base/xmem.h"
#include "simulator/download.h"
#include "simulator/options.h"
#include "simulator/pauses.h"
#include "simulator/request.h"
#include "simulator/routes.h"
#include "simulator/sim.h"
#include "simulator/upload.h"

#define CONNECTION_BYTES  ((size_t)96 << 10)
#define CONNECTION_IDLE_S 300U
#define CONNECTIONS_MAX   1000U

struct server {
    struct sim *sim;
    struct MHD_Daemon *daemon;
    struct pauses pauses;
};

static struct request *request_new(struct server *s, struct MHD_Connection *conn, const char *url,
                                   const char *method)
{
    struct request *rq = xcalloc(1, sizeof(*rq));

    rq->sim = s->sim;
    rq->conn = conn;
    rq->method = method;
    rq->path = xstrdup(url);
    rq->body = BUF_INIT(REQUEST_BODY_MAX);
    reply_init(&rq->reply);
    routes_find(rq);
    if (routes_takes_upload(rq))
        rq->upload = upload_new(conn, &s->sim->folder, s->sim->opt->max_bytes);
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

static void add_headers(struct MHD_Response *response, const struct reply *r)
{
    char text[100];

    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r->type);
    char request_id[25];
    id_random(request_id, sizeof(request_id) - 1);
    (void)snprintf(text, sizeof(text), "req_%s", request_id);
    (void)MHD_add_response_header(response, "x-request-id", text);
    if (r->ranges && r->status < 300)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
    if (r->partial && r->status == 206) {
        (void)snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, r->offset,
                       r->offset + r->length - 1, r->total);
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text);
    } else if (r->partial) {
        (void)snprintf(text, sizeof(text), "bytes */%" PRIu64, r->total);
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text);
    }
    if (r->retry_after_s != 0) {
        (void)snprintf(text, sizeof(text), "%u", r->retry_after_s);
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, text);
    }
}

static enum MHD_Result send_reply(struct server *s, struct request *rq)
{
    struct reply *r = &rq->reply;
    struct MHD_Response *response;

    if (r->hang_up)
        return MHD_NO; /* the library closes the connection */
    if (r->fd >= 0)
        response = download_new(r, rq->conn, &s->pauses);
    else
        response =
            MHD_create_response_from_buffer(r->body.len, r->body.data, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    add_headers(response, r);
    enum MHD_Result result = MHD_queue_response(rq->conn, r->status, response);
    MHD_destroy_response(response);
    return result;
}

/* Called when the head of a request is there, for each piece of its body, and once at its end. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *conn, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    struct server *s = arg;
    struct request *rq = *state;

    (void)version;
    if (rq == NULL) {
        *state = request_new(s, conn, url, method);
        return MHD_YES;
    }
    if (*size != 0) {
        feed(rq, data, *size);
        *size = 0;
        return MHD_YES;
    }
    routes_answer(rq);
    return send_reply(s, rq);
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

static struct addrinfo *resolve(const struct options *opt, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char port[8];

    (void)snprintf(port, sizeof(port), "%u", (unsigned)opt->port);
    int rc = getaddrinfo(opt->host, port, &hints, &found);
    if (rc != 0) {
        err_set(err, ERR_USAGE, "--host %s: %s", opt->host, gai_strerror(rc));
        return NULL;
    }
    return found;
}

static struct MHD_Daemon *listen_on(struct server *s, const struct addrinfo *address)
{
    unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME;

    if (address->ai_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR,
                            address->ai_addr, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES,
                            MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_IDLE_S,
                            MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
                            MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_END);
}

struct server *server_start(struct sim *sim, struct err *err)
{
    struct addrinfo *address = resolve(sim->opt, err);

    if (address == NULL)
        return NULL;
    struct server *s = xcalloc(1, sizeof(*s));
    s->sim = sim;
    pauses_init(&s->pauses);
    s->daemon = listen_on(s, address);
    freeaddrinfo(address);
    if (s->daemon == NULL) {
        err_set(err, ERR_UNAVAILABLE, "cannot listen on %s port %u", sim->opt->host,
                (unsigned)sim->opt->port);
        server_stop(s);
        return NULL;
    }
    return s;
}

uint16_t server_port(const struct server *s)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);

    return info != NULL ? info->port : 0;
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
    pauses_release(&s->pauses);
    free(s);
}
