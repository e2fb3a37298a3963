#include "common/redis/redis_link.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/redis/redis_codec.h"
#include "common/redis/redis_tls.h"

enum { MAX_REPLY_BYTES = 64 * 1024 * 1024, READ_BYTES = 256 * 1024 };

struct redis_dialer {
    struct event_base *base; /* borrowed */
    struct redis_url url;
    struct redis_tls *tls;  /* TLS only */
    struct evdns_base *dns; /* made when first needed */
    bool dns_failed;        /* read /etc/resolv.conf again: we may have moved */
    unsigned dials;
};

struct redis_link {
    struct redis_dialer *dialer;
    const struct redis_link_events *events;
    void *arg;
    struct bufferevent *bev;
    struct redis_codec *codec;
    unsigned depth; /* of our callbacks on the stack */
    bool closed;
    bool dialing;    /* inside the connect call, where libevent tells some failures already */
    char early[256]; /* such a failure; "": none */
};

struct redis_dialer *redis_dialer_new(struct event_base *base, const struct redis_url *url)
{
    struct redis_dialer *dialer = xcalloc(1, sizeof(*dialer));

    dialer->base = base;
    dialer->url = *url;
    if (url->transport == REDIS_TLS)
        dialer->tls = redis_tls_new();
    return dialer;
}

/* Lookups are failed, not forgotten: a bufferevent lives on until its lookup is over. */
static void dns_free(struct redis_dialer *dialer)
{
    if (dialer->dns != NULL)
        evdns_base_free(dialer->dns, 1);
    dialer->dns = NULL;
}

void redis_dialer_free(struct redis_dialer *dialer)
{
    if (dialer == NULL)
        return;
    dns_free(dialer);
    redis_tls_free(dialer->tls);
    free(dialer);
}

static void link_free(struct redis_link *link)
{
    bufferevent_free(link->bev);
    redis_codec_free(link->codec);
    free(link);
}

static void link_enter(struct redis_link *link)
{
    link->depth++;
}

/* The link may be gone afterwards. */
static void link_leave(struct redis_link *link)
{
    if (--link->depth == 0 && link->closed)
        link_free(link);
}

void redis_link_close(struct redis_link *link)
{
    if (link == NULL)
        return;
    link->closed = true;
    bufferevent_setcb(link->bev, NULL, NULL, NULL, NULL);
    bufferevent_disable(link->bev, EV_READ | EV_WRITE);
    if (link->depth == 0)
        link_free(link);
}

static void link_lost(struct redis_link *link, const char *reason)
{
    char place[512];
    struct err err = {0};

    redis_url_print(&link->dialer->url, place, sizeof(place));
    err_set(&err, ERR_TEMPORARY, "%s: %s", place, reason);
    link->events->lost(&err, link->arg);
}

/* Give the codec all there is, without a copy of our own. */
static bool link_feed(struct redis_link *link, struct err *err)
{
    struct evbuffer *input = bufferevent_get_input(link->bev);
    size_t len = 0;

    while ((len = evbuffer_get_contiguous_space(input)) != 0) {
        if (!redis_codec_feed(link->codec, evbuffer_pullup(input, (ev_ssize_t)len), len, err))
            return false;
        (void)evbuffer_drain(input, len);
    }
    return true;
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct redis_link *link = arg;
    struct redis_reply *reply = NULL;
    struct err err = {0};
    bool ok = false;

    (void)bev;
    link_enter(link);
    ok = link_feed(link, &err);
    while (ok && !link->closed) {
        ok = redis_codec_next(link->codec, &reply, &err);
        if (!ok || reply == NULL)
            break;
        link->events->reply(reply, link->arg);
        redis_reply_free(reply);
    }
    if (!ok && !link->closed)
        link_lost(link, err.msg);
    link_leave(link);
}

/* Notice a dead peer while nothing is being asked, and send small commands at once. */
static void tune(struct redis_link *link)
{
    static const int on = 1;
    int fd = bufferevent_getfd(link->bev);

    if (link->dialer->url.transport == REDIS_UNIX || fd < 0)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static void describe_loss(struct redis_link *link, short what, char *out, size_t size)
{
    int dns = bufferevent_socket_get_dns_error(link->bev);
    int cause = errno;

    out[0] = '\0';
    if (dns != 0) {
        link->dialer->dns_failed = true;
        (void)snprintf(out, size, "%s", evutil_gai_strerror(dns));
    } else if (link->dialer->tls != NULL) {
        redis_tls_reason(link->bev, out, size);
    }
    if (out[0] == '\0' && (what & BEV_EVENT_EOF) != 0)
        (void)snprintf(out, size, "the server closed the connection");
    if (out[0] == '\0')
        (void)snprintf(out, size, "%s", cause != 0 ? strerrordesc_np(cause) : "connection lost");
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct redis_link *link = arg;
    char reason[256];

    (void)bev;
    if (link->dialing) {
        if ((what & BEV_EVENT_CONNECTED) == 0)
            describe_loss(link, what, link->early, sizeof(link->early));
        return;
    }
    link_enter(link);
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        tune(link);
        link->events->connected(link->arg);
    } else if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) {
        describe_loss(link, what, reason, sizeof(reason));
        link_lost(link, reason);
    }
    link_leave(link);
}

