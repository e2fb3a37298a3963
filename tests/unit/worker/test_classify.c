#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/json/result_line.h"
#include "worker/core/classify.h"

static const struct {
    const char *name;
    const char *line;
    enum outcome want;
} cases[] = {
    {"status 200 and no error is a success",
     "{\"custom_id\":\"a\",\"response\":{\"status_code\":200,\"body\":{}},\"error\":null}",                                     OUTCOME_OK   },
    {"a missing error member is fine",
     "{\"response\":{\"status_code\":200,\"body\":{\"choices\":[]}},\"custom_id\":\"a\"}",                                      OUTCOME_OK   },
    {"an error inside a body with status 200 is not a success",
     "{\"response\":{\"status_code\":200,\"body\":{\"error\":{\"code\":\"x\"}}}}",                                              OUTCOME_RETRY},
    {"status 200 beside an error is not a success",
     "{\"response\":{\"status_code\":200,\"body\":{}},\"error\":{\"code\":\"server_error\"}}",                                  OUTCOME_RETRY},
    {"bad request will not change",
     "{\"response\":{\"status_code\":400,\"body\":{\"error\":{\"code\":\"x\"}}},\"error\":null}",                               OUTCOME_PERM },
    {"content filter will not change",                          "{\"response\":{\"status_code\":422,\"body\":{}}}",
     OUTCOME_PERM                                                                                                                            },
    {"rate limit inside a batch is tried again",                "{\"response\":{\"status_code\":429,\"body\":{}}}",
     OUTCOME_RETRY                                                                                                                           },
    {"server error is tried again",                             "{\"response\":{\"status_code\":500,\"body\":{}}}",
     OUTCOME_RETRY                                                                                                                           },
    {"status 0 is tried again",                                 "{\"response\":{\"status_code\":0,\"body\":{}}}",               OUTCOME_RETRY},
    {"expired is free",
     "{\"response\":null,\"error\":{\"code\":\"batch_expired\",\"message\":\"m\"}}",                                            OUTCOME_FREE },
    {"cancelled is free",                                       "{\"response\":null,\"error\":{\"code\":\"batch_cancelled\"}}",
     OUTCOME_FREE                                                                                                                            },
    {"timed out is free",                                       "{\"response\":null,\"error\":{\"code\":\"request_timeout\"}}",
     OUTCOME_FREE                                                                                                                            },
    {"an unknown code without a status is tried again",
     "{\"response\":null,\"error\":{\"code\":\"weird\"}}",                                                                      OUTCOME_RETRY},
    {"neither response nor error is tried again",               "{\"custom_id\":\"a\"}",                                        OUTCOME_RETRY},
};

static void each_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct result_line line;
        struct json_error error;

        print_message("  %s\n", cases[i].name);
        assert_true(result_line_parse(cases[i].line, strlen(cases[i].line), &line, &error));
        assert_string_equal(outcome_name(classify_line(&line)), outcome_name(cases[i].want));
    }
}

static void no_money_is_free_and_noticed(void **state)
{
    static const char text[] = "{\"response\":{\"status_code\":429,\"body\":{\"error\":"
                               "{\"code\":\"insufficient_quota\"}}}}";
    struct result_line line;

    (void)state;
    assert_true(result_line_parse(text, strlen(text), &line, NULL));
    assert_string_equal(outcome_name(classify_line(&line)), "free");
    assert_true(classify_unpaid(&line));
    assert_true(result_line_parse(cases[6].line, strlen(cases[6].line), &line, NULL));
    assert_false(classify_unpaid(&line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case),
        cmocka_unit_test(no_money_is_free_and_noticed),
    };
    return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
