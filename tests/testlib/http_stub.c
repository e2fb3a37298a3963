#include "tests/testlib/unit.h"

#include "tests/testlib/http_stub.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/xmem.h"

enum { MAX_SEEN = 64, MAX_CONNECTIONS = 64, CHUNK = 65536 };

struct http_stub {
    const struct http_stub_step *steps;
    size_t count, next;
    char url[48];
    int listener;
    int wake[2]; /* a byte here ends the thread */
    pthread_t thread;
    int kept[MAX_CONNECTIONS]; /* all that are open; -1: closed */
    size_t connections;
    pthread_mutex_t lock; /* of what follows */
    struct http_stub_seen seen[MAX_SEEN];
    size_t seen_count;
};

/* One connection while a request is read from it. */
struct stream {
    struct http_stub *stub;
    int fd;
    char data[CHUNK];
    size_t len;
};

uint64_t http_stub_sum(uint64_t sum, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;

    if (sum == 0)
        sum = 14695981039346656037U;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ p[i]) * 1099511628211U;
    return sum;
}

/* True when @fd can be read; false when the stub is to end. */
static bool readable(struct http_stub *stub, int fd)
{
    struct pollfd fds[2] = {
        {.fd = stub->wake[0], .events = POLLIN},
        {.fd = fd,            .events = POLLIN}
    };

    while (poll(fds, 2, -1) < 0)
        if (errno != EINTR)
            return false;
    return fds[0].revents == 0;
}

/* More bytes behind those at hand; false at the end of the stream. */
static bool more(struct stream *s)
{
    if (s->len == sizeof(s->data) - 1 || !readable(s->stub, s->fd))
        return false;

    ssize_t n = read(s->fd, s->data + s->len, sizeof(s->data) - 1 - s->len);
    if (n <= 0)
        return false;
    s->len += (size_t)n;
    s->data[s->len] = '\0';
    return true;
}

static void note_body(struct http_stub_seen *seen, const char *bytes, size_t len)
{
    size_t room = sizeof(seen->body) - 1;
    size_t tail = sizeof(seen->body_end) - 1;

    seen->body_sum = http_stub_sum(seen->body_sum, bytes, len);
    if (seen->body_len < room)
        memcpy(seen->body + seen->body_len, bytes,
               len < room - seen->body_len ? len : room - seen->body_len);
    if (len >= tail) {
        memcpy(seen->body_end, bytes + len - tail, tail);
    } else {
        size_t have = strlen(seen->body_end); /* tests end their bodies with text */
        size_t keep = have + len > tail ? tail - len : have;

        memmove(seen->body_end, seen->body_end + have - keep, keep);
        memcpy(seen->body_end + keep, bytes, len);
        seen->body_end[keep + len] = '\0';
    }
    seen->body_len += len;
}

static size_t content_length(const char *head)
{
    const char *at = strcasestr(head, "\r\ncontent-length:");

    return at != NULL ? (size_t)strtoull(at + 17, NULL, 10) : 0;
}

/* Read one request; false when the connection ended before it was whole. */
static bool read_request(struct stream *s, struct http_stub_seen *seen)
{
    char *end = NULL;

    s->len = 0;
    s->data[0] = '\0';
    while ((end = strstr(s->data, "\r\n\r\n")) == NULL)
        if (!more(s))
            return false;
    size_t head = (size_t)(end - s->data) + 4;
    (void)snprintf(seen->head, sizeof(seen->head), "%.*s", (int)head, s->data);

    size_t left = content_length(seen->head);
    size_t have = s->len - head < left ? s->len - head : left;
    note_body(seen, s->data + head, have);
    for (left -= have; left != 0; left -= have) {
        s->len = 0;
        if (!more(s))
            return false;
        have = s->len < left ? s->len : left;
        note_body(seen, s->data, have);
    }
    return true;
}

static void send_all(int fd, const char *bytes, size_t len)
{
    while (len != 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n <= 0)
            return; /* the client has gone: its test will tell */
        bytes += n;
        len -= (size_t)n;
    }
}

