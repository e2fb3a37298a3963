#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/config/config.h"
#include "common/provider/profile.h"

/* What a configuration file says of providers, from its text to the profile. */

#define DAY_MS (INT64_C(86400) * 1000)

static void read_tree(const char *text, struct tree *tree)
{
    struct settings none = {.program = "test", .groups = ~0U};
    const struct config_branch branches[] = {
        {"providers", tree},
        {NULL,        NULL},
    };
    struct err err = {0};

    *tree = (struct tree){0};
    if (!config_read_text(&none, "sheaf.yaml", text, strlen(text), branches, &err))
        fail_msg("%s", err.msg);
}

/* The profile @name of the file @text; fails the test when there is none. */
static struct provider_profile_box load(const char *text, const char *name)
{
    struct provider_profile_box box = {0};
    struct tree tree;
    struct err err = {0};

    read_tree(text, &tree);
    bool ok = provider_profile_load(name, &tree, &box, &err);
    tree_release(&tree); /* all is copied */
    if (!ok)
        fail_msg("%s", err.msg);
    return box;
}

static void without_a_file_it_is_the_built_in_profile(void **state)
{
    struct provider_profile_box box;
    struct err err = {0};

    (void)state;
    for (const char *const *name = provider_profile_names(); *name != NULL; name++) {
        assert_true(provider_profile_load(*name, NULL, &box, &err));
        assert_memory_equal(&box.profile, provider_profile_find(*name), sizeof(box.profile));
        provider_profile_release(&box);
        assert_null(box.profile.name);
    }
}

static void every_field_can_be_said(void **state)
{
    struct provider_profile_box box = load("providers:\n"
                                           "  mine:\n"
                                           "    like: openai\n"
                                           "    base_url: https://llm.example.org/v1/\n"
                                           "    auth_header: X-Key\n"
                                           "    file_type: application/json\n"
                                           "    completion_window: 48h\n"
                                           "    metadata_name: label\n"
                                           "    list_cursor: from\n"
                                           "    upload_expiry: dots\n"
                                           "    output-expiry: no\n"
                                           "    has_metadata: false\n"
                                           "    keeps_input_file: yes\n"
                                           "    has_file_get: false\n"
                                           "    files_unpaged: true\n"
                                           "    validates_upload: true\n",
                                           "mine");
    const struct provider_profile *p = &box.profile;

    (void)state;
    assert_string_equal(p->name, "mine");
    assert_string_equal(p->base_url, "https://llm.example.org/v1");
    assert_string_equal(p->auth_header, "X-Key");
    assert_string_equal(p->file_type, "application/json");
    assert_string_equal(p->completion_window, "48h");
    assert_string_equal(p->metadata_name, "label");
    assert_string_equal(p->list_cursor, "from");
    assert_int_equal(p->upload_expiry, PROVIDER_EXPIRY_DOTS);
    assert_false(p->output_expiry);
    assert_false(p->has_metadata);
    assert_true(p->keeps_input_file);
    assert_false(p->has_file_get);
    assert_true(p->files_unpaged);
    assert_true(p->validates_upload);
    assert_int_equal(p->limits.window_ms, 2 * DAY_MS); /* follows what is asked for */
    assert_int_equal(p->limits.max_requests, 50000);   /* the rest is as openai */
    assert_string_equal(p->key_names[0], "OPENAI_API_KEY");
    provider_profile_release(&box);
}

