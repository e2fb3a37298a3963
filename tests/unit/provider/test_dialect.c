#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/provider/dialect.h"

/* What each profile puts on the wire: no server, no client, only the request. */

static struct dialect_request build_at(const char *name, const char *base_url,
                                       const struct dialect_ask *ask)
{
    const struct provider_profile *profile = provider_profile_find(name);
    struct provider_limits limits = provider_limits_at(profile, base_url);
    struct dialect_ask whole = *ask;
    struct dialect_request out;

    whole.limits = &limits;
    profile->dialect->build(profile, base_url != NULL ? base_url : profile->base_url, &whole, &out);
    return out;
}

static const struct dialect_ask create = {
    .op = PROVIDER_OP_CREATE,
    .file_id = "file-1",
    .endpoint = "/v1/chat/completions",
    .bid = "0123456789abcdef",
    .job = "a \"job\"",
    .cluster = "c",
};

#define OURS \
    "\"sheaf_bid\":\"0123456789abcdef\",\"sheaf_job\":\"a \\\"job\\\"\",\"sheaf_cluster\":\"c\""

static const struct {
    const char *profile;
    const char *url;
    const char *body;
} creates[] = {
    {"openai",     "https://api.openai.com/v1/batches",
     "{\"input_file_id\":\"file-1\",\"endpoint\":\"/v1/chat/completions\","
     "\"completion_window\":\"24h\","
     "\"output_expires_after\":{\"anchor\":\"created_at\",\"seconds\":2592000},"
     "\"metadata\":{" OURS "}}"                                       },
    {"zhipu",      "https://open.bigmodel.cn/api/paas/v4/batches",
     "{\"input_file_id\":\"file-1\",\"endpoint\":\"/v4/chat/completions\","
     "\"auto_delete_input_file\":false,"
     "\"metadata\":{" OURS "}}"                                       },
    {"azure",      "https://RESOURCE.openai.azure.com/openai/v1/batches",
     "{\"input_file_id\":\"file-1\",\"endpoint\":\"/chat/completions\","
     "\"completion_window\":\"24h\","
     "\"output_expires_after\":{\"anchor\":\"created_at\",\"seconds\":2592000},"
     "\"metadata\":{" OURS "}}"                                       },
    {"dashscope",  "https://dashscope.aliyuncs.com/compatible-mode/v1/batches",
     "{\"input_file_id\":\"file-1\",\"endpoint\":\"/v1/chat/completions\","
     "\"completion_window\":\"24h\","
     "\"metadata\":{\"ds_name\":\"sheaf-0123456789abcdef\"," OURS "}}"},
    {"groq",       "https://api.groq.com/openai/v1/batches",
     "{\"input_file_id\":\"file-1\",\"endpoint\":\"/v1/chat/completions\","
     "\"completion_window\":\"24h\","
     "\"metadata\":{" OURS "}}"                                       },
    {"doubleword", "https://api.doubleword.ai/v1/batches",
     "{\"input_file_id\":\"file-1\",\"endpoint\":\"/v1/chat/completions\","
     "\"completion_window\":\"24h\","
     "\"metadata\":{" OURS "}}"                                       },
};

static void a_create_is_what_each_provider_takes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(creates); i++) {
        struct dialect_request request = build_at(creates[i].profile, NULL, &create);

        print_message("  %s\n", creates[i].profile);
        assert_int_equal(request.method, HTTP_POST);
        assert_true(request.once);
        assert_true(request.has_body);
        assert_string_equal(request.url.data, creates[i].url);
        assert_string_equal(request.body.data, creates[i].body);
        dialect_request_release(&request);
    }
}

static const struct {
    const char *profile;
    const char *base_url; /* NULL: its own */
    const char *fields;
} uploads[] = {
    {"openai",     NULL,
     "purpose=batch expires_after[anchor]=created_at expires_after[seconds]=2592000 "},
    {"openai",     "https://eu.api.openai.com/v1",
     "purpose=batch expires_after[anchor]=created_at expires_after[seconds]=2592000 "},
    {"openai",     "http://127.0.0.1:9/v1",                 "purpose=batch "         },
    {"openai",     "https://api.openai.com.example.org/v1", "purpose=batch "         },
    {"zhipu",      NULL,                                    "purpose=batch "         },
    {"azure",      "https://me.openai.azure.com/openai/v1",
     "purpose=batch expires_after.anchor=created_at expires_after.seconds=2592000 "  },
    {"azure",      "https://openai.azure.com.example.org/", "purpose=batch "         },
    {"dashscope",  NULL,                                    "purpose=batch "         },
    {"groq",       NULL,                                    "purpose=batch "         },
    {"doubleword", NULL,                                    "purpose=batch "         },
};

