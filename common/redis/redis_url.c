#include "common/redis/redis_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_PORT = 6379, MAX_DB = 1000000 };

/* A piece of the text that is being parsed. */
struct span {
    const char *at;
    size_t len;
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte that "%XY" at @at stands for; -1 when it is none. */
static int escaped_byte(const char *at, size_t len)
{
    int high = len >= 3 ? hex_digit(at[1]) : -1;
    int low = len >= 3 ? hex_digit(at[2]) : -1;

    return high >= 0 && low >= 0 ? high * 16 + low : -1;
}

/* Copy without %-escapes; false when it does not fit or holds a NUL or a broken escape. */
static bool unescape(struct span s, char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        int c = (unsigned char)s.at[i];

        if (c == '%') {
            c = escaped_byte(s.at + i, s.len - i);
            i += 2;
        }
        if (c <= 0 || n + 1 >= size)
            return false;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return true;
}

static bool copy(struct span s, char *out, size_t size)
{
    if (s.len >= size)
        return false;
    memcpy(out, s.at, s.len);
    out[s.len] = '\0';
    return true;
}

/* Digits only, at least one, at most @most. */
static bool number(struct span s, unsigned most, unsigned *value)
{
    unsigned n = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
        n = n * 10 + (unsigned)(s.at[i] - '0');
        if (n > most)
            return false;
    }
    *value = n;
    return true;
}

/* "[user]:password" or "password", without the '@'. */
static bool parse_credentials(struct span s, struct redis_url *url, struct err *err)
{
    const char *colon = memchr(s.at, ':', s.len);
    struct span user = {s.at, colon != NULL ? (size_t)(colon - s.at) : 0};
    struct span password = s;

    if (colon != NULL)
        password = (struct span){colon + 1, s.len - user.len - 1};
    if (!unescape(user, url->user, sizeof(url->user)) ||
        !unescape(password, url->password, sizeof(url->password)))
        return err_set(err, ERR_USAGE,
                       "redis URL: user or password is too long or has a broken %%-escape");
    if (url->user[0] != '\0' && url->password[0] == '\0')
        return err_set(err, ERR_USAGE, "redis URL: a user without a password");
    return true;
}

/* "host", "host:port", "[v6]" or "[v6]:port". */
static bool parse_address(struct span s, struct redis_url *url, struct err *err)
{
    struct span host = s;
    struct span rest = {s.at + s.len, 0};
    unsigned port = DEFAULT_PORT;

    if (s.len != 0 && s.at[0] == '[') {
        const char *end = memchr(s.at, ']', s.len);
        if (end == NULL)
            return err_set(err, ERR_USAGE, "redis URL: '[' without ']'");
        host = (struct span){s.at + 1, (size_t)(end - s.at) - 1};
        rest = (struct span){end + 1, s.len - host.len - 2};
    } else {
        const char *colon = memchr(s.at, ':', s.len);
        if (colon != NULL) {
            host.len = (size_t)(colon - s.at);
            rest = (struct span){colon, s.len - host.len};
        }
    }
    if (host.len == 0)
        return err_set(err, ERR_USAGE, "redis URL: no host");
    if (!copy(host, url->host, sizeof(url->host)))
        return err_set(err, ERR_USAGE, "redis URL: host name too long");
    if (rest.len != 0 &&
        (rest.at[0] != ':' || !number((struct span){rest.at + 1, rest.len - 1}, 65535, &port) ||
         port == 0))
        return err_set(err, ERR_USAGE, "redis URL: the port is not a number from 1 to 65535");
    url->port = (uint16_t)port;
    return true;
}

/* What follows "redis://" or "rediss://". */
static bool parse_network(const char *text, struct redis_url *url, struct err *err)
{
    const char *slash = strchr(text, '/');
    const char *at = strrchr(text, '@');
    struct span address = {text, strlen(text)};

    /* A password may hold a bare '/', as base64 does: the last '@' decides. */
    if (at != NULL) {
        if (!parse_credentials((struct span){text, (size_t)(at - text)}, url, err))
            return false;
        address = (struct span){at + 1, strlen(at + 1)};
        slash = strchr(at + 1, '/');
    }
    if (slash != NULL) {
        struct span db = {slash + 1, strlen(slash + 1)};
        address.len = (size_t)(slash - address.at);
        if (db.len != 0 && !number(db, MAX_DB, &url->db))
            return err_set(err, ERR_USAGE, "redis URL: the database is not a number");
    }
    return parse_address(address, url, err);
}

/* What follows "unix:". */
static bool parse_unix(const char *text, struct redis_url *url, struct err *err)
{
    const char *query = strchr(text, '?');
    struct span path = {text, query != NULL ? (size_t)(query - text) : strlen(text)};

    if (path.len >= 2 && path.at[0] == '/' && path.at[1] == '/')
        path = (struct span){path.at + 2, path.len - 2};
    if (path.len == 0 || path.at[0] != '/')
        return err_set(err, ERR_USAGE, "redis URL: unix: needs an absolute path");
    if (!copy(path, url->path, sizeof(url->path)))
        return err_set(err, ERR_USAGE, "redis URL: the socket's path is over %zu bytes",
                       sizeof(url->path) - 1);
    if (query != NULL && (strncmp(query, "?db=", 4) != 0 ||
                          !number((struct span){query + 4, strlen(query + 4)}, MAX_DB, &url->db)))
        return err_set(err, ERR_USAGE, "redis URL: only ?db=NUMBER may follow the path");
    return true;
}

bool redis_url_parse(const char *text, struct redis_url *url, struct err *err)
{
    struct redis_url parsed = {0};
    bool ok = false;

    if (strncmp(text, "redis://", 8) == 0) {
        parsed.transport = REDIS_TCP;
        ok = parse_network(text + 8, &parsed, err);
    } else if (strncmp(text, "rediss://", 9) == 0) {
        parsed.transport = REDIS_TLS;
        ok = parse_network(text + 9, &parsed, err);
    } else if (strncmp(text, "unix:", 5) == 0) {
        parsed.transport = REDIS_UNIX;
        ok = parse_unix(text + 5, &parsed, err);
    } else {
        ok = err_set(err, ERR_USAGE, "redis URL: does not begin with redis://, rediss:// or unix:");
    }
    if (ok)
        *url = parsed;
    return ok;
}

void redis_url_print(const struct redis_url *url, char *out, size_t size)
{
    const char *scheme = url->transport == REDIS_TLS ? "rediss" : "redis";
    bool v6 = strchr(url->host, ':') != NULL;

    if (url->transport == REDIS_UNIX) {
        if (url->db != 0)
            (void)snprintf(out, size, "unix://%s?db=%u", url->path, url->db);
        else
            (void)snprintf(out, size, "unix://%s", url->path);
        return;
    }
    (void)snprintf(out, size, "%s://%s%s%s:%u/%u", scheme, v6 ? "[" : "", url->host, v6 ? "]" : "",
                   (unsigned)url->port, url->db);
}