static void every_limit_can_be_said(void **state)
{
    struct provider_profile_box box =
        load("providers:\n"
             "  openai:\n"
             "    limits: {max_requests: 1, max_bytes: 2MB, margin_pct: 3, max_line_bytes: 4kB,\n"
             "      custom_id_min: 5, custom_id_max: 6, batches_alive: 7, creates_per_hour: 8,\n"
             "      uploads_per_min: 9, polls_per_min: 10, files_stored: 11, storage_bytes: 12GB,\n"
             "      enqueued_tokens: 13, enqueued_requests: 14, poll_min: 15s,\n"
             "      visibility_lag: 16s, output_kept: 17s, window: 18h, expires_after: 19h,\n"
             "      stuck_validating: 20s, stuck_finalizing: 21s, stuck_running: 22s,\n"
             "      stuck-cancel: 23s, stuck_cancelling: 0s}\n",
             "openai");
    const struct provider_limits *l = &box.profile.limits;

    (void)state;
    assert_int_equal(l->max_requests, 1);
    assert_int_equal(l->max_bytes, 2000000);
    assert_int_equal(l->margin_pct, 3);
    assert_int_equal(l->max_line_bytes, 4000);
    assert_int_equal(l->custom_id_min, 5);
    assert_int_equal(l->custom_id_max, 6);
    assert_int_equal(l->batches_alive, 7);
    assert_int_equal(l->creates_per_hour, 8);
    assert_int_equal(l->uploads_per_min, 9);
    assert_int_equal(l->polls_per_min, 10);
    assert_int_equal(l->files_stored, 11);
    assert_int_equal(l->storage_bytes, 12000000000);
    assert_int_equal(l->enqueued_tokens, 13);
    assert_int_equal(l->enqueued_requests, 14);
    assert_int_equal(l->poll_min_ms, 15000);
    assert_int_equal(l->visibility_lag_ms, 16000);
    assert_int_equal(l->output_kept_ms, 17000);
    assert_int_equal(l->window_ms, 18 * DAY_MS / 24);
    assert_int_equal(l->expires_after_s, 19 * 3600);
    assert_int_equal(l->stuck_validating_ms, 20000);
    assert_int_equal(l->stuck_finalizing_ms, 21000);
    assert_int_equal(l->stuck_running_ms, 22000);
    assert_int_equal(l->stuck_cancel_ms, 23000);
    assert_int_equal(l->stuck_cancelling_ms, 0);
    assert_string_equal(box.profile.name, "openai");
    provider_profile_release(&box);
}

static void keys_and_endpoints_can_be_said(void **state)
{
    struct provider_profile_box box =
        load("providers:\n"
             "  one: {like: groq, key_env: ONE_KEY}\n"
             "  two:\n"
             "    like: zhipu\n"
             "    key_env: [TWO_KEY, TWO_OTHER_KEY]\n"
             "    endpoints:\n"
             "      /v1/embeddings: {max_requests: 5}\n"
             "      /v1/rerank: /v9/rerank\n"
             "      /v1/chat/completions: {as: /v5/chat, max_requests: 6}\n",
             "two");
    const struct provider_profile *p = &box.profile;

    (void)state;
    assert_string_equal(p->key_names[0], "TWO_KEY");
    assert_string_equal(p->key_names[1], "TWO_OTHER_KEY");
    assert_null(p->key_names[2]);
    assert_string_equal(provider_endpoint_for(p, "/v1/embeddings"), "/v4/embeddings");
    assert_int_equal(provider_max_requests(p, "/v1/embeddings"), 5);
    assert_string_equal(provider_endpoint_for(p, "/v1/rerank"), "/v9/rerank");
    assert_string_equal(provider_endpoint_for(p, "/v1/chat/completions"), "/v5/chat");
    assert_int_equal(provider_max_requests(p, "/v1/chat/completions"), 6);
    assert_string_equal(provider_endpoint_for(p, "/v1/images/generations"),
                        "/v4/images/generations");
    provider_profile_release(&box);

    box = load("providers: {one: {like: groq, key_env: ONE_KEY}}\n", "one");
    assert_string_equal(box.profile.key_names[0], "ONE_KEY");
    assert_null(box.profile.key_names[1]);
    provider_profile_release(&box);
}

