#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/provider/profile.h"

#define HOUR_MS 3600000

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
        assert_true(profile->limits.window_ms >= 24 * HOUR_MS);
        assert_int_equal(profile->limits.stuck_validating_ms, HOUR_MS);
        assert_int_equal(profile->limits.stuck_finalizing_ms, HOUR_MS);
        assert_int_equal(profile->limits.stuck_running_ms, HOUR_MS);
        assert_true(profile->limits.stuck_cancel_ms >= 6 * HOUR_MS);
        assert_int_equal(profile->limits.stuck_cancelling_ms, HOUR_MS / 4);
        assert_true(profile->limits.custom_id_min <= profile->limits.custom_id_max);
        assert_non_null(profile->dialect);
        assert_non_null(profile->list_cursor);
        assert_true(profile->upload_expiry == PROVIDER_EXPIRY_NONE ||
                    profile->limits.expires_after_s >= 1209600);
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
    {"openai",     "/v1/chat/completions",   "/v1/chat/completions",   50000 },
    {"openai",     "/v4/chat/completions",   "/v1/chat/completions",   50000 },
    {"openai",     "/v1/responses",          "/v1/responses",          50000 },
    {"zhipu",      "/v1/chat/completions",   "/v4/chat/completions",   50000 },
    {"zhipu",      "/v4/chat/completions",   "/v4/chat/completions",   50000 },
    {"zhipu",      "/v1/embeddings",         "/v4/embeddings",         10000 },
    {"zhipu",      "/v4/embeddings",         "/v4/embeddings",         10000 },
    {"zhipu",      "/v1/images/generations", "/v4/images/generations", 50000 },
    {"zhipu",      "/v9/else",               "/v9/else",               50000 },
    {"azure",      "/v1/chat/completions",   "/chat/completions",      100000},
    {"azure",      "/chat/completions",      "/chat/completions",      100000},
    {"azure",      "/v1/responses",          "/v1/responses",          100000},
    {"dashscope",  "/v4/chat/completions",   "/v1/chat/completions",   50000 },
    {"dashscope",  "/v1/chat/ds-test",       "/v1/chat/ds-test",       50000 },
    {"groq",       "/v1/chat/completions",   "/v1/chat/completions",   50000 },
    {"doubleword", "/v4/embeddings",         "/v1/embeddings",         50000 },
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

/* clang-format off */
static const struct {
    const char *profile, *base_url;
    bool own;
} sites[] = {
    {"openai",    NULL, true},
    {"openai",    "https://api.openai.com/v1", true},
    {"openai",    "https://eu.api.openai.com/v1", true},
    {"openai",    "https://API.OPENAI.COM:443/v2", true},
    {"openai",    "https://notapi.openai.com/v1", false},
    {"openai",    "https://api.openai.com.example.org/v1", false},
    {"openai",    "http://127.0.0.1:9000/v1", false},
    {"openai",    "http://[::1]:9000/v1", false},
    {"openai",    "nonsense", false},
    {"zhipu",     "https://api.z.ai/api/paas/v4", true},
    {"zhipu",     "https://x.api.z.ai/api/paas/v4", false},
    {"azure",     "https://me.openai.azure.com/openai/v1", true},
    {"azure",     "https://me.cognitiveservices.azure.com/openai/v1", true},
    {"azure",     "https://api.openai.com/v1", false},
    {"dashscope", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", true},
    {"groq",      "https://example.org/openai/v1", false},
};
/* clang-format on */

static void what_a_vendor_publishes_holds_at_its_own_servers_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sites); i++) {
        const struct provider_profile *profile = provider_profile_find(sites[i].profile);
        struct provider_limits at = provider_limits_at(profile, sites[i].base_url);
        struct provider_limits own = profile->limits;

        print_message("  %s %s\n", sites[i].profile, sites[i].base_url);
        assert_int_equal(at.poll_min_ms, sites[i].own ? own.poll_min_ms : 0);
        assert_int_equal(at.creates_per_hour, sites[i].own ? own.creates_per_hour : 0);
        assert_int_equal(at.uploads_per_min, sites[i].own ? own.uploads_per_min : 0);
        assert_int_equal(at.files_stored, sites[i].own ? own.files_stored : 0);
        assert_int_equal(at.storage_bytes, sites[i].own ? own.storage_bytes : 0);
        assert_int_equal(at.expires_after_s, sites[i].own ? own.expires_after_s : 0);
        assert_int_equal(at.max_bytes, own.max_bytes);
        assert_int_equal(at.stuck_cancel_ms, own.stuck_cancel_ms);
    }
}

static void an_address_is_checked_and_asked_for(void **state)
{
    struct err err = {0};

    (void)state;
    assert_true(provider_check_base_url(provider_profile_find("openai"), NULL, &err));
    assert_false(provider_check_base_url(provider_profile_find("azure"), NULL, &err));
    assert_string_equal(err.msg, "azure has no address for all: give --base-url, such as "
                                 "https://RESOURCE.openai.azure.com/openai/v1");
    assert_int_equal(err.kind, ERR_USAGE);
    assert_true(provider_check_base_url(provider_profile_find("azure"),
                                        "https://me.openai.azure.com/openai/v1", &err));
    assert_false(provider_check_base_url(provider_profile_find("openai"), "https://h/v1?x", &err));
    assert_false(provider_check_base_url(provider_profile_find("openai"), "ftp://h/v1", &err));
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

    provider_account_id(a, "sk-1", NULL, b);
    provider_account_id(a, "sk-2", NULL, c);
    assert_string_not_equal(b, c);
    provider_account_id(a, "sk-1", NULL, c);
    assert_string_equal(b, c);
    provider_account_id("000000000000", "sk-1", NULL, c);
    assert_string_not_equal(b, c);
}

static void an_account_can_be_named_so_that_keys_can_change(void **state)
{
    char a[PROVIDER_ID_LEN + 1], b[PROVIDER_ID_LEN + 1];

    (void)state;
    provider_account_id("000000000000", "sk-1", "team a", a);
    provider_account_id("000000000000", "sk-2", "team a", b);
    assert_string_equal(a, b);
    assert_int_equal(strspn(a, "0123456789abcdef"), PROVIDER_ID_LEN);
    provider_account_id("000000000000", "sk-1", "team b", b);
    assert_string_not_equal(a, b);
    provider_account_id("000000000001", "sk-1", "team a", b);
    assert_string_not_equal(a, b);
    /* A name is no key: nobody can ask for the account of a key by giving it as a name. */
    provider_account_id("000000000000", "team a", NULL, b);
    assert_string_not_equal(a, b);
    /* The id that a message gave. */
    provider_account_id("000000000000", "sk-1", "0123456789ab", b);
    assert_string_equal(b, "0123456789ab");
    provider_account_id("000000000000", "sk-1", "0123456789AB", b);
    assert_string_not_equal(b, "0123456789AB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_has_a_profile_and_no_other_has),
        cmocka_unit_test(endpoints_are_named_as_the_provider_does),
        cmocka_unit_test(the_margin_comes_off_the_stated_size),
        cmocka_unit_test(only_the_provider_itself_has_a_least_poll_interval),
        cmocka_unit_test(what_a_vendor_publishes_holds_at_its_own_servers_only),
        cmocka_unit_test(an_address_is_checked_and_asked_for),
        cmocka_unit_test(an_account_can_be_named_so_that_keys_can_change),
        cmocka_unit_test(ids_tell_sites_and_keys_apart_and_stay_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
