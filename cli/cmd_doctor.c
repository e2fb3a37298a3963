#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/core/json_put.h"
#include "cli/core/limits_print.h"
#include "cli/doctor.h"
#include "cli/verb.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/provider/profile.h"

#define OUTPUT_MAX (1u << 20)

/* Settings that are wrong have been told before we come here; its profiles are all read here. */
static bool check_config(struct checkup *c, const struct options *o)
{
    struct provider_profile_box box = {0};
    struct err err = {0};

    if (!provider_profile_load(provider_profile_names()[0], &o->providers, &box, &err)) {
        checkup_fail(c, "config", EXIT_CODE_USAGE, "correct the file", "%s", err.msg);
        return false;
    }
    provider_profile_release(&box);
    if (o->config != NULL)
        checkup_ok(c, "config", "%s", o->config);
    else if (access("sheaf.yaml", F_OK) == 0)
        checkup_ok(c, "config", "sheaf.yaml in this folder");
    else
        checkup_ok(c, "config", "no file; flags, environment and defaults");
    return true;
}

/* With a file that is wrong, what is built in is looked at all the same. */
static bool find_profile(struct checkup *c, const struct options *o, bool readable,
                         struct provider_profile_box *box)
{
    struct err err = {0};

    if (provider_profile_load(o->provider, readable ? &o->providers : NULL, box, &err))
        return true;
    if (readable)
        checkup_fail(c, "provider", EXIT_CODE_USAGE, "give another --provider", "%s", err.msg);
    else
        checkup_warn(c, "provider", "correct the file first",
                     "%.100s is not built in: not looked at", o->provider);
    return false;
}

/* A profile of the user's own has no built-in one. */
static struct limits_view view_limits(const struct provider_profile *profile,
                                      const struct provider_profile *built_in,
                                      const struct provider_limits *now)
{
    return (struct limits_view){
        .profile = profile->name,
        .now = now,
        .profile_limits = built_in != NULL ? &built_in->limits : NULL,
    };
}

static void print(const struct checkup *c, const struct limits_view *limits, bool json)
{
    struct buf text = BUF_INIT(OUTPUT_MAX);

    if (json) {
        checkup_print_json(c, &text);
        text.len -= strlen("}\n"); /* the limits are its last member */
        json_put_raw(&text, ",\"limits\":");
        if (limits != NULL)
            limits_print_json(limits, &text);
        else
            json_put_raw(&text, "null");
        json_put_raw(&text, "}\n");
    } else {
        checkup_print(c, &text);
        if (limits != NULL)
            limits_print_text(limits, &text);
    }
    (void)fwrite(text.data, 1, text.len, stdout);
    buf_release(&text);
}

static void check_redis(struct checkup *c, const struct options *o)
{
    if (o->redis != NULL)
        doctor_redis(c, o->redis);
    else
        doctor_redis_server(c);
}

static int run(struct invocation *call)
{
    const struct options *o = &call->options;
    struct checkup *c = xcalloc(1, sizeof(*c));
    struct provider_profile_box box = {0};

    if (options_origin(o, "log-level") == SETTING_FROM_DEFAULT && !o->verbose)
        log_setup("sheaf", LOG_LV_ERROR, (enum log_format)o->log_format); /* it is in the lines */
    bool known = find_profile(c, o, check_config(c, o), &box);
    if (known)
        doctor_provider(c, o, &box.profile);
    check_redis(c, o);
    doctor_host(c, o);
    struct provider_limits now;
    struct limits_view limits = {0};
    if (known) {
        now = provider_limits_at(&box.profile, o->base_url);
        limits = view_limits(&box.profile, provider_profile_find(o->provider), &now);
    }
    print(c, known ? &limits : NULL, o->json);
    provider_profile_release(&box);
    enum exit_code code = checkup_code(c);
    free(c);
    return (int)code;
}

const struct verb cmd_doctor = {
    .name = "doctor",
    .usage = "[--provider P] [--base-url URL] [--redis URL]",
    .summary = "look whether everything is there that a job needs",
    .does = "Looks at the configuration, the key, the account, the provider, clocks, Redis, disk\n"
            "space and limits, and says what to do about what is wrong. Nothing is sent that costs "
            "money, nothing is\n"
            "changed, and the key is never shown. Without --redis it looks for the redis-server\n"
            "that `run` starts.",
    .exits = "0 nothing failed (warnings do not count), else that of the first failure: 2\n"
             "configuration, 4 key, 8 provider, 9 Redis or disk",
    .example = "sheaf doctor --provider openai",
    .groups = OPT_COMMON | OPT_CHECK | OPT_READ,
    .run = run,
};
