#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config/options.h"

static char folder[] = "/tmp/sheaf-options-XXXXXX";

static const char *const variables[] = {
    "SHEAF_CONFIG",       "SHEAF_REDIS",         "SHEAF_API_KEY",         "SHEAF_API_KEY_FILE",
    "OPENAI_API_KEY",     "OPENAI_API_KEY_FILE", "CREDENTIALS_DIRECTORY", "SHEAF_LEASE",
    "SHEAF_MAX_REQUESTS", "SHEAF_LOG_LEVEL",     "ZHIPU_API_KEY",
};

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");

    assert_non_null(f);
    (void)fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

/* Each test starts in an empty folder with no variable set. */
static int start(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        unsetenv(variables[i]);
    (void)unlink("sheaf.yaml");
    (void)unlink("other.yaml");
    (void)unlink("sheaf_api_key");
    return 0;
}

/* Load a command line given as words separated by single spaces. */
static bool load(struct options *o, unsigned groups, struct settings_args *args, struct err *err,
                 const char *line)
{
    static char text[256]; /* the arguments point into it */
    char *argv[16] = {text};
    int argc = 1;

    (void)snprintf(text, sizeof(text), "%s", line);
    for (char *p = text; *p != '\0'; argc++) {
        argv[argc] = p;
        p += strcspn(p, " ");
        if (*p == ' ')
            *p++ = '\0';
    }
    return options_load(o, groups, "sheaf status", argc, argv, args, err);
}

static void defaults_are_those_of_the_manual(void **state)
{
    struct options o;
    struct settings_args args;
    struct err err = {0};

    (void)state;
    assert_true(load(&o, OPT_COMMON | OPT_RUN, &args, &err, "in.jsonl"));
    assert_int_equal(args.count, 1);
    assert_string_equal(args.items[0], "in.jsonl");
    assert_string_equal(o.provider, "openai");
    assert_null(o.base_url);
    assert_int_equal(o.max_requests, 0);
    assert_int_equal(o.max_bytes, 0);
    assert_int_equal(o.max_batches, 0);
    assert_int_equal(o.max_attempts, 3);
    assert_int_equal(o.max_inflight_shards, 20000);
    assert_int_equal(o.max_inflight_bytes, 256 << 20);
    assert_int_equal(o.poll_interval_ms, 60000);
    assert_int_equal(o.lease_ms, 15000);
    assert_int_equal(o.settle_ms, 30000);
    assert_int_equal(o.linger_ms, 2000);
    assert_int_equal(o.give_up_ms, 600000);
    assert_int_equal(o.timeout_ms, 0);
    assert_int_equal(o.workers, 2);
    assert_int_equal(o.coordinators, 1);
    assert_int_equal(o.payload, PAYLOAD_UNSET);
    assert_int_equal(o.progress, PROGRESS_AUTO);
    assert_int_equal(o.log_format, LOG_FMT_TEXT);
    assert_int_equal(options_log_level(&o), LOG_LV_INFO);
    settings_args_release(&args);
    options_release(&o);
}

static void choices_are_the_enums(void **state)
{
    struct options o;
    struct settings_args args;
    struct err err = {0};

    (void)state;
    assert_true(load(&o, OPT_COMMON | OPT_RUN, &args, &err,
                     "--payload=ref --progress=none "
                     "--log-format=json --log-level=debug"));
    assert_int_equal(o.payload, PAYLOAD_REF);
    assert_int_equal(o.progress, PROGRESS_NONE);
    assert_int_equal(o.log_format, LOG_FMT_JSON);
    assert_int_equal(o.log_level, LOG_LV_DEBUG);
    settings_args_release(&args);
    options_release(&o);

    assert_true(load(&o, OPT_COMMON | OPT_RUN, &args, &err,
                     "--payload=inline --progress=tty "
                     "--log-level=error"));
    assert_int_equal(o.payload, PAYLOAD_INLINE);
    assert_int_equal(o.progress, PROGRESS_TTY);
    assert_int_equal(options_log_level(&o), LOG_LV_ERROR);
    settings_args_release(&args);
    options_release(&o);
}