static void answer(int fd, const struct http_stub_step *step)
{
    static const char block[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

    if (step->answer != NULL)
        send_all(fd, step->answer, strlen(step->answer));
    if (step->wait_ms > 0)
        usleep((useconds_t)step->wait_ms * 1000);
    for (size_t left = step->body_repeat; left != 0;) {
        size_t n = left < sizeof(block) - 1 ? left : sizeof(block) - 1;

        send_all(fd, block, n);
        left -= n;
    }
}

static void drop(int *fd, bool reset)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    if (reset)
        (void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(*fd);
    *fd = -1;
}

static void take_step(struct http_stub *stub, size_t connection, struct stream *s)
{
    int *fd = &stub->kept[connection];
    const struct http_stub_step *step = &stub->steps[stub->next];
    struct http_stub_seen seen = {.connection = (unsigned)connection};

    s->stub = stub;
    s->fd = *fd;
    if (!step->unread) {
        if (!read_request(s, &seen)) {
            drop(fd, false);
            return;
        }
        pthread_mutex_lock(&stub->lock);
        if (stub->seen_count < MAX_SEEN)
            stub->seen[stub->seen_count++] = seen;
        pthread_mutex_unlock(&stub->lock);
    }
    stub->next++;
    answer(*fd, step);
    if (step->end == STUB_CLOSE || step->end == STUB_RESET)
        drop(fd, step->end == STUB_RESET);
}

static void take_connection(struct http_stub *stub, struct stream *s)
{
    int fd = accept4(stub->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    if (stub->connections == MAX_CONNECTIONS || stub->next == stub->count) {
        drop(&fd, true);
        return;
    }
    stub->kept[stub->connections++] = fd;
    if (stub->steps[stub->next].unread)
        take_step(stub, stub->connections - 1, s);
}

static void *serve(void *arg)
{
    struct http_stub *stub = arg;
    struct stream *s = xcalloc(1, sizeof(*s));
    struct pollfd fds[MAX_CONNECTIONS + 2];

    for (;;) {
        size_t open = stub->connections;

        fds[0] = (struct pollfd){.fd = stub->wake[0], .events = POLLIN};
        fds[1] = (struct pollfd){.fd = stub->listener, .events = POLLIN};
        for (size_t i = 0; i < open; i++) /* poll() passes over -1 */
            fds[i + 2] = (struct pollfd){.fd = stub->kept[i], .events = POLLIN};
        if (poll(fds, open + 2, -1) < 0)
            continue;
        if (fds[0].revents != 0)
            break;
        for (size_t i = 0; i < open; i++) {
            if (fds[i + 2].revents == 0)
                continue;
            if (stub->next < stub->count && stub->steps[stub->next].unread == false)
                take_step(stub, i, s);
            else
                drop(&stub->kept[i], true);
        }
        if (fds[1].revents != 0)
            take_connection(stub, s);
    }
    free(s);
    return NULL;
}

struct http_stub *http_stub_start(const struct http_stub_step *steps, size_t count)
{
    struct http_stub *stub = xcalloc(1, sizeof(*stub));
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);

    stub->steps = steps;
    stub->count = count;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    stub->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(stub->listener >= 0);
    assert_int_equal(bind(stub->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(stub->listener, 16), 0);
    assert_int_equal(getsockname(stub->listener, (struct sockaddr *)&address, &len), 0);
    (void)snprintf(stub->url, sizeof(stub->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
    assert_int_equal(pipe(stub->wake), 0);
    assert_int_equal(pthread_mutex_init(&stub->lock, NULL), 0);
    assert_int_equal(pthread_create(&stub->thread, NULL, serve, stub), 0);
    return stub;
}

const char *http_stub_url(const struct http_stub *stub)
{
    return stub->url;
}

size_t http_stub_count(struct http_stub *stub)
{
    pthread_mutex_lock(&stub->lock);
    size_t count = stub->seen_count;
    pthread_mutex_unlock(&stub->lock);
    return count;
}

struct http_stub_seen http_stub_seen(struct http_stub *stub, size_t i)
{
    struct http_stub_seen seen = {0};

    pthread_mutex_lock(&stub->lock);
    assert_true(i < stub->seen_count);
    seen = stub->seen[i];
    pthread_mutex_unlock(&stub->lock);
    return seen;
}

void http_stub_stop(struct http_stub *stub)
{
    if (stub == NULL)
        return;
    assert_int_equal(write(stub->wake[1], "", 1), 1);
    assert_int_equal(pthread_join(stub->thread, NULL), 0);
    for (size_t i = 0; i < stub->connections; i++)
        if (stub->kept[i] >= 0)
            close(stub->kept[i]);
    close(stub->listener);
    close(stub->wake[0]);
    close(stub->wake[1]);
    pthread_mutex_destroy(&stub->lock);
    free(stub);
}
