#include "tests/testlib/unit.h"

#include <string.h>

#include "cli/core/progress.h"
#include "common/base/attr.h"

static struct progress_sample sample(int64_t at_ms, int64_t total, int64_t integrated)
{
    return (struct progress_sample){.at_ms = at_ms,
                                    .state = "running",
                                    .total = total,
                                    .cut = total < 0 ? 500 : total,
                                    .integrated = integrated,
                                    .remote_done = integrated,
                                    .downloaded = integrated};
}

static void percent_is_rounded_down_and_unknown_is_not_zero(void **state)
{
    static const struct {
        int64_t total, integrated;
        int want;
    } cases[] = {
        {-1,   0,    -1 },
        {0,    0,    100},
        {1000, 0,    0  },
        {1000, 999,  99 },
        {1000, 1000, 100},
        {3,    1,    33 }
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct progress p = {.job = "j"};
        struct progress_sample s = sample(0, cases[i].total, cases[i].integrated);

        progress_update(&p, &s);
        assert_int_equal(progress_percent(&p), cases[i].want);
    }
}

static void eta_comes_from_what_was_seen(void **state)
{
    struct progress p = {.job = "j"};
    struct progress_sample s = sample(1000, 1000, 100); /* resumed: 100 were there before */

    (void)state;
    progress_update(&p, &s);
    assert_int_equal(progress_eta_ms(&p), -1);
    s = sample(11000, 1000, 400); /* 300 in 10 s */
    progress_update(&p, &s);
    assert_int_equal(progress_eta_ms(&p), 20000);
    s = sample(11000, -1, 400);
    progress_update(&p, &s);
    assert_int_equal(progress_eta_ms(&p), -1);
    s = sample(11000, 400, 400);
    progress_update(&p, &s);
    assert_int_equal(progress_eta_ms(&p), 0);
}

static void the_rate_counts_from_the_first_numbers_on(void **state)
{
    struct progress p = {.job = "j"};
    struct progress_sample s = progress_unknown(0, "starting");

    (void)state;
    progress_update(&p, &s);
    assert_int_equal(progress_eta_ms(&p), -1);
    s = sample(5000, 1000, 400); /* these were there before: no rate yet */
    progress_update(&p, &s);
    assert_int_equal(progress_eta_ms(&p), -1);
    s = sample(6000, 1000, 500);
    progress_update(&p, &s);
    assert_int_equal(progress_eta_ms(&p), 5000);
}

static void plain_speaks_at_the_start_on_changes_and_each_ten_percent_or_minute(void **state)
{
    static const struct {
        const char *name;
        int64_t at_ms;
        const char *state;
        int64_t integrated;
        bool due;
    } steps[] = {
        {"start",                               0,      "cutting", 0,   true },
        {"nothing new",                         1000,   "cutting", 0,   false},
        {"another state",                       2000,   "running", 0,   true },
        {"15 % but only 10 s later",            12000,  "running", 150, false},
        {"60 s later",                          62000,  "running", 180, true },
        {"60 s later, in the same ten percent", 122000, "running", 190, false},
        {"the next ten percent",                123000, "running", 200, true },
    };
    struct progress p = {.job = "j"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct progress_sample s = sample(steps[i].at_ms, 1000, steps[i].integrated);

        print_message("  %s\n", steps[i].name);
        s.state = steps[i].state;
        progress_update(&p, &s);
        assert_int_equal(progress_plain_is_due(&p), steps[i].due);
    }
}

static void forms_show_unknown_as_unknown(void **state)
{
    struct progress p = {.job = "a\"b"};
    struct progress_sample s = sample(0, -1, 7);
    struct buf out = BUF_INIT(4096);
    unsigned lines = 0;

    (void)state;
    progress_update(&p, &s);
    progress_print_plain(&p, &out);
    assert_non_null(strstr(out.data, "pct=? total=?"));
    buf_clear(&out);
    progress_print_json(&p, &out);
    assert_non_null(strstr(out.data, "\"job\":\"a\\\"b\""));
    assert_non_null(strstr(out.data, "\"pct\":null,\"rows\":{\"total\":null,"));
    buf_clear(&out);
    progress_print_tty(&p, 100, false, &out, &lines);
    assert_int_equal(lines, 4);
    assert_non_null(strstr(out.data, "7 / ?"));
    buf_clear(&out);
    progress_print_tty(&p, 40, false, &out, &lines);
    assert_int_equal(lines, 1);
    buf_release(&out);
}

