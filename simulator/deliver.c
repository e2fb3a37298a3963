#include "simulator/deliver.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "simulator/download.h"
#include "simulator/pauses.h"
#include "simulator/request.h"
#include "simulator/wire.h"

/* How often a connection that is kept in silence is looked at. */
#define SILENCE_MS 100

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    (void)MHD_add_response_header(response, name, value);
}

static void add_headers(struct MHD_Response *response, const struct reply *r)
{
    char text[100];
    char request_id[25];

    add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r->type);
    id_random(request_id, sizeof(request_id) - 1);
    (void)snprintf(text, sizeof(text), "req_%s", request_id);
    add_header(response, "x-request-id", text);
    if (r->ranges && r->status < 300)
        add_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
    if (r->partial && r->status == 206) {
        (void)snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, r->offset,
                       r->offset + r->length - 1, r->total);
        add_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text);
    } else if (r->partial) {
        (void)snprintf(text, sizeof(text), "bytes */%" PRIu64, r->total);
        add_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text);
    }
    for (size_t i = 0; i < r->header_count; i++)
        add_header(response, r->headers[i].name, r->headers[i].value);
    if (r->retry_after_s != 0) {
        (void)snprintf(text, sizeof(text), "%u", r->retry_after_s);
        add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, text);
    }
}

/* The body in memory; of one that is cut in half, the length it should have had. */
static struct MHD_Response *body_new(const struct reply *r)
{
    bool half = r->end == REPLY_HALF;
    size_t len = half ? r->body.len / 2 : r->body.len;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, r->body.data, MHD_RESPMEM_MUST_COPY);
    char text[24];

    if (response == NULL || !half)
        return response;
    (void)snprintf(text, sizeof(text), "%zu", r->body.len);
    (void)MHD_set_response_options(response, MHD_RF_INSANITY_HEADER_CONTENT_LENGTH, MHD_RO_END);
    add_header(response, MHD_HTTP_HEADER_CONTENT_LENGTH, text);
    add_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    return response;
}

static enum MHD_Result send_reply(struct request *rq, struct pauses *pauses)
{
    struct reply *r = &rq->reply;
    struct MHD_Response *response;

    if (r->fd >= 0 && r->end == REPLY_HALF)
        r->cut = r->length / 2;
    response = r->fd >= 0 ? download_new(r, rq->conn, pauses) : body_new(r);
    if (response == NULL)
        return MHD_NO;
    add_headers(response, r);
    enum MHD_Result result = MHD_queue_response(rq->conn, r->status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result deliver(struct request *rq, struct pauses *pauses)
{
    switch (rq->reply.end) {
    case REPLY_CLOSE: return MHD_NO; /* the library closes the connection */
    case REPLY_RESET: wire_reset(rq->conn); return MHD_NO;
    case REPLY_SILENT:
        if (wire_is_closed(rq->conn))
            return MHD_NO;
        return pauses_add(pauses, rq->conn, clock_mono_ms() + SILENCE_MS) ? MHD_YES : MHD_NO;
    case REPLY_WHOLE:
    case REPLY_HALF: break;
    }
    return send_reply(rq, pauses);
}
