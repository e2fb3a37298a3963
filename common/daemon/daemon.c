#include "common/daemon/daemon.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/loop/loop.h"
#include "common/net/http_client.h"
#include "common/redis/redis_conn.h"
#include "common/redis/redis_url.h"

#define COMMAND_TIMEOUT_MS 10000
#define CALL_TIMEOUT_MS    30000
#define STOP_US            200000L

#define HOUR_MS       INT64_C(3600000)
#define MINUTE_MS     INT64_C(60000)
#define CREATES_BURST 20
#define UPLOADS_BURST 20
#define POLLS_BURST   20
#define UNLIMITED_MS  1  /* a turn each millisecond: only holds are felt */
#define SPARE_IN      10 /* one in so many of the creates of an hour is left for others */
#define HEADER_MAX_MS (15 * MINUTE_MS) /* longer waits are for refusals to impose */

static void on_signal(int signo, void *arg)
{
    static const struct timeval moment = {.tv_usec = STOP_US};
    struct daemon *d = arg;

    log_info("ev=stopping signal=%d", signo);
    if (d->stop == NULL) {
        event_base_loopbreak(d->base);
        return;
    }
    d->stop(d->stop_arg);
    d->stop = NULL;
    event_base_loopexit(d->base, &moment);
}

static void on_redis_state(bool up, const struct err *reason, void *arg)
{
    (void)arg;
    if (up)
        log_info("ev=redis state=up");
    else
        log_warn("ev=redis state=down reason=%s", log_text(reason->msg));
}

static void on_rollback(int64_t seen, int64_t now, void *arg)
{
    (void)arg;
    log_warn("ev=redis_rolled_back tick_seen=%lld tick_now=%lld", (long long)seen, (long long)now);
}

static bool open_provider(struct daemon *d, struct err *err)
{
    char *key = NULL;

    if (!provider_profile_load(d->options.provider, &d->options.providers, &d->profile_box, err))
        return false;
    d->profile = &d->profile_box.profile;
    if (!options_api_key(&d->options, d->profile->key_names, &key, err))
        return false;
    d->limits = provider_limits_at(d->profile, d->options.base_url);
    d->http = http_client_new(d->base);
    d->provider =
        provider_new(d->http, d->profile, d->options.base_url, key, d->options.account, err);
    explicit_bzero(key, strlen(key));
    free(key);
    return d->provider != NULL;
}

/* What a rate allows: how many in which time, and at once. */
struct pace {
    uint64_t limit; /* 0: not published */
    int64_t window_ms;
    uint32_t burst;
};

static struct pace pace_of(const struct daemon *d, enum protocol_rate rate)
{
    const struct provider_limits *l = &d->limits;

    switch (rate) {
    case PROTOCOL_RATE_UPLOADS: return (struct pace){l->uploads_per_min, MINUTE_MS, UPLOADS_BURST};
    case PROTOCOL_RATE_CREATES:
        return (struct pace){l->creates_per_hour - l->creates_per_hour / SPARE_IN, HOUR_MS,
                             CREATES_BURST};
    case PROTOCOL_RATE_POLLS: return (struct pace){l->polls_per_min, MINUTE_MS, POLLS_BURST};
    }
    return (struct pace){0};
}

static int64_t interval_of(struct pace *pace)
{
    if (pace->burst > pace->limit)
        pace->burst = pace->limit == 0 ? 1 : (uint32_t)pace->limit;
    return pace->limit == 0 ? 0
                            : protocol_rate_interval_ms(pace->limit, pace->window_ms, pace->burst);
}

struct protocol_call *daemon_take_turn(struct daemon *d, enum protocol_rate rate,
                                       protocol_rate_fn done, void *arg)
{
    struct pace pace = pace_of(d, rate);
    int64_t interval_ms = interval_of(&pace);

    return protocol_rate_take(d->protocol, rate, interval_ms > 0 ? interval_ms : UNLIMITED_MS,
                              pace.burst, done, arg);
}

void daemon_slow_down(struct daemon *d, enum protocol_rate rate, int64_t ms)
{
    if (ms <= 0)
        return;
    log_info("ev=slow_down calls=%s ms=%lld", protocol_rate_name(rate), (long long)ms);
    (void)protocol_rate_hold(d->protocol, rate, ms, NULL, NULL);
}

/* It still answers, but will not the next time. Tokens are not what these calls use. */
static void on_rate(const struct provider_rate *rate, void *arg)
{
    int64_t ms = rate->reset_ms < HEADER_MAX_MS ? rate->reset_ms : HEADER_MAX_MS;

    if (strcmp(rate->what, "requests") != 0)
        return;
    switch ((int)rate->operation) {
    case PROVIDER_OP_UPLOAD: daemon_slow_down(arg, PROTOCOL_RATE_UPLOADS, ms); return;
    case PROVIDER_OP_CREATE: daemon_slow_down(arg, PROTOCOL_RATE_CREATES, ms); return;
    case PROVIDER_OP_GET: daemon_slow_down(arg, PROTOCOL_RATE_POLLS, ms); return;
    default: return;
    }
}

