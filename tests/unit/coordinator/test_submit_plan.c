#include "tests/testlib/unit.h"

#include "common/base/attr.h"
#include "coordinator/core/submit_plan.h"

static struct submit_decision decide(enum provider_operation op, enum provider_class class,
                                     int64_t retry_after_ms)
{
    struct provider_error e = {.class = class, .retry_after_ms = retry_after_ms, .line = -1};

    return submit_decide(op, &e);
}

static void each_class(void **state)
{
    static const struct {
        const char *name;
        enum provider_operation op;
        enum provider_class class;
        int64_t retry_after_ms;
        enum submit_action want;
        int64_t wait_ms;
    } cases[] = {
        {"an upload may always be repeated",         PROVIDER_OP_UPLOAD, PROVIDER_AMBIGUOUS,      -1,
         SUBMIT_AGAIN,                                                                                                       2000  },
        {"a create that did not leave is repeated",  PROVIDER_OP_CREATE, PROVIDER_NOT_SENT,       -1,
         SUBMIT_AGAIN,                                                                                                       2000  },
        {"a create of unknown outcome is looked up", PROVIDER_OP_CREATE, PROVIDER_AMBIGUOUS,      -1,
         SUBMIT_RESOLVE,                                                                                                     0     },
        {"the provider's wish to wait wins",         PROVIDER_OP_CREATE, PROVIDER_RATE_LIMIT,     20000,
         SUBMIT_AGAIN,                                                                                                       20000 },
        {"but not its wish to hurry",                PROVIDER_OP_CREATE, PROVIDER_RATE_LIMIT,     10,      SUBMIT_AGAIN,
         15000                                                                                                                     },
        {"and not for longer than 15 minutes",       PROVIDER_OP_CREATE, PROVIDER_RATE_LIMIT,     7200000,
         SUBMIT_AGAIN,                                                                                                       900000},
        {"a full queue holds the lane",              PROVIDER_OP_CREATE, PROVIDER_QUOTA_ENQUEUED, -1,
         SUBMIT_HOLD_LANE,                                                                                                   60000 },
        {"no money holds the lane",                  PROVIDER_OP_CREATE, PROVIDER_BILLING,        -1,      SUBMIT_HOLD_LANE,
         900000                                                                                                                    },
        {"a refused key is told",                    PROVIDER_OP_UPLOAD, PROVIDER_AUTH,           -1,      SUBMIT_KEY,       15000 },
        {"a file that is not visible yet: wait",     PROVIDER_OP_CREATE, PROVIDER_NOT_FOUND,      -1,
         SUBMIT_AGAIN,                                                                                                       5000  },
        {"a bad file is given up",                   PROVIDER_OP_UPLOAD, PROVIDER_INVALID_FILE,   -1,      SUBMIT_FAIL,      0     },
        {"a refused create is given up",             PROVIDER_OP_CREATE, PROVIDER_REFUSED,        -1,      SUBMIT_FAIL,      0     },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct submit_decision d = decide(cases[i].op, cases[i].class, cases[i].retry_after_ms);

        print_message("  %s\n", cases[i].name);
        assert_string_equal(submit_action_name(d.action), submit_action_name(cases[i].want));
        assert_int_equal(d.wait_ms, cases[i].wait_ms);
    }
}

/* A second create where the first may have worked is a second bill. */
static void whatever_may_have_worked_is_never_just_repeated(void **state)
{
    static const enum provider_class unsure[] = {PROVIDER_AMBIGUOUS, PROVIDER_UNKNOWN,
                                                 PROVIDER_TRUNCATED, PROVIDER_ABORTED};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(unsure); i++)
        assert_int_equal(decide(PROVIDER_OP_CREATE, unsure[i], -1).action, SUBMIT_RESOLVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class),
        cmocka_unit_test(whatever_may_have_worked_is_never_just_repeated),
    };
    return cmocka_run_group_tests_name("submit_plan", tests, NULL, NULL);
}
