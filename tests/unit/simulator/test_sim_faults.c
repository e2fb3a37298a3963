#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "simulator/faults.h"
#include "simulator/quantity.h"

static const struct {
    const char *spec;
    bool good;
} specs[] = {
    {"lost-create",                      true },
    {"lost-create=1",                    true },
    {"lost-create=3@every",              true },
    {"lost-create=0.1",                  true },
    {"lost-create=1.0",                  true },
    {"lost-create=0",                    false},
    {"lost-create=-1",                   false},
    {"lost-create=1.5",                  false},
    {"lost-create=2@each",               false},
    {"lost-create=x",                    false},
    {"lost-create=0.1@every",            false},
    {"lost-create=99999999999999999999", false},
    {"lost-creat",                       false},
    {"lost-create ",                     false},
    {"",                                 false},
    {"rows-failed=0.2",                  true },
    {"rows-failed=1",                    true },
    {"rows-failed=0.2:always",           true },
    {"rows-failed=0.2:ever",             false},
    {"rows-failed",                      false},
    {"rows-failed=2",                    false},
    {"slow-download=100kB",              true },
    {"slow-download=0",                  false},
    {"slow-download",                    false},
    {"file-lag=200ms",                   true },
    {"file-lag=5",                       false},
    {"file-lag",                         false},
    {"poll-404=3",                       true },
    {"poll-404=0.5",                     false},
    {"no-range",                         true },
    {"truncate=off",                     true },
    {"nothing=off",                      false},
    {"clear",                            true },
    {"clear=1",                          false},
    {"lost-create=2-5",                  true },
    {"lost-create=5-2",                  false},
    {"lost-create=2-",                   false},
    {"lost-create:when=2",               true },
    {"lost-create=:when=2",              true },
    {"lost-create:when=",                false},
    {"lost-create:route=polls",          true },
    {"lost-create:body=html",            false},
    {"create-500:body=html",             true },
    {"status=503",                       true },
    {"status=503:route=polls:when=0.1",  true },
    {"status=503:at=after:body=html",    true },
    {"status=503:at=late",               false},
    {"status=503:body=xml",              false},
    {"status=503:route=everything",      false},
    {"status=503:reused",                true },
    {"status=503:reused=1",              false},
    {"status=503:code",                  false},
    {"crlf:",                            false},
    {"status=503:",                      false},
    {"status=99",                        false},
    {"status=600",                       false},
    {"status",                           false},
    {"drop=reset:at=head:reused",        true },
    {"drop=gently",                      false},
    {"delay=1s:at=before",               true },
    {"delay=1s:at=after",                false},
    {"delay=1s:body=html",               false},
    {"set=a.b:to={\"c\":[1:2]}",         true },
    {"set=a.b",                          false},
    {"set=:to=1",                        false},
    {"omit=a",                           true },
    {"omit=a:to=1",                      false},
    {"stuck=finalizing:when=0.5",        true },
    {"stuck=completed",                  false},
    {"stuck",                            false},
    {"rows-500=0.2:in-output:always",    true },
    {"rows-missing=0.2:in-output",       false},
    {"batch-failed:code=x:line=3",       true },
    {"batch-failed:line=x",              false},
    {"batch-expired:done=0.5",           true },
    {"batch-expired:done=5",             false},
    {"cut=close:byte=5:when=1",          true },
    {"cut=open",                         false},
    {"wrong-length=-5",                  true },
    {"wrong-length=5",                   true },
    {"wrong-length=0",                   false},
    {"redirect=2:to=same:status=307",    true },
    {"redirect=0",                       false},
    {"redirect=1:to=mars",               false},
    {"range=416",                        true },
    {"range=417",                        false},
};

static void specs_are_read_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
        struct faults f = {0};
        struct err err = {0};

        print_message("  %s\n", specs[i].spec);
        assert_int_equal(faults_arm(&f, specs[i].spec, &err), specs[i].good);
        assert_int_equal(err.kind, specs[i].good ? ERR_NONE : ERR_USAGE);
    }
}

/* Which of ten occasions are struck, as a string of digits. */
static void strikes(const char *spec, char out[11])
{
    struct faults f = {.seed = 5};

    assert_true(faults_arm(&f, spec, NULL));
    for (int i = 0; i < 10; i++)
        out[i] = faults_strike(&f, FAULT_CUT) ? '1' : '0';
    out[10] = '\0';
}

static void occasions_are_struck_as_said(void **state)
{
    static const struct {
        const char *spec;
        const char *struck;
    } cases[] = {
        {"truncate",           "1111111111"},
        {"truncate=1",         "1000000000"},
        {"truncate=4",         "0001000000"},
        {"truncate=3@every",   "0010010010"},
        {"truncate=3-5",       "0011100000"},
        {"cut=chunked:when=2", "0100000000"},
        {"truncate=0.0",       "0000000000"},
        {"truncate=1.0",       "1111111111"},
        {"clear",              "0000000000"},
        {"no-range",           "0000000000"}
    };
    char got[11];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        strikes(cases[i].spec, got);
        assert_string_equal(got, cases[i].struck);
    }
}