static void flag_beats_environment_beats_file_beats_default(void **state)
{
    struct options o;
    struct settings_args args;
    struct err err = {0};

    (void)state;
    write_file("sheaf.yaml", "lease: 20s\nmax_requests: 20\nsettle: 20s\nlog_level: warn\n");
    setenv("SHEAF_LEASE", "21s", 1);
    setenv("SHEAF_MAX_REQUESTS", "21", 1);
    assert_true(load(&o, OPT_COMMON | OPT_RUN, &args, &err, "--lease 22s"));
    assert_int_equal(o.lease_ms, 22000);
    assert_int_equal(o.max_requests, 21);
    assert_int_equal(o.settle_ms, 20000);
    assert_int_equal(o.linger_ms, 2000);
    assert_int_equal(options_log_level(&o), LOG_LV_WARN);
    assert_int_equal(options_origin(&o, "lease"), SETTING_FROM_FLAG);
    assert_int_equal(options_origin(&o, "max-requests"), SETTING_FROM_ENVIRONMENT);
    assert_int_equal(options_origin(&o, "settle"), SETTING_FROM_FILE);
    assert_int_equal(options_origin(&o, "linger"), SETTING_FROM_DEFAULT);
    settings_args_release(&args);
    options_release(&o);
}

static void the_named_file_is_read_in_place_of_the_usual_one(void **state)
{
    struct options o;
    struct settings_args args;
    struct err err = {0};

    (void)state;
    write_file("sheaf.yaml", "lease: 20s\n");
    write_file("other.yaml", "settle: 5s\n");
    setenv("SHEAF_CONFIG", "other.yaml", 1);
    assert_true(load(&o, OPT_COMMON | OPT_RUN, &args, &err, "x"));
    assert_int_equal(o.lease_ms, 15000);
    assert_int_equal(o.settle_ms, 5000);
    settings_args_release(&args);
    options_release(&o);

    assert_true(load(&o, OPT_COMMON | OPT_RUN, &args, &err, "--config=/dev/null"));
    assert_int_equal(o.settle_ms, 30000);
    settings_args_release(&args);
    options_release(&o);
}

static void a_failure_leaves_nothing_behind(void **state)
{
    struct options o;
    struct settings_args args;
    struct err err = {0};

    (void)state;
    write_file("sheaf.yaml", "note: x\n");
    assert_false(load(&o, OPT_COMMON | OPT_RUN, &args, &err, "in -oout"));
    assert_string_equal(err.msg,
                        "sheaf.yaml:1:1: \"note\" cannot be set in a file, only as --note");
    assert_null(o.output);
    assert_null(o.provider);
    assert_null(args.items);

    assert_false(load(&o, OPT_COMMON | OPT_RUN, &args, &err, "in --config=missing.yaml"));
    assert_string_equal(err.msg, "missing.yaml: cannot be opened: No such file or directory");
    assert_int_equal(err.kind, ERR_USAGE);
    assert_null(o.config);
    assert_null(args.items);
}

static void help_is_given_whatever_the_other_sources_say(void **state)
{
    struct options o;
    struct settings_args args;
    struct err err = {0};

    (void)state;
    write_file("sheaf.yaml", "nonsense: x\n");
    setenv("SHEAF_LEASE", "nonsense", 1);
    assert_true(load(&o, OPT_COMMON | OPT_RUN, &args, &err, "-h"));
    assert_true(o.help);
    settings_args_release(&args);
    options_release(&o);
}

static void another_verbs_flag_is_refused_by_name(void **state)
{
    struct options o;
    struct settings_args args;
    struct err err = {0};

    (void)state;
    assert_false(load(&o, OPT_COMMON | OPT_READ, &args, &err, "--max-requests 1"));
    assert_string_equal(err.msg, "sheaf status does not take --max-requests");
}