static void none_takes_away_what_the_built_in_one_sends(void **state)
{
    struct provider_profile_box box = load(
        "providers: {dashscope: {completion_window: none, metadata_name: none}}\n", "dashscope");

    (void)state;
    assert_null(box.profile.completion_window);
    assert_null(box.profile.metadata_name);
    assert_int_equal(box.profile.limits.window_ms, DAY_MS);
    provider_profile_release(&box);
}

static void an_address_of_its_own_makes_limits_hold_there(void **state)
{
    struct provider_profile_box box =
        load("providers: {azure: {base_url: http://127.0.0.1:9/openai/v1}}\n", "azure");
    struct err err = {0};

    (void)state;
    assert_true(provider_check_base_url(&box.profile, NULL, &err));
    assert_int_equal(provider_limits_at(&box.profile, NULL).poll_min_ms, 60000);
    assert_int_equal(provider_limits_at(&box.profile, "http://127.0.0.1:9/openai/v1").files_stored,
                     10000);
    provider_profile_release(&box);
}

static void
what_the_file_sets_holds_at_any_address_and_what_it_does_not_only_at_the_vendors(void **state)
{
    struct provider_profile_box box =
        load("providers: {openai: {limits: {creates_per_hour: 5, enqueued_tokens: 1500,"
             " enqueued_requests: 7, poll_min: 30s, files_stored: 3, polls_per_min: 9,"
             " expires_after: 2d}}}\n",
             "openai");
    struct provider_limits at = provider_limits_at(&box.profile, "http://127.0.0.1:9/v1");

    (void)state;
    assert_int_equal(at.creates_per_hour, 5);
    assert_int_equal(at.enqueued_tokens, 1500);
    assert_int_equal(at.enqueued_requests, 7);
    assert_int_equal(at.files_stored, 3);
    assert_int_equal(at.polls_per_min, 9);
    assert_int_equal(at.expires_after_s, 2 * DAY_MS / 1000);
    /* The same number as the vendor's, but said. */
    assert_int_equal(at.poll_min_ms, 30000);
    assert_int_equal(provider_poll_min_ms(&box.profile, "http://127.0.0.1:9/v1"), 30000);
    assert_int_equal(at.uploads_per_min, 0);
    assert_int_equal(at.storage_bytes, 0);
    assert_int_equal(provider_limits_at(&box.profile, NULL).uploads_per_min, 1000);
    provider_profile_release(&box);
}

static void a_trailing_slash_is_no_other_address(void **state)
{
    struct provider_profile_box box =
        load("providers: {azure: {base_url: http://127.0.0.1:9/openai/v1}}\n", "azure");
    char with[PROVIDER_ID_LEN + 1], without[PROVIDER_ID_LEN + 1];

    (void)state;
    assert_int_equal(provider_limits_at(&box.profile, "http://127.0.0.1:9/openai/v1/").files_stored,
                     10000);
    assert_int_equal(provider_limits_at(&box.profile, "http://127.0.0.1:9/openai/v").files_stored,
                     0);
    assert_int_equal(
        provider_limits_at(&box.profile, "http://127.0.0.1:9/openai/v1/x").files_stored, 0);
    provider_site_id(&box.profile, "http://127.0.0.1:9/openai/v1//", with);
    provider_site_id(&box.profile, NULL, without);
    assert_string_equal(with, without);
    provider_profile_release(&box);
}

static void a_window_that_is_said_is_not_changed(void **state)
{
    struct provider_profile_box box =
        load("providers: {groq: {completion_window: 7d, limits: {window: 8d}}}\n", "groq");

    (void)state;
    assert_int_equal(box.profile.limits.window_ms, 8 * DAY_MS);
    provider_profile_release(&box);
}

#define AT_PLACE(place, what) "sheaf.yaml:" place ": " what

