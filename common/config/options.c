#include "common/config/options.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "common/config/config.h"

#define YEAR_MS  INT64_C(31536000000)
#define MAKE_JOB (OPT_RUN | OPT_SUBMIT | OPT_PRODUCER)
#define SEND     (MAKE_JOB | OPT_DAEMON)

static const char *const payloads[] = {"ref", "inline", NULL};
static const char *const progresses[] = {"auto", "tty", "plain", "json", "none", NULL};
static const char *const log_formats[] = {"text", "json", NULL}; /* enum log_format */
static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL}; /* log_level */

const struct setting_group options_groups[] = {
    {OPT_COMMON,   "all"           },
    {OPT_RUN,      "run"           },
    {OPT_SUBMIT,   "submit"        },
    {OPT_PRODUCER, "producer"      },
    {OPT_DAEMON,   "daemons"       },
    {OPT_READ,     "reading verbs" },
    {OPT_WAIT,     "wait, watch"   },
    {OPT_OUTPUT,   "results"       },
    {OPT_CHANGE,   "changing verbs"},
    {OPT_CHECK,    "plan, doctor"  },
    {OPT_PLAN,     "plan"          },
    {OPT_REPORT,   "report"        },
    {OPT_CANCEL,   "cancel"        },
    {OPT_RESUBMIT, "resubmit"      },
    {0,            NULL            },
};

#define AT(field) .offset = offsetof(struct options, field)

