#include "common/redis/redis_tls.h"

#include <arpa/inet.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/xmem.h"

struct redis_tls {
    SSL_CTX *ctx;
};

struct redis_tls *redis_tls_new(void)
{
    struct redis_tls *tls = xcalloc(1, sizeof(*tls));

    tls->ctx = SSL_CTX_new(TLS_client_method());
    if (tls->ctx == NULL || SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION) != 1)
        log_fatal("SSL_CTX_new");
    /* Without authorities every server is refused, which is what the user then reads. */
    (void)SSL_CTX_set_default_verify_paths(tls->ctx);
    SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
    return tls;
}

void redis_tls_free(struct redis_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->ctx);
    free(tls);
}

/* A name goes into SNI (RFC 6066 allows no addresses there) and is checked; an address is checked.
 */
static bool expect_host(SSL *ssl, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    char name[256]; /* what OpenSSL copies need not be writable, but its macro says so */

    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    (void)snprintf(name, sizeof(name), "%s", host);
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

struct bufferevent *redis_tls_socket(struct redis_tls *tls, struct event_base *base,
                                     const char *host, struct err *err)
{
    SSL *ssl = SSL_new(tls->ctx);
    struct bufferevent *bev = NULL;

    if (ssl == NULL)
        log_fatal("SSL_new");
    if (!expect_host(ssl, host)) {
        SSL_free(ssl);
        err_set(err, ERR_PERMANENT, "%s cannot be the name in a certificate", host);
        return NULL;
    }
    bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_CONNECTING,
                                         BEV_OPT_CLOSE_ON_FREE);
    if (bev == NULL)
        log_fatal("bufferevent_openssl_socket_new");
    return bev;
}

void redis_tls_reason(struct bufferevent *bev, char *out, size_t size)
{
    SSL *ssl = bufferevent_openssl_get_ssl(bev);
    unsigned long code = bufferevent_get_openssl_error(bev);
    long verdict = ssl != NULL ? SSL_get_verify_result(ssl) : X509_V_OK;
    const char *text = code != 0 ? ERR_reason_error_string(code) : NULL;

    if (verdict != X509_V_OK)
        (void)snprintf(out, size, "TLS: %s", X509_verify_cert_error_string(verdict));
    else if (code != 0)
        (void)snprintf(out, size, "TLS: %s", text != NULL ? text : "handshake failed");
    else
        out[0] = '\0';
}
