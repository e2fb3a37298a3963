#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/enrich/pair_fold.h"

/* What the rounds said, a letter each. */
static enum pair_state said(char letter)
{
    static const char letters[] = "?snpkrilf";

    return (enum pair_state)(strchr(letters, letter) - letters);
}

static const struct {
    const char *rounds;
    enum on_invalid how;
    unsigned tries;
    bool fallback;
    enum pair_verdict now, closed;
} cases[] = {
  /* What is final at once. */
    {"k",    ON_INVALID_RETRY,   2, true,  VERDICT_OK,        VERDICT_OK       },
    {"r",    ON_INVALID_RETRY,   2, true,  VERDICT_REPAIRED,  VERDICT_REPAIRED },
    {"s",    ON_INVALID_RETRY,   2, true,  VERDICT_SKIPPED,   VERDICT_SKIPPED  },
    {"n",    ON_INVALID_RETRY,   2, true,  VERDICT_FAILED,    VERDICT_FAILED   },
    {"p",    ON_INVALID_RETRY,   2, false, VERDICT_FAILED,    VERDICT_FAILED   },
    {"p",    ON_INVALID_RETRY,   2, true,  VERDICT_DEFAULTED, VERDICT_DEFAULTED},
    {"f",    ON_INVALID_RETRY,   9, false, VERDICT_FAILED,    VERDICT_FAILED   },
    {"f",    ON_INVALID_RETRY,   9, true,  VERDICT_DEFAULTED, VERDICT_DEFAULTED},
    {"f",    ON_INVALID_DEFAULT, 1, true,  VERDICT_DEFAULTED, VERDICT_DEFAULTED},
    {"f",    ON_INVALID_FAIL,    1, false, VERDICT_FAILED,    VERDICT_FAILED   },

 /* Answers that are not valid. */
    {"i",    ON_INVALID_RETRY,   2, false, VERDICT_OPEN,      VERDICT_FAILED   },
    {"i",    ON_INVALID_RETRY,   2, true,  VERDICT_OPEN,      VERDICT_DEFAULTED},
    {"ii",   ON_INVALID_RETRY,   2, false, VERDICT_FAILED,    VERDICT_FAILED   },
    {"ii",   ON_INVALID_RETRY,   2, true,  VERDICT_DEFAULTED, VERDICT_DEFAULTED},
    {"ii",   ON_INVALID_RETRY,   3, true,  VERDICT_OPEN,      VERDICT_DEFAULTED},
    {"iii",  ON_INVALID_RETRY,   3, true,  VERDICT_DEFAULTED, VERDICT_DEFAULTED},
    {"i",    ON_INVALID_RETRY,   1, true,  VERDICT_DEFAULTED, VERDICT_DEFAULTED},
    {"i",    ON_INVALID_DEFAULT, 1, true,  VERDICT_DEFAULTED, VERDICT_DEFAULTED},
    {"i",    ON_INVALID_FAIL,    1, false, VERDICT_FAILED,    VERDICT_FAILED   },
    {"ik",   ON_INVALID_RETRY,   2, true,  VERDICT_OK,        VERDICT_OK       },
    {"ir",   ON_INVALID_RETRY,   2, true,  VERDICT_REPAIRED,  VERDICT_REPAIRED },
    {"if",   ON_INVALID_RETRY,   5, false, VERDICT_FAILED,    VERDICT_FAILED   },
    {"ip",   ON_INVALID_RETRY,   5, false, VERDICT_FAILED,    VERDICT_FAILED   },

 /* Rows whose pack said nothing of them: asked again whatever the recipe says, no try spent. */
    {"l",    ON_INVALID_RETRY,   1, true,  VERDICT_OPEN,      VERDICT_DEFAULTED},
    {"l",    ON_INVALID_DEFAULT, 1, true,  VERDICT_OPEN,      VERDICT_DEFAULTED},
    {"l",    ON_INVALID_FAIL,    1, false, VERDICT_OPEN,      VERDICT_FAILED   },
    {"li",   ON_INVALID_RETRY,   2, false, VERDICT_OPEN,      VERDICT_FAILED   },
    {"lii",  ON_INVALID_RETRY,   2, false, VERDICT_FAILED,    VERDICT_FAILED   },
    {"li",   ON_INVALID_FAIL,    1, false, VERDICT_FAILED,    VERDICT_FAILED   },
    {"lk",   ON_INVALID_FAIL,    1, false, VERDICT_OK,        VERDICT_OK       },
    {"lf",   ON_INVALID_RETRY,   2, false, VERDICT_FAILED,    VERDICT_FAILED   },

 /* A resubmission of an earlier round may bring what a later one has as well. */
    {"kr",   ON_INVALID_RETRY,   2, false, VERDICT_REPAIRED,  VERDICT_REPAIRED },
    {"rk",   ON_INVALID_RETRY,   2, false, VERDICT_OK,        VERDICT_OK       },
    {"ki",   ON_INVALID_RETRY,   2, false, VERDICT_OK,        VERDICT_OK       },
    {"kf",   ON_INVALID_RETRY,   2, false, VERDICT_OK,        VERDICT_OK       },
    {"rlip", ON_INVALID_RETRY,   2, false, VERDICT_REPAIRED,  VERDICT_REPAIRED },

    {"",     ON_INVALID_RETRY,   2, false, VERDICT_OPEN,      VERDICT_FAILED   },
};