/* clang-format off */
const struct setting options_rows[] = {
    /* the job and its files */
    {.name = "output", .short_name = 'o', .type = SETTING_STRING, AT(output),
     .value_name = "FILE", .groups = OPT_RUN | OPT_OUTPUT, .refuses = SETTING_ONLY_FLAG,
     .help = "Write the results to FILE, its companions beside it."},
    {.name = "job", .type = SETTING_STRING, AT(job),
     .value_name = "NAME", .groups = MAKE_JOB, .refuses = SETTING_ONLY_FLAG,
     .help = "Name of the job; without it the input's base name."},
    {.name = "note", .type = SETTING_STRING, AT(note),
     .value_name = "TEXT", .groups = MAKE_JOB, .refuses = SETTING_ONLY_FLAG,
     .help = "A remark that is kept with the job."},
    {.name = "payload", .type = SETTING_CHOICE, AT(payload), .choices = payloads,
     .groups = MAKE_JOB,
     .help = "Read the requests from the input again when they are sent (ref, as run does), or "
             "carry them through Redis (inline, as submit does)."},
    {.name = "sink", .type = SETTING_STRING, AT(sink),
     .value_name = "dir:PATH", .groups = OPT_SUBMIT | OPT_PRODUCER | OPT_CHECK,
     .help = "Where the job's results are kept until they are merged."},
    {.name = "wait", .type = SETTING_FLAG, AT(wait),
     .groups = OPT_SUBMIT | OPT_PRODUCER, .refuses = SETTING_ONLY_FLAG,
     .help = "Stay until the job has ended."},

    {.name = "recipe", .type = SETTING_STRING, AT(recipe),
     .value_name = "FILE", .groups = OPT_RUN | OPT_SUBMIT | OPT_PLAN, .refuses = SETTING_ONLY_FLAG,
     .help = "INPUT has rows, not requests: FILE says what is asked about each."},
    {.name = "input-format", .type = SETTING_STRING, AT(input_format),
     .value_name = "F", .groups = OPT_RUN | OPT_SUBMIT | OPT_PLAN, .refuses = SETTING_ONLY_FLAG,
     .help = "What INPUT's rows are: jsonl, json, csv, tsv or texts; without it by its name."},
    {.name = "encoding", .type = SETTING_STRING, AT(encoding),
     .value_name = "NAME", .groups = OPT_RUN | OPT_SUBMIT | OPT_PLAN, .refuses = SETTING_ONLY_FLAG,
     .help = "Encoding of INPUT's rows, such as gb18030; without it UTF-8."},
    {.name = "max-cost", .type = SETTING_STRING, AT(max_cost),
     .value_name = "MONEY", .groups = MAKE_JOB | OPT_PLAN,
     .help = "Most money that the job may cost, such as 20CNY or $5. Nothing is sent that could "
             "pass it; at the cap the job waits, and the same command with more goes on."},
    {.name = "warn-at", .type = SETTING_STRING, AT(warn_at),
     .value_name = "P,P", .groups = OPT_RUN,
     .help = "Say so when these shares of --max-cost are spent, such as 50%,80%."},
    {.name = "sample", .type = SETTING_INT, AT(sample), .min = 1, .max = 1000,
     .value_name = "N", .groups = OPT_RUN, .refuses = SETTING_ONLY_FLAG,
     .help = "Try the recipe on N rows (the shortest, the longest, others at random), show the "
             "answers beside them, and change nothing else."},
    {.name = "html", .type = SETTING_STRING, AT(html),
     .value_name = "FILE", .groups = OPT_REPORT, .refuses = SETTING_ONLY_FLAG,
     .help = "Write the report as a page that opens without a network."},

    {.name = "code", .type = SETTING_STRING, AT(code),
     .value_name = "C,C", .groups = OPT_RESUBMIT, .refuses = SETTING_ONLY_FLAG,
     .joins = true,
     .help = "Only rows that failed for one of these causes, as failures names them: a code, a "
             "status, or both."},
    {.name = "shard", .type = SETTING_STRING, AT(shard),
     .value_name = "N,N-N", .groups = OPT_RESUBMIT, .refuses = SETTING_ONLY_FLAG,
     .joins = true,
     .help = "Only rows of these windows of the input, counted from 0."},
    {.name = "plan", .type = SETTING_FLAG, AT(plan),
     .groups = OPT_RESUBMIT, .refuses = SETTING_ONLY_FLAG,
     .help = "Only say what would be sent again and what it would cost."},

    /* the provider */
    {.name = "provider", .type = SETTING_STRING, AT(provider), .preset = "openai",
     .value_name = "PROFILE", .groups = SEND | OPT_CHECK,
     .help = "Profile of the provider: openai, zhipu, azure, dashscope, groq, doubleword, or one "
             "that the configuration file defines."},
    {.name = "base-url", .type = SETTING_STRING, AT(base_url),
     .value_name = "URL", .groups = SEND | OPT_CHECK,
     .help = "Address of another server that speaks the profile's API."},
    {.name = "api-key-file", .type = SETTING_STRING, AT(api_key_file),
     .value_name = "FILE", .groups = SEND | OPT_CHECK | OPT_CANCEL | OPT_RESUBMIT,
     .help = "Read the API key from FILE."},
    {.name = "account", .type = SETTING_STRING, AT(account),
     .value_name = "NAME", .groups = SEND | OPT_CHECK | OPT_CANCEL | OPT_RESUBMIT,
     .help = "Whose account the key is of: any name, or the 12 digits that a message gave. Keys of "
             "one account that are given the same name serve the same batches; without it each key "
             "is an account."},
    {.name = "model", .type = SETTING_STRING, AT(model),
     .value_name = "M", .groups = MAKE_JOB | OPT_CHECK,
     .help = "Model for requests whose body names none."},

    /* limits */
    {.name = "max-requests", .type = SETTING_INT, AT(max_requests), .min = 1, .max = 1000000000,
     .value_name = "N", .groups = SEND | OPT_CHECK,
     .help = "Most requests in one batch file; without it the provider's limit."},
    {.name = "max-bytes", .type = SETTING_SIZE, AT(max_bytes), .min = 1,
     .value_name = "SIZE", .groups = SEND | OPT_CHECK,
     .help = "Most bytes in one batch file; without it the provider's limit."},
    {.name = "max-batches", .type = SETTING_INT, AT(max_batches), .min = 1, .max = 1000000,
     .value_name = "N", .groups = SEND,
     .help = "Most batches of the job that are alive at once; without it the provider's limit."},
    {.name = "max-attempts", .type = SETTING_INT, AT(max_attempts), .preset = "3", .min = 1,
     .max = 100, .value_name = "N", .groups = SEND,
     .help = "Failed tries that cost money before a request is given up."},
    {.name = "max-inflight-shards", .type = SETTING_INT, AT(max_inflight_shards),
     .preset = "20000", .min = 1, .max = 1000000000, .value_name = "N", .groups = MAKE_JOB,
     .help = "Most shards in Redis at once; the producer waits at this number."},
    {.name = "max-inflight-bytes", .type = SETTING_SIZE, AT(max_inflight_bytes),
     .preset = "256MiB", .min = 1, .value_name = "SIZE", .groups = MAKE_JOB,
     .help = "Most Redis memory that inline payloads take; the producer waits at this size."},

    /* times */
    {.name = "poll-interval", .type = SETTING_DURATION, AT(poll_interval_ms), .preset = "60s",
     .min = 10, .max = YEAR_MS, .value_name = "D", .groups = SEND | OPT_CANCEL | OPT_RESUBMIT,
     .help = "Longest time between two looks at a running batch."},
    {.name = "lease", .type = SETTING_DURATION, AT(lease_ms), .preset = "15s", .min = 1000,
     .max = YEAR_MS, .value_name = "D", .groups = SEND | OPT_CANCEL | OPT_RESUBMIT,
     .help = "How long a process may be silent before another takes over its work."},
    {.name = "settle", .type = SETTING_DURATION, AT(settle_ms), .preset = "30s",
     .max = YEAR_MS, .value_name = "D", .groups = SEND | OPT_CANCEL | OPT_RESUBMIT,
     .help = "How long a batch must stay absent from the provider's list before an unanswered "
             "creation counts as not done."},
    {.name = "linger", .type = SETTING_DURATION, AT(linger_ms), .preset = "2s",
     .max = YEAR_MS, .value_name = "D", .groups = SEND,
     .help = "How long a part-filled batch waits for more rows while the input is still being "
             "read."},
    {.name = "give-up", .type = SETTING_DURATION, AT(give_up_ms), .preset = "10m",
     .max = YEAR_MS, .value_name = "D", .groups = SEND | OPT_CANCEL | OPT_RESUBMIT,
     .help = "How long to go on without a provider or Redis; the job can be continued later."},
    {.name = "reap-after", .type = SETTING_DURATION, AT(reap_after_ms), .preset = "10m", .min = 100,
     .max = YEAR_MS, .value_name = "D", .groups = OPT_RUN | OPT_DAEMON,
     .help = "How long a file or batch at the provider that belongs to a job but to no batch record "
             "is left alone before it is removed; a look for such is taken each six times D."},
    {.name = "timeout", .type = SETTING_DURATION, AT(timeout_ms), .min = 1,
     .max = YEAR_MS, .value_name = "D", .groups = OPT_WAIT, .refuses = SETTING_ONLY_FLAG,
     .help = "Stop waiting after this time with exit code 7; the job goes on."},

    /* this host */
    {.name = "workers", .type = SETTING_INT, AT(workers), .preset = "2", .max = 64,
     .value_name = "N", .groups = OPT_RUN,
     .help = "Number of worker processes."},
    {.name = "coordinators", .type = SETTING_INT, AT(coordinators), .preset = "1", .max = 64,
     .value_name = "N", .groups = OPT_RUN,
     .help = "Number of coordinator processes."},
    {.name = "redis", .type = SETTING_STRING, AT(redis),
     .value_name = "URL", .groups = OPT_COMMON,
     .help = "Use the Redis at URL."},
    {.name = "state-dir", .type = SETTING_STRING, AT(state_dir),
     .value_name = "DIR", .groups = OPT_COMMON,
     .help = "Use the private Redis and the jobs in DIR; for run, OUTPUT.sheaf/ without it."},
    {.name = "config", .type = SETTING_STRING, AT(config),
     .value_name = "FILE", .groups = OPT_COMMON, .refuses = SETTING_NOT_IN_FILE,
     .help = "Read settings from FILE; without it from sheaf.yaml in the current folder, if there "
             "is one."},

    /* talking */
    {.name = "progress", .type = SETTING_CHOICE, AT(progress), .preset = "auto",
     .choices = progresses,
     .groups = OPT_RUN | OPT_SUBMIT | OPT_PRODUCER | OPT_WAIT | OPT_OUTPUT | OPT_CANCEL |
               OPT_RESUBMIT,
     .help = "How progress is shown on stderr; auto is tty on a terminal, else plain."},
    {.name = "json", .type = SETTING_FLAG, AT(json),
     .groups = OPT_READ | OPT_RESUBMIT, .refuses = SETTING_ONLY_FLAG,
     .help = "Print JSON for programs."},
    {.name = "yes", .short_name = 'y', .type = SETTING_FLAG, AT(yes),
     .groups = OPT_RUN | OPT_OUTPUT | OPT_CHANGE, .refuses = SETTING_ONLY_FLAG,
     .help = "Answer yes to every question, such as whether to replace a file."},
    {.name = "log-format", .type = SETTING_CHOICE, AT(log_format), .preset = "text",
     .choices = log_formats, .groups = OPT_COMMON,
     .help = "Form of log lines: logfmt text, or one JSON object a line."},
    {.name = "log-level", .type = SETTING_CHOICE, AT(log_level), .preset = "info",
     .choices = log_levels, .groups = OPT_COMMON,
     .help = "Least severe log lines that are written."},
    {.name = "quiet", .short_name = 'q', .type = SETTING_FLAG, AT(quiet),
     .groups = OPT_COMMON, .refuses = SETTING_ONLY_FLAG,
     .help = "Say nothing but errors."},
    {.name = "verbose", .short_name = 'v', .type = SETTING_FLAG, AT(verbose),
     .groups = OPT_COMMON, .refuses = SETTING_ONLY_FLAG,
     .help = "Log at level debug."},
    {.name = "help", .short_name = 'h', .type = SETTING_FLAG, AT(help),
     .groups = OPT_COMMON, .refuses = SETTING_ONLY_FLAG,
     .help = "Show this help."},
};
/* clang-format on */