/* clang-format off */
static const struct {
    const char *text, *msg;
} bad[] = {
    {"providers:\n  openai:\n    limit: {}\n",
     AT_PLACE("3:5", "unknown key \"limit\"; did you mean \"limits\"?")},
    {"providers:\n  openai:\n    limits: {max_request: 1}\n",
     AT_PLACE("3:27", "unknown key \"max_request\"; did you mean \"max_requests\"?")},
    {"providers:\n  openai:\n    zebra: 1\n", AT_PLACE("3:12", "unknown key \"zebra\"")},
    {"providers:\n  opnai: {key_env: A}\n",
     AT_PLACE("2:3", "\"opnai\" is not a built-in profile; did you mean \"openai\"? A profile of "
              "your own says which one it is like, such as like: openai")},
    {"providers:\n  mine: {key_env: A}\n",
     AT_PLACE("2:3", "\"mine\" is not a built-in profile. A profile of your own says which one it "
              "is like, such as like: openai")},
    {"providers:\n  mine: {like: grok}\n",
     AT_PLACE("2:16", "\"grok\" is not a built-in profile; did you mean \"groq\"?")},
    {"providers:\n  openai: {like: groq}\n",
     AT_PLACE("2:18", "like: \"openai\" is a built-in profile; give yours another name")},
    {"providers:\n  Mine: {like: groq}\n",
     AT_PLACE("2:3", "\"Mine\" cannot be a profile's name: up to 31 of a-z 0-9 _ -")},
    {"providers:\n  openai: x\n", AT_PLACE("2:11", "openai: needs a mapping, not one value")},
    {"providers:\n  openai: {limits: 5}\n",
     AT_PLACE("2:20", "limits: needs a mapping, not one value")},
    {"providers:\n  openai: {base_url: [a]}\n", AT_PLACE("2:12", "base_url: needs one value")},
    {"providers:\n  openai: {base_url: x}\n",
     AT_PLACE("2:22", "base_url: \"x\" cannot be the address of a provider")},
    {"providers:\n  openai: {base_url: \"http://h/v1?k=1\"}\n",
     AT_PLACE("2:22", "base_url: \"http://h/v1?k=1\" cannot be the address of a provider")},
    {"providers:\n  openai: {has_file_get: maybe}\n",
     AT_PLACE("2:26", "has_file_get: \"maybe\" is not true or false")},
    {"providers:\n  openai: {upload_expiry: stars}\n",
     AT_PLACE("2:27", "upload_expiry: \"stars\" is not one of none, brackets, dots")},
    {"providers:\n  openai: {auth_header: \"X: \\n\"}\n",
     AT_PLACE("2:25", "auth_header: only plain ASCII can stand here")},
    {"providers:\n  openai: {limits: {max_requests: 0}}\n",
     AT_PLACE("2:35", "max_requests: \"0\" is too small")},
    {"providers:\n  openai: {limits: {max_requests: 5000000000}}\n",
     AT_PLACE("2:35", "max_requests: \"5000000000\" is too large")},
    {"providers:\n  openai: {limits: {max_requests: -1}}\n",
     AT_PLACE("2:35", "max_requests: \"-1\" is too small")},
    {"providers:\n  openai: {limits: {margin_pct: 91}}\n",
     AT_PLACE("2:33", "margin_pct: \"91\" is too large")},
    {"providers:\n  openai: {limits: {window: 24}}\n",
     AT_PLACE("2:29", "window: \"24\" needs a unit, such as 24s")},
    {"providers:\n  openai: {limits: {custom_id_min: 9, custom_id_max: 8}}\n",
     AT_PLACE("2:3", "custom_id_min is larger than custom_id_max")},
    {"providers:\n  openai: {key_env: [A, 1B]}\n",
     AT_PLACE("2:25", "\"1B\" is no name of an environment variable")},
    {"providers:\n  openai: {key_env: [[A]]}\n", AT_PLACE("2:22", "an item: needs one value")},
    {"providers:\n  openai: {endpoints: {v1: /v2}}\n",
     AT_PLACE("2:28", "\"v1\" is no endpoint, such as /v1/embeddings")},
    {"providers:\n  openai: {endpoints: {/v1: v2}}\n",
     AT_PLACE("2:29", "\"v2\" is no endpoint, such as /v1/embeddings")},
    {"providers:\n  openai: {endpoints: {/v1: {max: 1}}}\n",
     AT_PLACE("2:35", "unknown key \"max\"; did you mean \"max_requests\"?")},
    {"providers:\n  openai: {endpoints: {/v1: {max_requests: x}}}\n",
     AT_PLACE("2:44", "max_requests: \"x\" is not a whole number")},
    {"providers:\n  openai: {endpoints: /v1}\n",
     AT_PLACE("2:23", "endpoints: needs a mapping, not one value")},
    /* Whoever is asked for: all of the file is read. */
    {"providers:\n  openai: {}\n  zhipu: {bse_url: x}\n",
     AT_PLACE("3:20", "unknown key \"bse_url\"; did you mean \"base_url\"?")},
};
/* clang-format on */