static void what_the_rounds_said_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct pair_rule rule = {cases[i].how, cases[i].tries, cases[i].fallback};
        struct pair pair = {0};

        for (const char *p = cases[i].rounds; *p != '\0'; p++)
            (void)pair_fold(&pair, said(*p));
        print_message("  \"%s\" %d %u%s\n", cases[i].rounds, (int)rule.on_invalid, rule.tries,
                      rule.has_fallback ? " default" : "");
        assert_string_equal(pair_verdict_name(pair_verdict(&pair, &rule, false)),
                            pair_verdict_name(cases[i].now));
        assert_string_equal(pair_verdict_name(pair_verdict(&pair, &rule, true)),
                            pair_verdict_name(cases[i].closed));
    }
}

static void only_an_older_valid_answer_counts_before_what_is_newer(void **state)
{
    (void)state;
    for (int old = PAIR_UNKNOWN; old <= PAIR_FAILED; old++) {
        for (int now = PAIR_SKIPPED; now <= PAIR_FAILED; now++) {
            bool keeps =
                (old == PAIR_OK || old == PAIR_REPAIRED) && now != PAIR_OK && now != PAIR_REPAIRED;
            struct pair pair = {.state = (enum pair_state)old};

            print_message("  %d, then %d\n", old, now);
            assert_int_equal(pair_fold(&pair, (enum pair_state)now), !keeps);
            assert_int_equal(pair.state, keeps ? old : now);
        }
    }
}

static const struct {
    const char *code;
    bool pack;
    enum pair_state state;
} failures[] = {
    {"content_filter",    false, PAIR_FAILED},
    {"content_filter",    true,  PAIR_LOST  },
    {"missing_result",    true,  PAIR_LOST  },
    {"http_400",          true,  PAIR_LOST  },
    {"",                  true,  PAIR_LOST  },
    {"",                  false, PAIR_FAILED},
    {"job_cancelled",     true,  PAIR_FAILED},
    {"model_unsupported", true,  PAIR_FAILED},
};

static void the_rows_of_a_pack_that_failed_are_asked_alone_where_that_may_help(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++)
        assert_int_equal(pair_of_failure(failures[i].code, failures[i].pack), failures[i].state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_rounds_said_decides),
        cmocka_unit_test(only_an_older_valid_answer_counts_before_what_is_newer),
        cmocka_unit_test(the_rows_of_a_pack_that_failed_are_asked_alone_where_that_may_help),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