static void verbose_and_quiet_set_the_level_unless_it_is_a_flag(void **state)
{
    static const struct {
        const char *line;
        enum log_level level;
    } cases[] = {
        {"-v -v",               LOG_LV_DEBUG},
        {"-q -q",               LOG_LV_ERROR},
        {"-v --log-level=warn", LOG_LV_WARN },
        {"-q --log-level=info", LOG_LV_INFO },
    };

    (void)state;
    setenv("SHEAF_LOG_LEVEL", "warn", 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct options o;
        struct settings_args args;
        struct err err = {0};

        assert_true(load(&o, OPT_COMMON, &args, &err, cases[i].line));
        assert_int_equal(options_log_level(&o), cases[i].level);
        settings_args_release(&args);
        options_release(&o);
    }
}

static void no_two_rows_share_a_name_a_letter_or_a_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < options_count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(options_rows[i].name, options_rows[j].name);
            assert_int_not_equal(options_rows[i].offset, options_rows[j].offset);
            assert_true(options_rows[i].short_name == 0 ||
                        options_rows[i].short_name != options_rows[j].short_name);
        }
    }
}

static void every_row_has_a_group_a_sentence_and_a_value_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < options_count; i++) {
        const struct setting *row = &options_rows[i];
        size_t len = strlen(row->help);

        print_message("  %s\n", row->name);
        assert_int_not_equal(row->groups, 0);
        assert_int_equal(row->help[len - 1], '.');
        assert_int_equal(row->type == SETTING_CHOICE, row->choices != NULL);
        assert_int_equal(row->type == SETTING_CHOICE || row->type == SETTING_FLAG,
                         row->value_name == NULL);
    }
}

static void help_fits_a_terminal(void **state)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    options_print_help(out, ~0u);
    (void)fclose(out);
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
    assert_non_null(strstr(text, "  -o, --output FILE "));
    assert_non_null(strstr(text, "(default: 256MiB)"));
    free(text);

    out = open_memstream(&text, &len);
    options_print_help(out, OPT_COMMON);
    (void)fclose(out);
    assert_null(strstr(text, "--max-bytes"));
    assert_non_null(strstr(text, "--redis URL"));
    free(text);
}

static const char *const env_names[] = {"OPENAI_API_KEY", "ZHIPU_API_KEY", NULL};

static void the_key_is_looked_for_in_order(void **state)
{
    struct options o = {0};
    struct err err = {0};
    char *key = NULL;

    /* From the last place to the first: each one found wins over those before. */
    (void)state;
    write_file("sheaf_api_key", "k-systemd\n");
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    assert_true(options_api_key(&o, env_names, &key, &err));
    assert_string_equal(key, "k-systemd");
    free(key);

    write_file("key1", "k-named-file");
    setenv("OPENAI_API_KEY_FILE", "key1", 1);
    assert_true(options_api_key(&o, env_names, &key, &err));
    assert_string_equal(key, "k-named-file");
    free(key);

    setenv("ZHIPU_API_KEY", "k-second", 1);
    assert_true(options_api_key(&o, env_names, &key, &err));
    assert_string_equal(key, "k-second");
    free(key);

    setenv("OPENAI_API_KEY", "k-first", 1);
    assert_true(options_api_key(&o, env_names, &key, &err));
    assert_string_equal(key, "k-first");
    free(key);

    setenv("SHEAF_API_KEY", "k-own", 1);
    assert_true(options_api_key(&o, env_names, &key, &err));
    assert_string_equal(key, "k-own");
    free(key);

    write_file("key2", "k-flag\r\n");
    o.api_key_file = (char[]){"key2"};
    assert_true(options_api_key(&o, NULL, &key, &err));
    assert_string_equal(key, "k-flag");
    free(key);
}

static void a_missing_key_says_what_to_set(void **state)
{
    struct options o = {0};
    struct err err = {0};
    char *key = NULL;

    (void)state;
    setenv("OPENAI_API_KEY", "", 1);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    assert_false(options_api_key(&o, env_names, &key, &err));
    assert_string_equal(err.msg, "no API key: set OPENAI_API_KEY or --api-key-file");
    assert_int_equal(err.kind, ERR_AUTH);
    assert_false(options_api_key(&o, NULL, &key, &err));
    assert_string_equal(err.msg, "no API key: set SHEAF_API_KEY or --api-key-file");
    assert_null(key);
}