static bool open_redis(struct daemon *d, struct err *err)
{
    struct redis_url url;

    if (d->options.redis == NULL)
        return err_set(err, ERR_USAGE, "--redis URL is needed");
    if (!redis_url_parse(d->options.redis, &url, err))
        return false;
    d->redis = redis_conn_new(d->base, &url, COMMAND_TIMEOUT_MS);
    redis_conn_on_state(d->redis, on_redis_state, d);
    d->protocol = protocol_new(d->redis, "0");
    protocol_set_account(d->protocol, provider_account(d->provider));
    protocol_set_timeout_ms(d->protocol, CALL_TIMEOUT_MS);
    protocol_on_rollback(d->protocol, on_rollback, d);
    struct pace polls = pace_of(d, PROTOCOL_RATE_POLLS);
    protocol_pace_polls(d->protocol, interval_of(&polls), polls.burst);
    provider_on_rate(d->provider, on_rate, d);
    return true;
}

static void print_help(const char *name, const char *purpose)
{
    printf("Usage: %s [--flags]\n\n%s\n\n", name, purpose);
    options_print_help(stdout, OPT_COMMON | OPT_DAEMON);
}

bool daemon_open(struct daemon *d, const char *name, const char *purpose, int argc,
                 char *const *argv, int *exit_code)
{
    struct settings_args args = {0};
    struct err err = {0};

    *d = (struct daemon){.name = name};
    if (!options_load(&d->options, OPT_COMMON | OPT_DAEMON, name, argc, argv, &args, &err))
        goto failed;
    if (d->options.help) {
        print_help(name, purpose);
        *exit_code = 0;
        goto out;
    }
    log_setup(name, options_log_level(&d->options), (enum log_format)d->options.log_format);
    if (args.count > 0) {
        err_set(&err, ERR_USAGE, "%s takes no arguments, only --flags", name);
        goto failed;
    }
    d->base = loop_new();
    if (!open_provider(d, &err) || !open_redis(d, &err))
        goto failed;
    d->signals = loop_signals_new(d->base, on_signal, d);
    settings_args_release(&args);
    log_info("ev=started site=%s provider=%s version=%s", daemon_site(d), d->profile->name,
             SHEAF_VERSION);
    return true;

failed:
    (void)fprintf(stderr, "%s: %s\n", name, err.msg);
    *exit_code = err_exit_code(err.kind);
out:
    settings_args_release(&args);
    daemon_close(d);
    return false;
}

void daemon_close(struct daemon *d)
{
    provider_free(d->provider);
    http_client_free(d->http);
    protocol_free(d->protocol);
    redis_conn_free(d->redis);
    loop_signals_free(d->signals);
    loop_free(d->base);
    provider_profile_release(&d->profile_box);
    options_release(&d->options);
    *d = (struct daemon){0};
}

void daemon_run(struct daemon *d, void (*stop)(void *arg), void *arg)
{
    d->stop = stop;
    d->stop_arg = arg;
    event_base_dispatch(d->base);
}

void daemon_pause(struct daemon *d)
{
    d->pause_until_ms = clock_mono_ms() + 2 * d->options.lease_ms;
}

int64_t daemon_paused_ms(const struct daemon *d)
{
    int64_t left = d->pause_until_ms - clock_mono_ms();

    return left > 0 ? left : 0;
}

const char *daemon_site(const struct daemon *d)
{
    return provider_site(d->provider);
}

static enum site_state state_shown_by(const struct provider_error *error)
{
    if (error == NULL)
        return SITE_OK;
    switch ((int)error->class) {
    case PROVIDER_AUTH: return SITE_AUTH;
    case PROVIDER_NOT_SENT:
    case PROVIDER_AMBIGUOUS: return SITE_DOWN;
    default: return SITE_OK;
    }
}

void daemon_note_provider(struct daemon *d, const struct provider_error *error)
{
    enum site_state state = state_shown_by(error);

    bool changed = !d->site_told || state != d->site_state;

    if (!changed && state == SITE_OK)
        return; /* the bad states are repeated: another process may have cleared them */
    if (changed)
        log_info("ev=provider state=%s", state == SITE_OK     ? "ok"
                                         : state == SITE_AUTH ? "auth"
                                                              : "down");
    d->site_told = true;
    d->site_state = state;
    (void)protocol_site_note(d->protocol, daemon_site(d), state,
                             error != NULL ? error->message : "", NULL, NULL);
}
