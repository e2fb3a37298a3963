#include "tests/testlib/unit.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <json-c/json.h>

#include "common/base/attr.h"
#include "common/base/log.h"
#include "tests/unit/base/child.h"

static void say_text(const char *arg)
{
    log_setup("tester", LOG_LV_INFO, LOG_FMT_TEXT);
    log_info("%s", arg);
}

static void say_json(const char *arg)
{
    log_setup("tester", LOG_LV_INFO, LOG_FMT_JSON);
    log_warn("%s", arg);
}

/* What follows "ts=2026-01-02T03:04:05.678Z " in @line, after a check of its form. */
static const char *after_stamp(const char *line)
{
    static const char form[] = "ts=dddd-dd-ddTdd:dd:dd.dddZ ";

    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        if (form[i] == 'd')
            assert_in_range(line[i], '0', '9');
        else
            assert_int_equal(line[i], form[i]);
    }
    return line + sizeof(form) - 1;
}

static void a_line_has_time_level_program_and_the_message(void **state)
{
    char said[512];

    (void)state;
    assert_int_equal(child_run(say_text, "ev=batch batch=b1", said, sizeof(said)), 0);
    assert_string_equal(after_stamp(said), "lv=info prog=tester ev=batch batch=b1\n");
}

static void text_of_a_peer_cannot_forge_a_line(void **state)
{
    char said[512];

    (void)state;
    (void)child_run(say_text, "ev=x m=a\nts=1 lv=error\r\x1b[31m\t.", said, sizeof(said));
    assert_string_equal(after_stamp(said), "lv=info prog=tester ev=x m=a?ts=1 lv=error??[31m?.\n");
}

static int evaluations;

static int counted(void)
{
    return ++evaluations;
}

static void say_at_all_levels(const char *arg)
{
    (void)arg;
    log_setup("tester", LOG_LV_WARN, LOG_FMT_TEXT);
    log_error("ev=e n=%d", counted());
    log_warn("ev=w n=%d", counted());
    log_info("ev=i n=%d", counted());
    log_debug("ev=d n=%d", counted());
    (void)fprintf(stderr, "evaluated %d\n", evaluations);
}

static void levels_that_are_off_are_not_written_nor_evaluated(void **state)
{
    char said[1024];

    (void)state;
    (void)child_run(say_at_all_levels, NULL, said, sizeof(said));
    assert_non_null(strstr(said, "lv=error prog=tester ev=e n=1\n"));
    assert_non_null(strstr(said, "lv=warn prog=tester ev=w n=2\n"));
    assert_null(strstr(said, "ev=i"));
    assert_null(strstr(said, "ev=d"));
    assert_non_null(strstr(said, "evaluated 2\n"));
}

static void quoted_text_is_escaped_and_cut(void **state)
{
    char longer[2000];

    (void)state;
    assert_string_equal(log_text(""), "\"\"");
    assert_string_equal(log_text("say \"hi\" \\ now"), "\"say \\\"hi\\\" \\\\ now\"");
    memset(longer, '"', sizeof(longer) - 1); /* each takes two bytes */
    longer[sizeof(longer) - 1] = '\0';
    const char *cut = log_text(longer);
    assert_true(strlen(cut) < 512);
    assert_int_equal(cut[strlen(cut) - 1], '"');
}

static void four_quoted_texts_fit_in_one_line(void **state)
{
    (void)state;
    const char *a = log_text("a"), *b = log_text("b"), *c = log_text("c"), *d = log_text("d");

    assert_string_equal(a, "\"a\"");
    assert_string_equal(b, "\"b\"");
    assert_string_equal(c, "\"c\"");
    assert_string_equal(d, "\"d\"");
}

/* One line in the JSON form, parsed strictly; the caller puts it. */
static struct json_object *logged_json(const char *message)
{
    char said[8192];
    struct json_tokener *tok = json_tokener_new();

    (void)child_run(say_json, message, said, sizeof(said));
    size_t len = strlen(said);
    assert_true(len > 0 && said[len - 1] == '\n');
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
    struct json_object *line = json_tokener_parse_ex(tok, said, (int)len - 1);
    json_tokener_free(tok);
    if (line == NULL)
        print_message("  not JSON: %s", said);
    assert_non_null(line);
    return line;
}

static void assert_member(struct json_object *line, const char *name, const char *value)
{
    struct json_object *member = NULL;

    assert_true(json_object_object_get_ex(line, name, &member));
    assert_string_equal(json_object_get_string(member), value);
}

static void the_json_form_has_the_same_pairs(void **state)
{
    (void)state;
    struct json_object *line =
        logged_json("ev=batch_retry batch=b1 in_ms=250 why=\"no \\\"ok\\\"\"");

    assert_member(line, "lv", "warn");
    assert_member(line, "prog", "tester");
    assert_member(line, "ev", "batch_retry");
    assert_member(line, "batch", "b1");
    assert_member(line, "in_ms", "250");
    assert_member(line, "why", "no \"ok\"");
    assert_int_equal(json_object_object_length(line), 7);
    json_object_put(line);
}

static void words_without_a_key_become_the_message(void **state)
{
    (void)state;
    struct json_object *line = logged_json("ev=x out of \"memory\"");

    assert_member(line, "ev", "x");
    assert_member(line, "msg", "out of \"memory\"");
    json_object_put(line);
}

static void whatever_is_logged_the_json_form_is_json(void **state)
{
    static const char *const messages[] = {
        "",
        " ",
        "plain words",
        "ev=",
        "ev=a  b=c",
        "path=C:\\temp",
        "m=\"never closed",
        "m=\"ends in a backslash\\",
        "m=say\"hi",
        "\"quoted\" at the start",
        "k\"ey=1",
        "m=\"a\"b\"c\"",
        "=",
        "m=a\nb\x01",
        "中文=值 ev=\"中文\"",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        print_message("  %s\n", messages[i]);
        json_object_put(logged_json(messages[i]));
    }
}

static void a_line_that_is_cut_is_still_json(void **state)
{
    char message[4000];

    (void)state;
    for (size_t shift = 0; shift < 2; shift++) {
        (void)snprintf(message, sizeof(message), "m=%s\"", shift == 0 ? "" : "x");
        size_t n = strlen(message);
        while (n + 2 < sizeof(message)) {
            message[n++] = '\\';
            message[n++] = '"';
        }
        message[n] = '\0';
        json_object_put(logged_json(message));
    }
}

static void die(const char *arg)
{
    log_setup("tester", LOG_LV_ERROR, LOG_FMT_TEXT);
    log_fatal("ev=fatal why=%s", arg);
}

static void fatal_says_why_and_aborts(void **state)
{
    char said[512];

    (void)state;
    int status = child_run(die, "broken", said, sizeof(said));
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_string_equal(after_stamp(said), "lv=error prog=tester ev=fatal why=broken\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_program_and_the_message),
        cmocka_unit_test(text_of_a_peer_cannot_forge_a_line),
        cmocka_unit_test(levels_that_are_off_are_not_written_nor_evaluated),
        cmocka_unit_test(quoted_text_is_escaped_and_cut),
        cmocka_unit_test(four_quoted_texts_fit_in_one_line),
        cmocka_unit_test(the_json_form_has_the_same_pairs),
        cmocka_unit_test(words_without_a_key_become_the_message),
        cmocka_unit_test(whatever_is_logged_the_json_form_is_json),
        cmocka_unit_test(a_line_that_is_cut_is_still_json),
        cmocka_unit_test(fatal_says_why_and_aborts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