const size_t options_count = ARRAY_LEN(options_rows);

static_assert(ARRAY_LEN(options_rows) <= OPTIONS_MAX, "raise OPTIONS_MAX");

static struct settings view(struct options *o, unsigned groups, const char *program)
{
    return (struct settings){
        .program = program,
        .rows = options_rows,
        .count = options_count,
        .groups = groups,
        .target = o,
        .origins = o->origins,
    };
}

static bool read_config(const struct settings *s, struct options *o, struct err *err)
{
    static const char usual[] = "sheaf.yaml";
    const struct config_branch branches[] = {
        {"providers", &o->providers},
        {"prices",    &o->prices   },
        {"batch",     &o->batch    },
        {"paths",     &o->paths    },
        {NULL,        NULL         },
    };

    if (o->config != NULL)
        return config_read_file(s, o->config, branches, err);
    if (access(usual, F_OK) != 0)
        return true;
    return config_read_file(s, usual, branches, err);
}

/* One spelling of an address: who serves a job is a hash of it. */
static void drop_trailing_slashes(char *url)
{
    size_t len = url == NULL ? 0 : strlen(url);

    while (len > 0 && url[len - 1] == '/')
        url[--len] = '\0';
}

bool options_load(struct options *out, unsigned groups, const char *program, int argc,
                  char *const *argv, struct settings_args *args, struct err *err)
{
    struct settings s = view(out, groups, program);

    *out = (struct options){0};
    *args = (struct settings_args){0};
    settings_defaults(&s);
    if (!settings_from_argv(&s, argc, argv, args, err))
        goto failed;
    if (out->help)
        return true;
    if (settings_from_env(&s, err) && read_config(&s, out, err)) {
        drop_trailing_slashes(out->base_url);
        return true;
    }
    settings_args_release(args);

failed:
    options_release(out);
    return false;
}