static void refresh_dns(struct redis_dialer *dialer)
{
    if (dialer->dns_failed)
        dns_free(dialer);
    dialer->dns_failed = false;
    if (dialer->dns == NULL)
        dialer->dns = evdns_base_new(dialer->base, EVDNS_BASE_INITIALIZE_NAMESERVERS |
                                                       EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (dialer->dns == NULL) /* no resolv.conf: addresses and /etc/hosts still work */
        dialer->dns = evdns_base_new(dialer->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (dialer->dns == NULL)
        log_fatal("evdns_base_new");
}

static bool connect_unix(struct redis_link *link)
{
    const struct redis_url *url = &link->dialer->url;
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memcpy(address.sun_path, url->path, strlen(url->path));
    return bufferevent_socket_connect(link->bev, (struct sockaddr *)&address,
                                      (int)sizeof(address)) == 0;
}

/*
 * libevent takes only the first address of a name. Every other try asks for
 * IPv4 alone, so that a name whose IPv6 address leads nowhere is reached too.
 */
static bool connect_network(struct redis_link *link)
{
    struct redis_dialer *dialer = link->dialer;
    int family = dialer->dials++ % 2 == 0 ? AF_UNSPEC : AF_INET;

    if (strchr(dialer->url.host, ':') != NULL)
        family = AF_UNSPEC;
    refresh_dns(dialer);
    return bufferevent_socket_connect_hostname(link->bev, dialer->dns, family, dialer->url.host,
                                               dialer->url.port) == 0;
}

static struct bufferevent *socket_new(struct redis_dialer *dialer, struct err *err)
{
    struct bufferevent *bev = NULL;

    if (dialer->tls != NULL)
        return redis_tls_socket(dialer->tls, dialer->base, dialer->url.host, err);
    bev = bufferevent_socket_new(dialer->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (bev == NULL)
        log_fatal("bufferevent_socket_new");
    return bev;
}

/* What failed at once, if anything did, is in link->early. */
static void connect_start(struct redis_link *link)
{
    bool ok = false;

    link->dialing = true;
    errno = 0;
    ok = link->dialer->url.transport == REDIS_UNIX ? connect_unix(link) : connect_network(link);
    if (!ok && link->early[0] == '\0')
        (void)snprintf(link->early, sizeof(link->early), "%s",
                       errno != 0 ? strerrordesc_np(errno) : "cannot connect");
    link->dialing = false;
}

struct redis_link *redis_dial(struct redis_dialer *dialer, const struct redis_link_events *events,
                              void *arg, struct err *err)
{
    struct bufferevent *bev = socket_new(dialer, err);
    struct redis_link *link = NULL;

    if (bev == NULL)
        return NULL;
    link = xcalloc(1, sizeof(*link));
    link->dialer = dialer;
    link->events = events;
    link->arg = arg;
    link->bev = bev;
    link->codec = redis_codec_new(MAX_REPLY_BYTES);
    bufferevent_setcb(bev, on_read, NULL, on_event, link);
    (void)bufferevent_set_max_single_read(bev, READ_BYTES);
    (void)bufferevent_enable(bev, EV_READ | EV_WRITE);

    connect_start(link);
    if (link->early[0] != '\0') {
        char place[512];

        redis_url_print(&dialer->url, place, sizeof(place));
        err_set(err, ERR_TEMPORARY, "%s: %s", place, link->early);
        link_free(link);
        return NULL;
    }
    return link;
}

static void release_sent(const void *bytes, size_t len, void *arg)
{
    (void)bytes;
    (void)len;
    redis_codec_release(arg);
}

void redis_link_send(struct redis_link *link, char *bytes, size_t len)
{
    struct evbuffer *output = bufferevent_get_output(link->bev);

    if (evbuffer_add_reference(output, bytes, len, release_sent, bytes) != 0)
        log_fatal("evbuffer_add_reference: out of memory");
}
