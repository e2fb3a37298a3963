#include "simulator/options.h"

#include <getopt.h>
#include <string.h>

#include "common/base/err.h"
#include "simulator/dialect.h"
#include "simulator/quantity.h"

#define DAY_MS INT64_C(86400000)

enum option_id {
    OPT_PORT = 1,
    OPT_HOST,
    OPT_PROFILE,
    OPT_DELAY,
    OPT_VALIDATE_DELAY,
    OPT_LIST_VALUE,
    OPT_WINDOW,
    OPT_CANCEL_DELAY,
    OPT_FILE_DELAY,
    OPT_FILE_TTL,
    OPT_KEY,
    OPT_SEED,
    OPT_FAULT,
    OPT_LEDGER,
    OPT_DIR,
    OPT_MAX_REQUESTS,
    OPT_MAX_BYTES,
    OPT_ENQUEUED_TOKENS,
    OPT_MAX_LIVE,
    OPT_ENQUEUED_REQUESTS,
    OPT_CREATES_PER_HOUR,
    OPT_UPLOADS_PER_MIN,
    OPT_POLLS_PER_MIN,
    OPT_MAX_FILES,
    OPT_MAX_STORAGE,
    OPT_FAIL_FAST,
    OPT_RATE_HEADERS,
    OPT_CONTENT_PORT,
    OPT_ANSWERS,
    OPT_HELP = 'h',
};

static const struct option long_options[] = {
    {"port",              required_argument, NULL, OPT_PORT             },
    {"host",              required_argument, NULL, OPT_HOST             },
    {"profile",           required_argument, NULL, OPT_PROFILE          },
    {"delay",             required_argument, NULL, OPT_DELAY            },
    {"validate-delay",    required_argument, NULL, OPT_VALIDATE_DELAY   },
    {"list-value",        no_argument,       NULL, OPT_LIST_VALUE       },
    {"window",            required_argument, NULL, OPT_WINDOW           },
    {"cancel-delay",      required_argument, NULL, OPT_CANCEL_DELAY     },
    {"file-delay",        required_argument, NULL, OPT_FILE_DELAY       },
    {"file-ttl",          required_argument, NULL, OPT_FILE_TTL         },
    {"key",               required_argument, NULL, OPT_KEY              },
    {"seed",              required_argument, NULL, OPT_SEED             },
    {"fault",             required_argument, NULL, OPT_FAULT            },
    {"ledger",            required_argument, NULL, OPT_LEDGER           },
    {"dir",               required_argument, NULL, OPT_DIR              },
    {"max-requests",      required_argument, NULL, OPT_MAX_REQUESTS     },
    {"max-bytes",         required_argument, NULL, OPT_MAX_BYTES        },
    {"enqueued-tokens",   required_argument, NULL, OPT_ENQUEUED_TOKENS  },
    {"max-live",          required_argument, NULL, OPT_MAX_LIVE         },
    {"enqueued-requests", required_argument, NULL, OPT_ENQUEUED_REQUESTS},
    {"creates-per-hour",  required_argument, NULL, OPT_CREATES_PER_HOUR },
    {"uploads-per-min",   required_argument, NULL, OPT_UPLOADS_PER_MIN  },
    {"polls-per-min",     required_argument, NULL, OPT_POLLS_PER_MIN    },
    {"max-files",         required_argument, NULL, OPT_MAX_FILES        },
    {"max-storage",       required_argument, NULL, OPT_MAX_STORAGE      },
    {"fail-fast",         no_argument,       NULL, OPT_FAIL_FAST        },
    {"rate-headers",      no_argument,       NULL, OPT_RATE_HEADERS     },
    {"content-port",      required_argument, NULL, OPT_CONTENT_PORT     },
    {"answers",           required_argument, NULL, OPT_ANSWERS          },
    {"help",              no_argument,       NULL, OPT_HELP             },
    {NULL,                0,                 NULL, 0                    }
};

const char *options_help(void)
{
    return "Usage: sheaf-simulator [OPTION]...\n"
           "A Batch API for rehearsals and tests. Its answers are made up.\n\n"
           "  --port N              listen on this port; 0 (default) chooses one. The first line\n"
           "                        on stdout is \"PORT n\"\n"
           "  --host ADDRESS        listen on this address (127.0.0.1)\n"
           "  --profile NAME        openai (default), zhipu, azure, dashscope, groq or\n"
           "                        doubleword\n"
           "  --delay D             time from the creation of a batch to its end (0)\n"
           "  --validate-delay D    time from its creation to the check of its input (0)\n"
           "  --window D            how long a completion window of 24h takes (24h)\n"
           "  --cancel-delay D      time from the wish to cancel a batch to its end (0)\n"
           "  --file-delay D        time until a new file is processed (0)\n"
           "  --file-ttl D          files expire after this time at the latest (no limit)\n"
           "  --list-value          azure: listings of batches have \"value\" instead of \"data\"\n"
           "  --key K               accept only this API key; else any key is accepted\n"
           "  --seed N              another seed gives other ids, orders and choices (0)\n"
           "  --answers FILE        answer by the rules in this file (docs/simulator.md)\n"
           "  --fault NAME[=ARG]    let something go wrong; may be repeated (docs/simulator.md)\n"
           "  --ledger FILE         write the ledger's totals there each second and at the end\n"
           "  --dir DIR             keep files and batches there, so that they survive a restart\n"
           "  --max-requests N      request lines in a file (the provider's own limit)\n"
           "  --max-bytes SIZE      bytes of a file (the provider's own limit)\n"
           "  --enqueued-tokens N   prompt tokens of live batches per model (no limit)\n"
           "  --enqueued-requests N requests of live batches per model (no limit)\n"
           "  --fail-fast           refuse at create what is over one of these two\n"
           "  --max-live N          live batches (no limit)\n"
           "  --creates-per-hour N  batches created in any 60 minutes (no limit)\n"
           "  --uploads-per-min N   uploads in any 60 seconds (no limit)\n"
           "  --polls-per-min N     GET /batches/{id} in any 60 seconds (no limit)\n"
           "  --max-files N         uploaded files that are stored (no limit)\n"
           "  --max-storage SIZE    bytes of all stored files (no limit)\n"
           "  --rate-headers        answers have x-ratelimit-* headers\n"
           "  --content-port N      a second port that downloads can be redirected to; the\n"
           "                        second line on stdout is \"CONTENT n\"\n"
           "  -h, --help            print this\n\n"
           "Durations: 200ms 5s 2m. Sizes: 1024 100kB 200MB 1GiB.\n";
}

