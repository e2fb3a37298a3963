#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/core/nearest.h"
#include "cli/doctor.h"
#include "cli/verb.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/provider/profile.h"

#define OUTPUT_MAX (1u << 20)

/* What is wrong with it has been said before we come here. */
static void check_config(struct checkup *c, const struct options *o)
{
    if (o->config != NULL)
        checkup_ok(c, "config", "%s", o->config);
    else if (access("sheaf.yaml", F_OK) == 0)
        checkup_ok(c, "config", "sheaf.yaml in this folder");
    else
        checkup_ok(c, "config", "no file; flags, environment and defaults");
}

static void check_provider(struct checkup *c, const struct options *o)
{
    const struct provider_profile *profile = provider_profile_find(o->provider);

    if (profile != NULL) {
        doctor_provider(c, o, profile);
        return;
    }
    const char *near = nearest_name(o->provider, provider_profile_names());
    checkup_fail(c, "provider", EXIT_CODE_USAGE, "give another --provider",
                 "there is no profile \"%.200s\"%s%s%s", o->provider,
                 near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                 near != NULL ? "?" : "");
}

static int run(struct invocation *call)
{
    const struct options *o = &call->options;
    struct checkup *c = xcalloc(1, sizeof(*c));
    struct buf text = BUF_INIT(OUTPUT_MAX);

    if (options_origin(o, "log-level") == SETTING_FROM_DEFAULT && !o->verbose)
        log_setup("sheaf", LOG_LV_ERROR, (enum log_format)o->log_format); /* it is in the lines */
    check_config(c, o);
    check_provider(c, o);
    if (o->redis != NULL)
        doctor_redis(c, o->redis);
    else
        doctor_redis_server(c);
    doctor_host(c, o);
    if (o->json)
        checkup_print_json(c, &text);
    else
        checkup_print(c, &text);
    (void)fwrite(text.data, 1, text.len, stdout);
    buf_release(&text);
    enum exit_code code = checkup_code(c);
    free(c);
    return (int)code;
}

const struct verb cmd_doctor = {
    .name = "doctor",
    .usage = "[--provider P] [--base-url URL] [--redis URL]",
    .summary = "look whether everything is there that a job needs",
    .does = "Looks at the configuration, the key, the provider, Redis, disk space and limits, and\n"
            "says what to do about what is wrong. Nothing is sent that costs money, nothing is\n"
            "changed, and the key is never shown. Without --redis it looks for the redis-server\n"
            "that `run` starts.",
    .exits = "0 nothing failed (warnings do not count), else that of the first failure: 2\n"
             "configuration, 4 key, 8 provider, 9 Redis or disk",
    .example = "sheaf doctor --provider openai",
    .groups = OPT_COMMON | OPT_CHECK | OPT_READ,
    .run = run,
};
