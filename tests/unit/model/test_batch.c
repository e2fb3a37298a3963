#include "tests/testlib/unit.h"

#include "common/base/attr.h"
#include "common/model/batch.h"

static const enum batch_state all[] = {BATCH_BUILD, BATCH_SUBMIT, BATCH_RUN, BATCH_FETCH,
                                       BATCH_CLEAN};

static void names_are_read_back(void **state)
{
    enum batch_state back = BATCH_BUILD;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        assert_true(batch_state_parse(batch_state_name(all[i]), &back));
        assert_int_equal(back, all[i]);
    }
    assert_false(batch_state_parse("LIVE", &back));
}

/* There is one exit: whatever happens, results or the lack of them are integrated in FETCH. */
static void every_state_reaches_clean_through_fetch_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i] != BATCH_CLEAN)
            assert_true(batch_may_move(all[i], BATCH_FETCH));
        if (all[i] != BATCH_FETCH && all[i] != BATCH_CLEAN)
            assert_false(batch_may_move(all[i], BATCH_CLEAN));
    }
}

static void what_is_integrated_is_never_submitted_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        assert_int_equal(batch_may_move(BATCH_CLEAN, all[i]), all[i] == BATCH_CLEAN);
        assert_int_equal(batch_may_move(BATCH_FETCH, all[i]),
                         all[i] == BATCH_FETCH || all[i] == BATCH_CLEAN);
    }
    assert_false(batch_may_move(BATCH_BUILD, BATCH_RUN)); /* never without an intent */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_back),
        cmocka_unit_test(every_state_reaches_clean_through_fetch_only),
        cmocka_unit_test(what_is_integrated_is_never_submitted_again),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