static void a_share_is_a_share(void **state)
{
    struct faults f = {.seed = 7};
    unsigned hits = 0;

    (void)state;
    assert_true(faults_arm(&f, "truncate=0.25", NULL));
    for (int i = 0; i < 10000; i++)
        hits += faults_strike(&f, FAULT_CUT);
    assert_in_range(hits, 2300, 2700);
}

static void rows_get_another_chance_unless_always(void **state)
{
    struct faults f = {.seed = 7};
    unsigned first = 0;
    unsigned changed = 0;

    (void)state;
    assert_true(faults_arm(&f, "rows-failed=0.5", NULL));
    assert_true(faults_arm(&f, "rows-500=0.5:always", NULL));
    for (uint64_t body = 0; body < 1000; body++) {
        bool one = faults_strike_row(&f, FAULT_ROWS_FAILED, body, 0);

        first += one;
        assert_int_equal(one, faults_strike_row(&f, FAULT_ROWS_FAILED, body, 0));
        changed += one != faults_strike_row(&f, FAULT_ROWS_FAILED, body, 1);
        assert_int_equal(faults_strike_row(&f, FAULT_ROWS_500, body, 0),
                         faults_strike_row(&f, FAULT_ROWS_500, body, 1));
    }
    assert_in_range(first, 430, 570);
    assert_in_range(changed, 430, 570);
}

static void once_spares_who_was_struck(void **state)
{
    struct faults f = {.seed = 7};

    (void)state;
    assert_true(faults_arm(&f, "rows-prose=1:once", NULL));
    assert_true(faults_strike_row(&f, FAULT_ROWS_PROSE, 42, 0));
    assert_false(faults_strike_row(&f, FAULT_ROWS_PROSE, 42, 1));
    assert_false(faults_strike_row(&f, FAULT_ROWS_FENCED, 42, 0));
}

static void lines_are_armed_one_by_one(void **state)
{
    struct faults f = {0};
    struct err err = {0};
    char text[] = "poll-404=2\r\n\n  \ntruncate\n";
    char bad[] = "list-lag=1s\nwhat\n";

    (void)state;
    assert_true(faults_arm_lines(&f, text, &err));
    assert_int_equal(faults_number(&f, FAULT_POLL_404), 2);
    assert_true(f.of[FAULT_CUT].armed);
    assert_false(faults_arm_lines(&f, bad, &err));
    assert_non_null(strstr(err.msg, "what"));
}

static void arming_again_counts_anew(void **state)
{
    struct faults f = {0};

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_true(faults_arm(&f, "truncate=2", NULL));
        assert_false(faults_strike(&f, FAULT_CUT));
        assert_true(faults_strike(&f, FAULT_CUT));
        assert_false(faults_strike(&f, FAULT_CUT));
    }
    assert_true(faults_arm(&f, "truncate=off", NULL));
    assert_false(f.of[FAULT_CUT].armed);
}

static size_t meet(struct faults *f, enum fault_route route, enum fault_stage at, bool reused)
{
    struct fault_occasion o = {route, at, reused};
    struct fault out[FAULTS_ROUTED_MAX];

    return faults_meet(f, &o, out);
}

static void faults_around_requests_meet_their_own(void **state)
{
    struct faults f = {0};
    struct fault_occasion poll = {ROUTE_POLLS, STAGE_BEFORE, false};
    struct fault out[FAULTS_ROUTED_MAX];

    (void)state;
    assert_true(faults_arm(&f, "status=503:route=polls:when=2:code=abc", NULL));
    assert_true(faults_arm(&f, "drop=close:route=creates:at=after", NULL));
    assert_true(faults_arm(&f, "drop=reset:reused:at=head", NULL));
    assert_int_equal(meet(&f, ROUTE_LISTS, STAGE_BEFORE, true), 0);
    assert_int_equal(meet(&f, ROUTE_CREATES, STAGE_BEFORE, true), 0);
    assert_int_equal(meet(&f, ROUTE_CREATES, STAGE_AFTER, true), 1);
    assert_int_equal(meet(&f, ROUTE_ANY, STAGE_HEAD, false), 0);
    assert_int_equal(meet(&f, ROUTE_ANY, STAGE_HEAD, true), 1);
    assert_int_equal(faults_meet(&f, &poll, out), 0);
    assert_int_equal(faults_meet(&f, &poll, out), 1);
    assert_int_equal(out[0].id, FAULT_STATUS);
    assert_int_equal(out[0].number, 503);
    assert_string_equal(fault_text(&out[0], KEY_CODE), "abc");
    assert_null(fault_text(&out[0], KEY_BODY));
    assert_string_equal(fault_arg(&out[0]), "503");
}