void options_release(struct options *o)
{
    struct settings s = view(o, 0, "");

    settings_release(&s);
    tree_release(&o->providers);
    tree_release(&o->prices);
    tree_release(&o->batch);
    tree_release(&o->paths);
}

enum setting_origin options_origin(const struct options *o, const char *name)
{
    struct options copy = *o; /* looked at only; the view wants to be able to write */
    struct settings s = view(&copy, 0, "");

    return settings_origin(&s, name);
}

bool options_set(struct options *o, const char *name, const char *text, struct err *err)
{
    struct settings s = view(o, ~0U, "");
    char where[SETTING_NAME_MAX + 2];

    (void)snprintf(where, sizeof(where), "--%s", name);
    return settings_set(&s, settings_find(&s, name), text, SETTING_FROM_FLAG, where, err);
}

enum log_level options_log_level(const struct options *o)
{
    if (options_origin(o, "log-level") == SETTING_FROM_FLAG)
        return (enum log_level)o->log_level;
    if (o->verbose)
        return LOG_LV_DEBUG;
    return o->quiet ? LOG_LV_ERROR : (enum log_level)o->log_level;
}

void options_print_help(FILE *out, unsigned groups)
{
    struct options none = {0};
    struct settings s = view(&none, groups, "");

    settings_print_help(out, &s);
}

void options_print_markdown(FILE *out)
{
    struct options none = {0};
    struct settings s = view(&none, ~0U, "");

    (void)fputs(
        "# Settings\n"
        "\n"
        "<!-- Written by build/.../settings_doc > docs/settings.md from common/config/options.c. "
        "-->\n"
        "\n"
        "All programs read the same settings: a flag wins over an environment variable, that over\n"
        "the configuration file, that over the default. The file is the one that `--config` or\n"
        "`SHEAF_CONFIG` names, else `sheaf.yaml` in the current folder: one flat YAML or JSON\n"
        "mapping, such as `poll_interval: 30s`. A key or flag that is not known is an error.\n"
        "Beside the settings the file may have `providers:`, which changes and adds profiles:\n"
        "[providers.md](providers.md#in-the-configuration-file), and `prices:`, which changes and\n"
        "adds prices of models: [cost.md](cost.md#in-the-configuration-file).\n"
        "\n"
        "A flag without a value can be taken back with `--no-`, such as `--no-wait`.\n"
        "Durations have a unit: `200ms`, `5s`, `10m`, `1h30m`, `7d`. Sizes are bytes, or have "
        "one:\n"
        "`1MB` is 1,000,000 bytes, `1MiB` is 1,048,576.\n"
        "\n"
        "The API key is never a flag and never in the file. It is read from `--api-key-file`, "
        "else\n"
        "from `SHEAF_API_KEY`, else from the provider's own variable such as `OPENAI_API_KEY` or\n"
        "`ZHIPU_API_KEY`, else from the file that `OPENAI_API_KEY_FILE` and the like name, else "
        "from\n"
        "systemd's credential `sheaf_api_key`.\n"
        "\n",
        out);
    settings_print_markdown(out, &s, options_groups);
}