static void an_upload_says_when_the_file_goes_away_where_that_is_known(void **state)
{
    static const struct dialect_ask ask = {.op = PROVIDER_OP_UPLOAD};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(uploads); i++) {
        struct dialect_request r = build_at(uploads[i].profile, uploads[i].base_url, &ask);
        char have[256] = "";

        print_message("  %s\n", uploads[i].profile);
        for (size_t f = 0; f < r.field_count; f++) {
            size_t used = strlen(have);

            (void)snprintf(have + used, sizeof(have) - used, "%s=%s ", r.fields[f].name,
                           r.fields[f].value);
        }
        assert_string_equal(have, uploads[i].fields);
        assert_true(r.once);
        assert_false(r.has_body);
        dialect_request_release(&r);
    }
}

#define LISTING(name, cursor)                                     \
    {                                                             \
        .op = PROVIDER_OP_##name, .after = (cursor), .limit = 100 \
    }
#define ABOUT(name, what)                      \
    {                                          \
        .op = PROVIDER_OP_##name, .id = (what) \
    }

static const struct {
    const char *profile;
    struct dialect_ask ask;
    enum http_method method;
    const char *url;
} calls[] = {
    {"openai",                         LISTING(LIST,      ""),                              HTTP_GET,"batches?limit=100"},
    {"openai",                                LISTING(LIST,                                          "b 1"),                               HTTP_GET,"batches?limit=100&after=b%201"},
    {"openai", LISTING(FILE_LIST,                  ""),                                           HTTP_GET,                                           "files?purpose=batch&limit=100"},
    {"openai",                        LISTING(FILE_LIST,          "f"),HTTP_GET,"files?purpose=batch&limit=100&after=f"},
    {"groq",                            LISTING(LIST,                            "c=="),                      HTTP_GET,                                                                        "batches?limit=100&cursor=c%3D%3D"},
    {"groq",LISTING(FILE_LIST,""),HTTP_GET,"files?purpose=batch"},
    {"zhipu",                           ABOUT(GET,                                   "batch_1"),                                                                                        HTTP_GET, "batches/batch_1"},
    {"zhipu",                                ABOUT(CANCEL,                                           "a/../b?c#d%"),                                        HTTP_POST,"batches/a%2F..%2Fb%3Fc%23d%25/cancel"},
    {"azure",               ABOUT(FILE_GET,                                "file-1"),                                                          HTTP_GET,"files/file-1"},
    {"azure",                       ABOUT(FILE_DELETE,  "file-1"),HTTP_DELETE,"files/file-1"},
    {"azure",                       ABOUT(CONTENT, "file-1"),HTTP_GET,"files/file-1/content"},
    {"openai",{.op = PROVIDER_OP_MODELS},HTTP_GET,                           "models"},
};

static void every_call_has_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        struct dialect_request r = build_at(calls[i].profile, "http://h/v1", &calls[i].ask);

        print_message("  %s %s\n", calls[i].profile, calls[i].url);
        assert_int_equal(r.method, calls[i].method);
        assert_int_equal(strncmp(r.url.data, "http://h/v1/", 12), 0);
        assert_string_equal(r.url.data + 12, calls[i].url);
        assert_false(r.once);
        assert_int_equal(r.has_body, calls[i].ask.op == PROVIDER_OP_CANCEL);
        dialect_request_release(&r);
    }
}

static void without_metadata_there_is_none(void **state)
{
    struct provider_profile bare = *provider_profile_find("openai");
    struct dialect_ask ask = create;
    struct dialect_request r;

    (void)state;
    bare.has_metadata = false;
    bare.completion_window = NULL;
    bare.output_expiry = false;
    ask.limits = &bare.limits;
    bare.dialect->build(&bare, "http://h", &ask, &r);
    assert_string_equal(r.body.data,
                        "{\"input_file_id\":\"file-1\",\"endpoint\":\"/v1/chat/completions\"}");
    dialect_request_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_create_is_what_each_provider_takes),
        cmocka_unit_test(an_upload_says_when_the_file_goes_away_where_that_is_known),
        cmocka_unit_test(every_call_has_its_place),
        cmocka_unit_test(without_metadata_there_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
