/*
 * sheaf-producer: cuts one input into shards and registers them. Ends when all
 * of it is registered; run again it resumes. Two at once help each other.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/id.h"
#include "common/base/log.h"
#include "common/config/options.h"
#include "common/loop/loop.h"
#include "common/model/price_table.h"
#include "common/provider/profile.h"
#include "common/redis/redis_conn.h"
#include "common/redis/redis_url.h"
#include "common/sink/sink.h"
#include "producer/fingerprint.h"
#include "producer/registration.h"

#define GROUPS             (OPT_COMMON | OPT_PRODUCER)
#define COMMAND_TIMEOUT_MS 10000

struct producer {
    struct options options;
    struct price_table prices;
    struct event_base *base;
    struct redis_conn *redis;
    struct protocol *protocol;
    struct registration *registration;
    struct loop_signals *signals;
    struct err err; /* how the registration ended */
    int signal;     /* 0: none came */
};

static bool copy_text(char *out, size_t size, const char *text, const char *what, struct err *err)
{
    if (text == NULL)
        text = "";
    if (strlen(text) >= size)
        return err_set(err, ERR_USAGE, "--%s is longer than %zu bytes", what, size - 1);
    (void)snprintf(out, size, "%s", text);
    return true;
}

/* A path that means the same on every host that sees the file. */
static bool absolute_source(const char *input, char *out, size_t size, struct err *err)
{
    struct stat st;
    char *real = realpath(input, NULL);

    if (real == NULL)
        return err_set(err, ERR_INPUT, "%s: %s", input, strerror(errno));
    bool ok = stat(real, &st) == 0 && S_ISREG(st.st_mode);
    if (!ok)
        err_set(err, ERR_INPUT, "%s: is not a regular file", input);
    else
        ok = copy_text(out, size, real, "INPUT", err);
    free(real);
    return ok;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool set_payload(struct job_spec *spec, const struct options *o, const char *input,
                        struct err *err)
{
    spec->inline_payload = o->payload != PAYLOAD_REF;
    if (spec->inline_payload)
        return true;
    if (strcmp(input, "-") == 0 || ends_with(input, ".gz") || ends_with(input, ".zst"))
        return err_set(err, ERR_USAGE,
                       "--payload ref needs a plain file, not %s; use --payload inline", input);
    return absolute_source(input, spec->source, sizeof(spec->source), err);
}

static bool set_provider(struct job_spec *spec, const struct options *o, struct err *err)
{
    struct provider_profile_box box;

    if (!provider_profile_load(o->provider, &o->providers, &box, err))
        return false;
    const char *base_url = o->base_url != NULL ? o->base_url : box.profile.base_url;
    bool ok =
        provider_check_base_url(&box.profile, o->base_url, err) &&
        copy_text(spec->provider, sizeof(spec->provider), box.profile.name, "provider", err) &&
        copy_text(spec->base_url, sizeof(spec->base_url), base_url, "base-url", err);
    if (ok) {
        provider_site_id(&box.profile, o->base_url, spec->site);
        spec->max_line_bytes = box.profile.limits.max_line_bytes;
    }
    provider_profile_release(&box);
    return ok;
}

static bool make_spec(struct job_spec *spec, const struct options *o, const char *input,
                      struct err *err)
{
    if (o->job == NULL || !job_name_is_valid(o->job))
        return err_set(err, ERR_USAGE, "--job NAME is needed: 1 to %d bytes, none of \"/:|\"",
                       JOB_NAME_MAX);
    if (o->sink == NULL)
        return err_set(err, ERR_USAGE, "--sink dir:PATH is needed");
    if (!sink_check_url(o->sink, err))
        return false;
    *spec = (struct job_spec){.chunk_bytes = JOB_CHUNK_BYTES,
                              .max_attempts = (uint32_t)o->max_attempts};
    id_random(spec->ji, JOB_JI_LEN);
    job_spec_set_cut(spec, (uint64_t)o->max_requests, o->max_bytes);
    return copy_text(spec->job, sizeof(spec->job), o->job, "job", err) &&
           copy_text(spec->sink, sizeof(spec->sink), o->sink, "sink", err) &&
           set_provider(spec, o, err) &&
           copy_text(spec->model, sizeof(spec->model), o->model, "model", err) &&
           copy_text(spec->note, sizeof(spec->note), o->note, "note", err) &&
           set_payload(spec, o, input, err) &&
           fingerprint_of(input, spec->model, spec->fingerprint, err);
}

static void on_registered(const struct err *err, void *arg)
{
    struct producer *p = arg;

    if (err != NULL)
        p->err = *err;
    event_base_loopbreak(p->base);
}

static void on_signal(int signo, void *arg)
{
    struct producer *p = arg;

    p->signal = signo;
    event_base_loopbreak(p->base);
}

static bool start(struct producer *p, const char *input, struct err *err)
{
    const struct options *o = &p->options;
    struct redis_url url;
    struct registration_plan plan = {
        .input = input,
        .give_up_ms = o->give_up_ms,
        .tunables = {.max_inflight_shards = (uint64_t)o->max_inflight_shards,
                     .max_inflight_bytes = o->max_inflight_bytes,
                     .max_requests = (uint64_t)o->max_requests,
                     .max_bytes = o->max_bytes,
                     .max_batches = (uint64_t)o->max_batches,
                     .poll_ms = (uint64_t)o->poll_interval_ms,
                     .max_attempts = (uint32_t)o->max_attempts},
    };

    if (o->redis == NULL)
        return err_set(err, ERR_USAGE, "--redis URL is needed");
    if (!redis_url_parse(o->redis, &url, err) || !make_spec(&plan.spec, o, input, err) ||
        !price_table_load(&o->prices, &p->prices, err) ||
        !quotes_init(&plan.quotes, &p->prices, plan.spec.provider, o->max_cost, err))
        return false;
    plan.tunables.max_cost_nano = plan.quotes.cap;
    memcpy(plan.tunables.currency, plan.quotes.currency, sizeof(plan.tunables.currency));
    p->base = loop_new();
    p->redis = redis_conn_new(p->base, &url, COMMAND_TIMEOUT_MS);
    p->protocol = protocol_new(p->redis, "0");
    p->signals = loop_signals_new(p->base, on_signal, p);
    p->registration = registration_new(p->base, p->protocol, &plan, on_registered, p);
    return true;
}

static void stop(struct producer *p)
{
    registration_free(p->registration);
    protocol_free(p->protocol);
    price_table_release(&p->prices);
    redis_conn_free(p->redis);
    loop_signals_free(p->signals);
    loop_free(p->base);
}

static int run(struct producer *p, const char *input)
{
    struct err err = {0};

    if (start(p, input, &err)) {
        event_base_dispatch(p->base);
        err = p->err;
    }
    stop(p);
    if (p->signal != 0)
        return 128 + p->signal;
    if (err.kind == ERR_NONE)
        return 0;
    log_info("ev=failed kind=%s reason=%s", err_kind_name(err.kind), log_text(err.msg));
    (void)fprintf(stderr, "sheaf-producer: %s\n", err.msg);
    return err_exit_code(err.kind);
}

static void print_help(void)
{
    printf("Usage: sheaf-producer INPUT --job NAME --redis URL --sink dir:PATH [--flags]\n\n"
           "Cuts INPUT into shards and registers them in Redis. Run again, it resumes.\n\n");
    options_print_help(stdout, GROUPS);
}

int main(int argc, char **argv)
{
    struct producer p = {0};
    struct settings_args args = {0};
    struct err err = {0};
    int code = 2;

    if (!options_load(&p.options, GROUPS, "sheaf-producer", argc, argv, &args, &err)) {
        (void)fprintf(stderr, "sheaf-producer: %s\n", err.msg);
    } else if (p.options.help) {
        print_help();
        code = 0;
    } else if (args.count != 1) {
        (void)fprintf(stderr, "sheaf-producer: give one INPUT\n");
    } else {
        log_setup("sheaf-producer", options_log_level(&p.options),
                  (enum log_format)p.options.log_format);
        code = run(&p, args.items[0]);
    }
    settings_args_release(&args);
    options_release(&p.options);
    return code;
}
