#include "tests/testlib/unit.h"

#include <string.h>

#include "cli/core/limits_print.h"

static void every_limit_of_every_profile_is_shown(void **state)
{
    const char *const *names = provider_profile_names();

    (void)state;
    for (; *names != NULL; names++) {
        const struct provider_profile *profile = provider_profile_find(*names);
        struct limits_view view = {*names, &profile->limits, &profile->limits};
        struct buf out = BUF_INIT(65536);

        limits_print_text(&view, &out);
        assert_non_null(strstr(out.data, *names));
        assert_non_null(strstr(out.data, "max_requests"));
        assert_non_null(strstr(out.data, "stuck_cancelling "));
        assert_null(strstr(out.data, "the profile has"));
        buf_release(&out);
    }
}

static void what_the_file_overrides_is_told_apart(void **state)
{
    struct provider_limits built_in = {.max_requests = 50000, .poll_min_ms = 30000};
    struct provider_limits now = built_in;
    struct limits_view view = {"openai", &now, &built_in};
    struct buf out = BUF_INIT(65536);

    (void)state;
    now.max_requests = 1000;
    now.poll_min_ms = 0;
    now.storage_bytes = 5000000000;
    limits_print_text(&view, &out);
    assert_non_null(strstr(out.data, "1000  requests in a batch file (the profile has 50000)\n"));
    assert_non_null(strstr(out.data, "-  between two looks at a batch (the profile has 30s)\n"));
    assert_non_null(strstr(out.data, "5.0 GB  stored at once (the profile has -)\n"));
    buf_clear(&out);
    limits_print_json(&view, &out);
    assert_non_null(strstr(out.data, "\"max_requests\":{\"value\":1000,\"profile\":50000}"));
    assert_non_null(strstr(out.data, "\"poll_min\":{\"value\":null,\"profile\":30000}"));
    buf_release(&out);
}

static void a_profile_of_the_users_own_has_nothing_beside_it(void **state)
{
    struct provider_limits now = {.max_requests = 7};
    struct limits_view view = {"mine", &now, NULL};
    struct buf out = BUF_INIT(65536);

    (void)state;
    limits_print_text(&view, &out);
    assert_null(strstr(out.data, "the profile has"));
    buf_clear(&out);
    limits_print_json(&view, &out);
    assert_non_null(strstr(out.data, "{\"max_requests\":{\"value\":7,\"profile\":null}"));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_limit_of_every_profile_is_shown),
        cmocka_unit_test(what_the_file_overrides_is_told_apart),
        cmocka_unit_test(a_profile_of_the_users_own_has_nothing_beside_it),
    };
    return cmocka_run_group_tests_name("limits_print", tests, NULL, NULL);
}