static void faults_around_requests_add_up_by_line_and_go_by_name(void **state)
{
    struct faults f = {0};

    (void)state;
    assert_true(faults_arm(&f, "status=503", NULL));
    assert_true(faults_arm(&f, "status=503", NULL));
    assert_int_equal(f.routed_count, 1);
    assert_true(faults_arm(&f, "status=502", NULL));
    assert_true(faults_arm(&f, "create-500", NULL));
    assert_true(faults_arm(&f, "lost-create=3", NULL));
    assert_int_equal(f.routed_count, 4);
    assert_true(faults_arm(&f, "create-500=off", NULL));
    assert_int_equal(f.routed_count, 3);
    assert_true(faults_arm(&f, "status=off", NULL));
    assert_int_equal(f.routed_count, 1);
    assert_int_equal(f.routed[0].route, ROUTE_CREATES);
    assert_int_equal(f.routed[0].at, STAGE_AFTER);
    assert_int_equal(f.routed[0].from, 3);
    assert_true(faults_arm(&f, "clear", NULL));
    assert_int_equal(f.routed_count, 0);
}

static void values_are_kept_as_they_were_given(void **state)
{
    struct faults f = {0};
    char longest[300];

    (void)state;
    assert_true(faults_arm(&f, "set=a.b:when=1:to={\"x\":1}", NULL));
    assert_string_equal(fault_arg(&f.routed[0]), "a.b");
    assert_string_equal(fault_text(&f.routed[0], KEY_TO), "{\"x\":1}");
    assert_true(faults_arm(&f, "cut=stall:byte=17", NULL));
    assert_int_equal(f.of[FAULT_CUT].choice, CUT_STALL);
    assert_int_equal(fault_count(&f.of[FAULT_CUT], KEY_BYTE, 5), 17);
    assert_int_equal(fault_count(&f.of[FAULT_CUT], KEY_LINE, 5), 5);
    assert_true(faults_arm(&f, "wrong-length=-3", NULL));
    assert_int_equal(f.of[FAULT_WRONG_LENGTH].by, -3);
    assert_true(faults_arm(&f, "stuck=cancelling", NULL));
    assert_true(f.of[FAULT_STUCK_CANCELLING].armed);
    assert_false(f.of[FAULT_STUCK_VALIDATING].armed);
    memset(longest, 'x', sizeof(longest));
    memcpy(longest, "omit=", 5);
    longest[FAULT_SPEC_MAX] = '\0';
    assert_false(faults_arm(&f, longest, NULL));
    longest[FAULT_SPEC_MAX - 1] = '\0';
    assert_true(faults_arm(&f, longest, NULL));
}

static void quantities_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } durations[] = {
        {"200ms",  200    },
        {"5s",     5000   },
        {"2m",     120000 },
        {"1.5s",   1500   },
        {"0",      0      },
        {"1h",     3600000},
        {"5",      -1     },
        {"s",      -1     },
        {"-1s",    -1     },
        {"1e3s",   -1     },
        {"1.2.3s", -1     },
        {"",       -1     },
        {"5 s",    -1     },
        {"400d",   -1     },
        {"0x10s",  -1     }
    };
    static const struct {
        const char *text;
        int64_t bytes;
    } sizes[] = {
        {"1024",  1024     },
        {"100kB", 100000   },
        {"200MB", 200000000},
        {"1GiB",  1 << 30  },
        {"2MiB",  2 << 20  },
        {"1XB",   -1       },
        {"",      -1       },
        {"-5",    -1       }
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        int64_t ms = -1;

        assert_int_equal(quantity_duration(durations[i].text, &ms), durations[i].ms >= 0);
        assert_int_equal(ms, durations[i].ms);
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        uint64_t bytes = UINT64_MAX;

        assert_int_equal(quantity_size(sizes[i].text, &bytes), sizes[i].bytes >= 0);
        assert_true(bytes == (uint64_t)sizes[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specs_are_read_or_refused),
        cmocka_unit_test(occasions_are_struck_as_said),
        cmocka_unit_test(a_share_is_a_share),
        cmocka_unit_test(rows_get_another_chance_unless_always),
        cmocka_unit_test(once_spares_who_was_struck),
        cmocka_unit_test(lines_are_armed_one_by_one),
        cmocka_unit_test(arming_again_counts_anew),
        cmocka_unit_test(faults_around_requests_meet_their_own),
        cmocka_unit_test(faults_around_requests_add_up_by_line_and_go_by_name),
        cmocka_unit_test(values_are_kept_as_they_were_given),
        cmocka_unit_test(quantities_have_units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