static void the_words_behind_a_state_are_in_each_form(void **state)
{
    struct progress p = {.job = "j"};
    struct progress_sample s = sample(0, 10, 7);
    struct buf out = BUF_INIT(4096);
    unsigned lines = 0;

    (void)state;
    progress_update(&p, &s);
    progress_print_json(&p, &out);
    assert_non_null(strstr(out.data, "\"state\":\"running\",\"why\":null,\"pct\""));
    buf_clear(&out);
    s.state = "waiting: quota";
    s.why = "limit \"5\" reached\n\033[2J";
    progress_update(&p, &s);
    progress_print_plain(&p, &out);
    assert_non_null(strstr(out.data, "state=\"waiting: quota\" why=\"limit \\\"5\\\" reached??[2J\""
                                     " pct=70"));
    buf_clear(&out);
    progress_print_json(&p, &out);
    assert_non_null(strstr(out.data, "\"why\":\"limit \\\"5\\\" reached"));
    buf_clear(&out);
    progress_print_tty(&p, 200, false, &out, &lines);
    assert_non_null(strstr(out.data, "[waiting: quota] limit \"5\" reached??[2J\n"));
    buf_release(&out);
}

static void long_words_are_cut_between_characters(void **state)
{
    for (size_t before = 0; before < 3; before++) {
        struct progress p = {.job = "j"};
        struct progress_sample s = sample(0, 10, 7);
        struct buf out = BUF_INIT(4096);
        char why[1000] = "";

        (void)state;
        memset(why, 'x', before);
        for (size_t n = before; n + 3 < sizeof(why); n += 3)
            memcpy(why + n, "\xe9\x97\xae", 4); /* 问 */
        s.why = why;
        progress_update(&p, &s);
        progress_print_plain(&p, &out);
        const char *end = strstr(out.data, "\" pct=70");
        assert_non_null(end);
        assert_memory_equal(end - 3, "\xe9\x97\xae", 3);
        buf_release(&out);
    }
}

static void words_that_are_new_are_told_once_a_minute(void **state)
{
    struct progress p = {.job = "j"};
    struct progress_sample s = sample(0, 10, 0);

    (void)state;
    s.state = "waiting: quota";
    s.why = "1 of 5";
    progress_update(&p, &s);
    assert_true(progress_plain_is_due(&p));
    s.at_ms = 59000;
    s.why = "2 of 5";
    progress_update(&p, &s);
    assert_false(progress_plain_is_due(&p));
    s.at_ms = 61000;
    progress_update(&p, &s);
    assert_true(progress_plain_is_due(&p));
    s.at_ms = 200000;
    progress_update(&p, &s);
    assert_false(progress_plain_is_due(&p));
}

static void before_the_first_look_nothing_is_zero(void **state)
{
    struct progress p = {.job = "j"};
    struct progress_sample s = progress_unknown(0, "starting");
    struct buf out = BUF_INIT(4096);
    unsigned lines = 0;

    (void)state;
    progress_update(&p, &s);
    progress_print_plain(&p, &out);
    assert_string_equal(out.data, "ev=progress job=\"j\" state=\"starting\" pct=? total=? cut=? "
                                  "remote_done=? downloaded=? integrated=? failed=? batches=? "
                                  "eta=?");
    buf_clear(&out);
    progress_print_json(&p, &out);
    assert_null(strchr(strstr(out.data, "\"pct\""), '0'));
    buf_clear(&out);
    progress_print_tty(&p, 40, false, &out, &lines);
    assert_string_equal(out.data, " rows        ?%  ? / ?  failed ?\n");
    buf_release(&out);
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    static const unsigned widths[] = {1, 10, 40, 59, 60, 66, 80, 200};
    struct progress p = {.job = "j"};
    struct progress_sample s = sample(3600000, 123456789, 12345678);

    (void)state;
    s.building = s.submitting = s.running = s.fetching = 1000;
    s.state = "waiting: no answer from the provider";
    progress_update(&p, &s);
    for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
        struct buf out = BUF_INIT(4096);
        unsigned lines = 0, newlines = 0, cells = 0;

        progress_print_tty(&p, widths[i], true, &out, &lines);
        for (size_t at = 0; at < out.len; at++) {
            if (out.data[at] == '\n') {
                newlines++;
                cells = 0;
            } else if (((unsigned char)out.data[at] & 0xc0) != 0x80) {
                assert_true(++cells < widths[i]);
            }
        }
        assert_int_equal(newlines, lines);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percent_is_rounded_down_and_unknown_is_not_zero),
        cmocka_unit_test(eta_comes_from_what_was_seen),
        cmocka_unit_test(plain_speaks_at_the_start_on_changes_and_each_ten_percent_or_minute),
        cmocka_unit_test(forms_show_unknown_as_unknown),
        cmocka_unit_test(the_rate_counts_from_the_first_numbers_on),
        cmocka_unit_test(the_words_behind_a_state_are_in_each_form),
        cmocka_unit_test(long_words_are_cut_between_characters),
        cmocka_unit_test(words_that_are_new_are_told_once_a_minute),
        cmocka_unit_test(before_the_first_look_nothing_is_zero),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
    };
    return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
