#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/settings.h"
#include "common/base/tree.h"

/*
 * The settings of all Sheaf programs. A program or verb says by group bits
 * which of them it takes: `sheaf results` is OPT_COMMON | OPT_READ | OPT_OUTPUT.
 */

#define OPT_COMMON   0x001u  /* everybody: config, log, help, -q, -v, redis, state-dir */
#define OPT_RUN      0x002u  /* sheaf run */
#define OPT_SUBMIT   0x004u  /* sheaf submit */
#define OPT_PRODUCER 0x008u  /* sheaf-producer */
#define OPT_DAEMON   0x010u  /* sheaf-coordinator, sheaf-worker */
#define OPT_READ     0x020u  /* verbs that only look: status, list, report, ...: --json */
#define OPT_WAIT     0x040u  /* wait, watch: --timeout, --progress */
#define OPT_OUTPUT   0x080u  /* results: -o, -y, --progress */
#define OPT_CHANGE   0x100u  /* cancel, purge, resubmit: -y */
#define OPT_CHECK    0x200u  /* plan, doctor: provider and limits, no job */
#define OPT_CANCEL   0x400u  /* cancel: what it needs to end a job on this host */
#define OPT_RESUBMIT 0x800u  /* resubmit: what is sent again, and the same */
#define OPT_PLAN     0x1000u /* plan: the rows */
#define OPT_REPORT   0x2000u /* report: --html */

enum option_payload { PAYLOAD_UNSET = SETTING_UNSET, PAYLOAD_REF = 0, PAYLOAD_INLINE };

enum option_progress {
    PROGRESS_AUTO,
    PROGRESS_TTY,
    PROGRESS_PLAIN,
    PROGRESS_JSON,
    PROGRESS_NONE,
};

/** Most rows that options_rows may have. */
#define OPTIONS_MAX 64

/** Values of all settings. Strings are owned and NULL when unset. */
struct options {
    /* where */
    char *config;    /* file that was named; options_load() also reads ./sheaf.yaml */
    char *redis;     /* URL; may hold a password: never log it */
    char *state_dir; /* folder */
    char *output;    /* file */
    char *sink;      /* "dir:PATH" */

    /* the job */
    char *job;
    char *note;
    int payload; /* enum option_payload */
    bool wait;

    /* what is sent again */
    char *code;  /* separated by commas */
    char *shard; /* separated by commas */
    bool plan;

    /* rows and money */
    char *recipe;       /* file */
    char *input_format; /* a name of enum rows_format; NULL: by INPUT's name */
    char *encoding;     /* of text that is not UTF-8: "gb18030" */
    char *max_cost;     /* "20CNY"; read it with money_parse() */
    char *warn_at;      /* shares of it, separated by commas: "50%,80%" */
    int64_t sample;     /* rows to try; 0: not a trial */
    char *html;         /* file */

    /* the provider */
    char *provider;
    char *base_url;
    char *api_key_file; /* read it with options_api_key() */
    char *account;      /* NULL: the key's own */
    char *model;

    /* limits; 0 means the provider's or none */
    int64_t max_requests;
    uint64_t max_bytes;
    int64_t max_batches;
    int64_t max_attempts;
    int64_t max_inflight_shards;
    uint64_t max_inflight_bytes;

    /* times */
    int64_t poll_interval_ms;
    int64_t lease_ms;
    int64_t settle_ms;
    int64_t linger_ms;
    int64_t give_up_ms;
    int64_t reap_after_ms;
    int64_t timeout_ms; /* 0: none */

    /* this host */
    int64_t workers;
    int64_t coordinators;

    /* talking */
    int progress;   /* enum option_progress */
    int log_format; /* enum log_format */
    int log_level;  /* enum log_level as given; use options_log_level() */
    bool json;
    bool quiet;
    bool verbose;
    bool yes;
    bool help;

    /* branches of the configuration file; empty: it has none */
    struct tree providers; /* "providers:": read it with provider_profile_load() */
    struct tree prices;    /* "prices:": read it with price_table_load() */
    struct tree batch;     /* "batch:" and "paths:": the older format of a file for recipes */
    struct tree paths;

    unsigned char origins[OPTIONS_MAX]; /* of each row, an enum setting_origin */
};

extern const struct setting options_rows[];
extern const size_t options_count;

/** Names of the group bits for the documentation; the last name is NULL. */
extern const struct setting_group options_groups[];

/**
 * Fill *@out (whatever it held before) from flags, environment, configuration
 * file (--config, SHEAF_CONFIG, else ./sheaf.yaml if there is one) and defaults,
 * the first that has a value winning. @program is for messages ("sheaf status")
 * and argv[0] is skipped. With --help the other sources are not read. On success
 * the caller releases *@out and *@args; on failure (ERR_USAGE) both are empty.
 */
MUST_CHECK bool options_load(struct options *out, unsigned groups, const char *program, int argc,
                             char *const *argv, struct settings_args *args, struct err *err);

/** Free the strings; may be called on a zeroed struct. */
void options_release(struct options *o);

/** Where the setting @name ("max-requests") came from. */
enum setting_origin options_origin(const struct options *o, const char *name);

/** --log-level, if it was not given changed by -v (debug) and -q (error). */
enum log_level options_log_level(const struct options *o);

/** Set @name ("base-url") as a flag would, for a value that is known from elsewhere. */
MUST_CHECK bool options_set(struct options *o, const char *name, const char *text, struct err *err);

/** The rows taken by @groups, for --help. */
void options_print_help(FILE *out, unsigned groups);

/** The page docs/settings.md. */
void options_print_markdown(FILE *out);

/**
 * Find the API key: --api-key-file (or SHEAF_API_KEY_FILE), then the variables
 * SHEAF_API_KEY and each of @env_names (NULL-terminated, "OPENAI_API_KEY"), then
 * each of them with _FILE behind it, then the file sheaf_api_key in systemd's
 * $CREDENTIALS_DIRECTORY. Of a file one newline at the end is dropped. The caller
 * frees *@key. ERR_AUTH when there is none, when a file is empty or not readable
 * (named in the message), or when the key has bytes that no HTTP header may have.
 */
MUST_CHECK bool options_api_key(const struct options *o, const char *const *env_names, char **key,
                                struct err *err);

#endif