static void a_key_file_that_will_not_do_is_named_and_the_key_is_not(void **state)
{
    static const struct {
        const char *text, *msg;
    } cases[] = {
        {"",           "key: the API key is empty"                                        },
        {"\n",         "key: the API key is empty"                                        },
        {"a\n\n",      "key: the API key has a space or another character that no key has"},
        {"sk\x7f",     "key: the API key has a space or another character that no key has"},
        {"sk 1",       "key: the API key has a space or another character that no key has"},
        {"sk\xc3\xa9", "key: the API key has a space or another character that no key has"},
    };
    struct options o = {.api_key_file = (char[]){"key"}};
    char *key = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};

        write_file("key", cases[i].text);
        assert_false(options_api_key(&o, env_names, &key, &err));
        assert_string_equal(err.msg, cases[i].msg);
        assert_int_equal(err.kind, ERR_AUTH);
    }

    struct err err = {0};
    char *large = calloc(1, 8194);
    memset(large, 'k', 8193);
    write_file("key", large);
    free(large);
    assert_false(options_api_key(&o, env_names, &key, &err));
    assert_string_equal(err.msg, "key: too long for an API key");

    assert_int_equal(unlink("key"), 0);
    assert_false(options_api_key(&o, env_names, &key, &err));
    assert_string_equal(err.msg, "key: the API key cannot be read: No such file or directory");

    o.api_key_file = folder;
    assert_false(options_api_key(&o, env_names, &key, &err));
    assert_non_null(strstr(err.msg, "the API key cannot be read: Is a directory"));

    o.api_key_file = NULL;
    setenv("OPENAI_API_KEY", "sk-1\n", 1);
    assert_false(options_api_key(&o, env_names, &key, &err));
    assert_string_equal(err.msg, "OPENAI_API_KEY: the API key has a space or another character "
                                 "that no key has");
    assert_null(key);
}

static void a_list_that_is_given_again_grows(void **state)
{
    struct options o;
    struct settings_args args;
    struct err err = {0};

    (void)state;
    assert_true(
        load(&o, OPT_RESUBMIT, &args, &err, "--code 500 --code=missing_result --shard 3-7"));
    assert_string_equal(o.code, "500,missing_result");
    assert_string_equal(o.shard, "3-7");
    settings_args_release(&args);
    options_release(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_list_that_is_given_again_grows, start),
        cmocka_unit_test_setup(defaults_are_those_of_the_manual, start),
        cmocka_unit_test_setup(choices_are_the_enums, start),
        cmocka_unit_test_setup(flag_beats_environment_beats_file_beats_default, start),
        cmocka_unit_test_setup(the_named_file_is_read_in_place_of_the_usual_one, start),
        cmocka_unit_test_setup(a_failure_leaves_nothing_behind, start),
        cmocka_unit_test_setup(help_is_given_whatever_the_other_sources_say, start),
        cmocka_unit_test_setup(another_verbs_flag_is_refused_by_name, start),
        cmocka_unit_test_setup(verbose_and_quiet_set_the_level_unless_it_is_a_flag, start),
        cmocka_unit_test(no_two_rows_share_a_name_a_letter_or_a_field),
        cmocka_unit_test(every_row_has_a_group_a_sentence_and_a_value_name),
        cmocka_unit_test(help_fits_a_terminal),
        cmocka_unit_test_setup(the_key_is_looked_for_in_order, start),
        cmocka_unit_test_setup(a_missing_key_says_what_to_set, start),
        cmocka_unit_test_setup(a_key_file_that_will_not_do_is_named_and_the_key_is_not, start),
    };

    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)start(NULL);
    (void)unlink("key");
    (void)unlink("key1");
    (void)unlink("key2");
    return chdir("/") == 0 && rmdir(folder) == 0 ? failed : 1;
}
