#include "common/net/http_client.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/loop/loop.h"
#include "common/net/http_exchange.h"

/*
 * libcurl asks us to watch sockets and one timer; libevent watches them; both
 * meet in curl_multi_socket_action(). libcurl allows no changes from inside its
 * callbacks, so starting, cancelling and resuming always wait in @due for the
 * next turn of the loop.
 */
TAILQ_HEAD(exchange_list, http_exchange);

struct http_client {
    struct event_base *base; /* borrowed */
    CURLM *multi;
    struct loop_timer *curl_timer;
    struct loop_timer *due_timer;
    struct exchange_list all, due;
    unsigned depth; /* of our callbacks on the stack */
    bool closed;
};

static void due_add(struct http_exchange *x)
{
    struct http_client *client = x->client;

    if (x->in_due)
        return;
    x->in_due = true;
    TAILQ_INSERT_TAIL(&client->due, x, due_entry);
    loop_timer_set(client->due_timer, 0);
}

static void exchange_drop(struct http_exchange *x)
{
    struct http_client *client = x->client;

    if (x->in_due)
        TAILQ_REMOVE(&client->due, x, due_entry);
    TAILQ_REMOVE(&client->all, x, entry);
    if (x->added)
        (void)curl_multi_remove_handle(client->multi, x->easy);
    http_exchange_free(x);
}

static void client_release(struct http_client *client)
{
    struct http_exchange *x = NULL;

    while ((x = TAILQ_FIRST(&client->all)) != NULL)
        exchange_drop(x);
    (void)curl_multi_cleanup(client->multi); /* stops watching the sockets it kept */
    loop_timer_free(client->curl_timer);
    loop_timer_free(client->due_timer);
    free(client);
    curl_global_cleanup();
}

static void client_enter(struct http_client *client)
{
    client->depth++;
}

/* @client may be gone afterwards. */
static void client_leave(struct http_client *client)
{
    if (--client->depth == 0 && client->closed)
        client_release(client);
}

/* Call back for what has ended. No libcurl call is on the stack here. */
static void reap(struct http_client *client)
{
    CURLMsg *message = NULL;
    int left = 0;

    while (!client->closed && (message = curl_multi_info_read(client->multi, &left)) != NULL) {
        CURLcode code = message->data.result; /* the message dies with the easy handle */
        char *private_data = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private_data);
        struct http_exchange *x = (struct http_exchange *)(void *)private_data;
        http_exchange_end(x, code);
        if (!client->closed)
            exchange_drop(x);
    }
}

static void act(struct http_client *client, curl_socket_t fd, int what)
{
    int running = 0;

    client_enter(client);
    CURLMcode code = curl_multi_socket_action(client->multi, fd, what, &running);
    if (code != CURLM_OK)
        log_fatal("curl_multi_socket_action: %s", curl_multi_strerror(code));
    reap(client);
    client_leave(client);
}

static void on_curl_timer(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket_ready(evutil_socket_t fd, short what, void *arg)
{
    act(arg, fd,
        ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
            ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static int watch_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct http_client *client = arg;

    (void)multi;
    if (timeout_ms < 0)
        loop_timer_stop(client->curl_timer);
    else
        loop_timer_set(client->curl_timer, timeout_ms);
    return 0;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *per_socket)
{
    struct http_client *client = arg;
    struct event *event = per_socket;
    int flags = EV_PERSIST | ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
                ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0);

    (void)easy;
    if (event != NULL)
        event_free(event);
    event = NULL;
    if (what != CURL_POLL_REMOVE) {
        event = event_new(client->base, fd, (short)flags, on_socket_ready, client);
        if (event == NULL || event_add(event, NULL) != 0)
            log_fatal("cannot watch socket %d", (int)fd);
    }
    (void)curl_multi_assign(client->multi, fd, event);
    return 0;
}

static void due_one(struct http_client *client, struct http_exchange *x)
{
    if (x->over) {
        exchange_drop(x);
    } else if (!x->added) {
        CURLMcode code = curl_multi_add_handle(client->multi, x->easy);
        if (code != CURLM_OK)
            log_fatal("curl_multi_add_handle: %s", curl_multi_strerror(code));
        x->added = true;
    } else if (x->resume) {
        x->resume = false;
        CURLcode code = curl_easy_pause(x->easy, CURLPAUSE_CONT); /* may run on_body */
        if (code == CURLE_OK)
            return;
        /* on_body wants no more, and libcurl leaves the ending to us here */
        http_exchange_end(x, code);
        if (!client->closed)
            exchange_drop(x);
    }
}

static void on_due(void *arg)
{
    struct http_client *client = arg;
    struct http_exchange *x = NULL;
    struct http_exchange *last = TAILQ_LAST(&client->due, exchange_list);

    client_enter(client);
    /* Not beyond the last of now: a consumer that pauses again must not keep us here. */
    while (!client->closed && (x = TAILQ_FIRST(&client->due)) != NULL) {
        bool enough = x == last;

        TAILQ_REMOVE(&client->due, x, due_entry);
        x->in_due = false;
        due_one(client, x);
        if (enough)
            break;
    }
    if (!client->closed)
        reap(client);
    client_leave(client);
}

struct http_client *http_client_new(struct event_base *base)
{
    struct http_client *client = xcalloc(1, sizeof(*client));

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) /* libcurl counts these calls */
        log_fatal("curl_global_init");
    client->base = base;
    TAILQ_INIT(&client->all);
    TAILQ_INIT(&client->due);
    client->curl_timer = loop_timer_new(base, on_curl_timer, client);
    client->due_timer = loop_timer_new(base, on_due, client);
    client->multi = curl_multi_init();
    if (client->multi == NULL)
        log_fatal("curl_multi_init: out of memory");
    (void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    (void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    (void)curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, watch_timer);
    (void)curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    return client;
}

void http_client_free(struct http_client *client)
{
    struct http_exchange *x = NULL;

    if (client == NULL || client->closed)
        return;
    client->closed = true;
    TAILQ_FOREACH (x, &client->all, entry) {
        x->over = true;
    }
    if (client->depth == 0)
        client_release(client);
}

struct http_exchange *http_start(struct http_client *client, const struct http_request *request,
                                 struct err *err)
{
    struct http_exchange *x = http_exchange_new(request, err);

    if (x == NULL)
        return NULL;
    x->client = client;
    TAILQ_INSERT_TAIL(&client->all, x, entry);
    due_add(x);
    return x;
}

void http_resume(struct http_exchange *exchange)
{
    if (exchange->over)
        return;
    exchange->resume = true;
    due_add(exchange);
}

void http_cancel(struct http_exchange *exchange)
{
    if (exchange == NULL || exchange->over)
        return;
    exchange->over = true;
    due_add(exchange);
}