static bool parse_profile(const char *arg, const struct dialect **out)
{
    *out = dialect_find(arg);
    return *out != NULL;
}

static bool parse_port(const char *arg, uint16_t *out)
{
    uint64_t port;

    if (!quantity_count(arg, &port) || port > UINT16_MAX)
        return false;
    *out = (uint16_t)port;
    return true;
}

/* A value of @id other than a fault; false when it cannot be used. */
static bool set_value(struct options *o, enum option_id id, const char *arg)
{
    switch (id) {
    case OPT_PORT: return parse_port(arg, &o->port);
    case OPT_HOST: o->host = arg; return true;
    case OPT_PROFILE: return parse_profile(arg, &o->dialect);
    case OPT_DELAY: return quantity_duration(arg, &o->delay_ms);
    case OPT_VALIDATE_DELAY: return quantity_duration(arg, &o->validate_delay_ms);
    case OPT_LIST_VALUE: o->list_value = true; return true;
    case OPT_WINDOW: return quantity_duration(arg, &o->window_ms) && o->window_ms >= 24;
    case OPT_CANCEL_DELAY: return quantity_duration(arg, &o->cancel_delay_ms);
    case OPT_FILE_DELAY: return quantity_duration(arg, &o->file_delay_ms);
    case OPT_FILE_TTL: return quantity_duration(arg, &o->file_ttl_ms);
    case OPT_KEY: o->key = arg; return arg[0] != '\0';
    case OPT_SEED: return quantity_count(arg, &o->faults.seed);
    case OPT_LEDGER: o->ledger = arg; return arg[0] != '\0';
    case OPT_DIR: o->dir = arg; return arg[0] != '\0';
    case OPT_MAX_REQUESTS: return quantity_count(arg, &o->max_requests) && o->max_requests > 0;
    case OPT_MAX_BYTES: return quantity_size(arg, &o->max_bytes) && o->max_bytes > 0;
    case OPT_ENQUEUED_TOKENS: return quantity_count(arg, &o->enqueued_tokens);
    case OPT_MAX_LIVE: return quantity_count(arg, &o->max_live);
    case OPT_ENQUEUED_REQUESTS: return quantity_count(arg, &o->enqueued_requests);
    case OPT_CREATES_PER_HOUR: return quantity_count(arg, &o->creates_per_hour);
    case OPT_UPLOADS_PER_MIN: return quantity_count(arg, &o->uploads_per_min);
    case OPT_POLLS_PER_MIN: return quantity_count(arg, &o->polls_per_min);
    case OPT_MAX_FILES: return quantity_count(arg, &o->max_files);
    case OPT_MAX_STORAGE: return quantity_size(arg, &o->max_storage);
    case OPT_FAIL_FAST: o->fail_fast = true; return true;
    case OPT_RATE_HEADERS: o->rate_headers = true; return true;
    case OPT_CONTENT_PORT: o->content = true; return parse_port(arg, &o->content_port);
    case OPT_ANSWERS: o->answers = arg; return arg[0] != '\0';
    case OPT_HELP: o->help = true; return true;
    case OPT_FAULT: break;
    }
    return false;
}

static const char *option_name(int id)
{
    for (size_t i = 0; long_options[i].name != NULL; i++) {
        if (long_options[i].val == id)
            return long_options[i].name;
    }
    return "?";
}

static bool set_option(struct options *o, int id, const char *arg, struct err *err)
{
    if (id == OPT_FAULT)
        return faults_arm(&o->faults, arg, err);
    if (!set_value(o, (enum option_id)id, arg))
        return err_set(err, ERR_USAGE, "--%s: cannot use '%s'", option_name(id), arg);
    return true;
}

bool options_parse(struct options *o, int argc, char **argv, struct err *err)
{
    struct options got = {
        .dialect = dialect_find("openai"), .host = "127.0.0.1", .window_ms = DAY_MS};
    int id;

    opterr = 0;
    optind = 0; /* glibc: start anew, so that a process can parse twice */
    while ((id = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
        if (id == ':')
            return err_set(err, ERR_USAGE, "%s needs a value", argv[optind - 1]);
        if (id == '?')
            return err_set(err, ERR_USAGE, "unknown option %s", argv[optind - 1]);
        if (!set_option(&got, id, optarg, err))
            return false;
    }
    if (optind < argc)
        return err_set(err, ERR_USAGE, "unexpected argument '%s'", argv[optind]);
    if (got.max_bytes == 0)
        got.max_bytes = got.dialect->files.max_bytes;
    if (got.max_requests == 0)
        got.max_requests = got.dialect->lines.max_requests;
    *o = got;
    return true;
}