static void each_mistake_is_told_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct provider_profile_box box = {0};
        struct tree tree;
        struct err err = {0};

        print_message("  %s", bad[i].text);
        read_tree(bad[i].text, &tree);
        assert_false(provider_profile_load("openai", &tree, &box, &err));
        assert_string_equal(err.msg, bad[i].msg);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_null(box.profile.name);
        tree_release(&tree);
    }
}

static void a_name_that_is_nowhere_is_told_with_the_nearest(void **state)
{
    struct provider_profile_box box;
    struct tree tree;
    struct err err = {0};

    (void)state;
    assert_false(provider_profile_load("opnai", NULL, &box, &err));
    assert_string_equal(err.msg, "there is no provider profile \"opnai\"; did you mean openai?");
    assert_int_equal(err.kind, ERR_USAGE);
    read_tree("providers: {house: {like: openai}}\n", &tree);
    assert_false(provider_profile_load("huose", &tree, &box, &err));
    assert_string_equal(err.msg, "there is no provider profile \"huose\"; did you mean house?");
    assert_false(provider_profile_load("zebra", &tree, &box, &err));
    assert_string_equal(err.msg, "there is no provider profile \"zebra\"");
    tree_release(&tree);
}

static void the_example_of_the_documentation_is_read(void **state)
{
    static char page[1 << 16];
    FILE *f = fopen(DOCS_PAGE, "re");
    char *begin = NULL;

    (void)state;
    assert_non_null(f);
    size_t len = fread(page, 1, sizeof(page) - 1, f);
    assert_int_equal(fclose(f), 0);
    page[len] = '\0';
    begin = strstr(page, "```yaml\n");
    assert_non_null(begin);
    begin += strlen("```yaml\n");
    *strstr(begin, "```") = '\0';
    struct provider_profile_box box = load(begin, "house");
    assert_string_equal(box.profile.base_url, "http://llm.example.org/v1");
    assert_int_equal(box.profile.limits.max_requests, 5000);
    assert_int_equal(provider_max_requests(&box.profile, "/v1/embeddings"), 1000);
    assert_int_equal(box.profile.limits.expires_after_s, 0);
    provider_profile_release(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_it_is_the_built_in_profile),
        cmocka_unit_test(every_field_can_be_said),
        cmocka_unit_test(every_limit_can_be_said),
        cmocka_unit_test(keys_and_endpoints_can_be_said),
        cmocka_unit_test(none_takes_away_what_the_built_in_one_sends),
        cmocka_unit_test(an_address_of_its_own_makes_limits_hold_there),
        cmocka_unit_test(
            what_the_file_sets_holds_at_any_address_and_what_it_does_not_only_at_the_vendors),
        cmocka_unit_test(a_trailing_slash_is_no_other_address),
        cmocka_unit_test(a_window_that_is_said_is_not_changed),
        cmocka_unit_test(each_mistake_is_told_with_its_place),
        cmocka_unit_test(the_example_of_the_documentation_is_read),
        cmocka_unit_test(a_name_that_is_nowhere_is_told_with_the_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
