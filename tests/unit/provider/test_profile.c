#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/provider/profile.h"

static void every_name_has_a_profile_and_no_other_has(void **state)
{
    (void)state;
    for (const char *const *name = provider_profile_names(); *name != NULL; name++) {
        const struct provider_profile *profile = provider_profile_find(*name);

        assert_non_null(profile);
        assert_string_equal(profile->name, *name);
        assert_non_null(profile->key_names[0]);
        assert_int_equal(strncmp(profile->base_url, "https://", 8), 0);
        assert_true(profile->base_url[strlen(profile->base_url) - 1] != '/');
        assert_true(profile->limits.max_requests > 0);
        assert_true(profile->limits.max_bytes > 0);
        assert_true(profile->limits.visibility_lag_ms > 0);
        assert_int_equal(profile->limits.batches_alive, 10);
    }
    assert_null(provider_profile_find("opena"));
    assert_null(provider_profile_find(""));
}

static const struct {
    const char *profile;
    const char *url;
    const char *theirs;
    uint32_t max_requests;
} endpoints[] = {
    {"openai", "/v1/chat/completions",   "/v1/chat/completions",   50000},
    {"openai", "/v4/chat/completions",   "/v1/chat/completions",   50000},
    {"openai", "/v1/responses",          "/v1/responses",          50000},
    {"zhipu",  "/v1/chat/completions",   "/v4/chat/completions",   50000},
    {"zhipu",  "/v4/chat/completions",   "/v4/chat/completions",   50000},
    {"zhipu",  "/v1/embeddings",         "/v4/embeddings",         10000},
    {"zhipu",  "/v4/embeddings",         "/v4/embeddings",         10000},
    {"zhipu",  "/v1/images/generations", "/v4/images/generations", 50000},
    {"zhipu",  "/v9/else",               "/v9/else",               50000},
};

static void endpoints_are_named_as_the_provider_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
        const struct provider_profile *profile = provider_profile_find(endpoints[i].profile);

        print_message("  %s %s\n", endpoints[i].profile, endpoints[i].url);
        assert_string_equal(provider_endpoint_for(profile, endpoints[i].url), endpoints[i].theirs);
        assert_int_equal(provider_max_requests(profile, endpoints[i].url),
                         endpoints[i].max_requests);
    }
}

static void the_margin_comes_off_the_stated_size(void **state)
{
    (void)state;
    assert_int_equal(provider_max_bytes(provider_profile_find("openai")), 190000000);
    assert_int_equal(provider_max_bytes(provider_profile_find("zhipu")), 95000000);
}

static void only_the_provider_itself_has_a_least_poll_interval(void **state)
{
    const struct provider_profile *zhipu = provider_profile_find("zhipu");

    (void)state;
    assert_int_equal(provider_poll_min_ms(zhipu, NULL), 30000);
    assert_int_equal(provider_poll_min_ms(zhipu, zhipu->base_url), 30000);
    assert_int_equal(provider_poll_min_ms(zhipu, "http://127.0.0.1:9000/v1"), 0);
}

static void ids_tell_sites_and_keys_apart_and_stay_the_same(void **state)
{
    const struct provider_profile *openai = provider_profile_find("openai");
    char a[PROVIDER_ID_LEN + 1], b[PROVIDER_ID_LEN + 1], c[PROVIDER_ID_LEN + 1];

    (void)state;
    provider_site_id(openai, NULL, a);
    provider_site_id(openai, "https://api.openai.com/v1", b);
    assert_string_equal(a, b);
    /* Stored in Redis and in job.json: another value would be another site. */
    assert_string_equal(a, "16d4b2e1240b");
    assert_int_equal(strspn(a, "0123456789abcdef"), PROVIDER_ID_LEN);
    provider_site_id(provider_profile_find("zhipu"), "https://api.openai.com/v1", b);
    assert_string_not_equal(a, b);
    provider_site_id(openai, "https://api.openai.com/v2", b);
    assert_string_not_equal(a, b);

    provider_account_id(a, "sk-1", b);
    provider_account_id(a, "sk-2", c);
    assert_string_not_equal(b, c);
    provider_account_id(a, "sk-1", c);
    assert_string_equal(b, c);
    provider_account_id("000000000000", "sk-1", c);
    assert_string_not_equal(b, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_has_a_profile_and_no_other_has),
        cmocka_unit_test(endpoints_are_named_as_the_provider_does),
        cmocka_unit_test(the_margin_comes_off_the_stated_size),
        cmocka_unit_test(only_the_provider_itself_has_a_least_poll_interval),
        cmocka_unit_test(ids_tell_sites_and_keys_apart_and_stay_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
