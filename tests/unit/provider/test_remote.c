#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/provider/remote.h"

static const struct {
    const char *word;
    enum remote_status status;
    bool terminal;
} statuses[] = {
    {"validating",             REMOTE_VALIDATING, false},
    {"Validating",             REMOTE_VALIDATING, false},
    {"in_queue",               REMOTE_QUEUED,     false},
    {"QUEUED",                 REMOTE_QUEUED,     false},
    {"in_progress",            REMOTE_RUNNING,    false},
    {"PROGRESS",               REMOTE_RUNNING,    false},
    {"finalizing",             REMOTE_FINALIZING, false},
    {"cancelling",             REMOTE_CANCELLING, false},
    {"CANCELING",              REMOTE_CANCELLING, false},
    {"CANCELLATION_REQUESTED", REMOTE_CANCELLING, false},
    {"completed",              REMOTE_COMPLETED,  true },
    {"SUCCESS",                REMOTE_COMPLETED,  true },
    {"ended",                  REMOTE_COMPLETED,  true },
    {"JOB_STATE_SUCCEEDED",    REMOTE_COMPLETED,  true },
    {"expired",                REMOTE_EXPIRED,    true },
    {"TIMEOUT_EXCEEDED",       REMOTE_EXPIRED,    true },
    {"cancelled",              REMOTE_CANCELLED,  true },
    {"canceled",               REMOTE_CANCELLED,  true },
    {"FAILED",                 REMOTE_FAILED,     true },
    {"postponed",              REMOTE_UNKNOWN,    false},
    {"",                       REMOTE_UNKNOWN,    false},
    {"completed ",             REMOTE_UNKNOWN,    false},
};

static void every_word_for_a_status_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        print_message("  %s\n", statuses[i].word);
        assert_string_equal(remote_status_name(remote_status_parse(statuses[i].word)),
                            remote_status_name(statuses[i].status));
        assert_int_equal(remote_status_is_terminal(statuses[i].status), statuses[i].terminal);
    }
}

static const struct {
    const char *text;
    int64_t unix_ms;
} times[] = {
    {"2024-05-14T08:20:31Z",         INT64_C(1715674831000)},
    {"2024-05-14T08:20:31.399Z",     INT64_C(1715674831399)},
    {"2024-05-14T08:20:31.3999999Z", INT64_C(1715674831399)},
    {"2024-05-14T16:20:31+08:00",    INT64_C(1715674831000)},
    {"2024-05-14T03:20:31.5-0500",   INT64_C(1715674831500)},
    {"2024-05-14 08:20:31",          INT64_C(1715674831000)},
    {"2024-05-14T08:20:31+8 hours",  0                     },
    {"2024-05-14",                   0                     },
    {"yesterday",                    0                     },
    {"",                             0                     },
};

static void times_are_read_in_any_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        print_message("  %s\n", times[i].text);
        assert_int_equal(remote_time_from_text(times[i].text), times[i].unix_ms);
    }
    assert_int_equal(remote_time_from_number(1711471533), INT64_C(1711471533000));
    assert_int_equal(remote_time_from_number(INT64_C(1715674031399)), INT64_C(1715674031399));
    assert_int_equal(remote_time_from_number(0), 0);
    assert_int_equal(remote_time_from_number(-1), 0);
}

static struct remote_batch read_batch(const char *json)
{
    struct remote_batch batch;
    struct err err = {0};

    if (!remote_batch_parse(json, strlen(json), &batch, &err))
        fail_msg("%s", err.msg);
    return batch;
}

static void a_finished_batch_of_openai_is_read(void **state)
{
    /* The example of OpenAI's API description. */
    struct remote_batch b = read_batch(
        "{\"id\":\"batch_abc123\",\"object\":\"batch\",\"endpoint\":\"/v1/chat/completions\","
        "\"errors\":null,\"input_file_id\":\"file-abc123\",\"completion_window\":\"24h\","
        "\"status\":\"completed\",\"output_file_id\":\"file-cvaTdG\","
        "\"error_file_id\":\"file-HOWS94\",\"created_at\":1711471533,\"failed_at\":null,"
        "\"request_counts\":{\"total\":100,\"completed\":95,\"failed\":5},"
        "\"metadata\":{\"customer_id\":\"user_123456789\",\"sheaf_bid\":\"0123456789abcdef\"}}");

    (void)state;
    assert_string_equal(b.id, "batch_abc123");
    assert_int_equal(b.status, REMOTE_COMPLETED);
    assert_string_equal(b.status_text, "completed");
    assert_string_equal(b.input_file_id, "file-abc123");
    assert_string_equal(b.output_file_id, "file-cvaTdG");
    assert_string_equal(b.error_file_id, "file-HOWS94");
    assert_int_equal(b.created_unix_ms, INT64_C(1711471533000));
    assert_int_equal(b.total, 100);
    assert_int_equal(b.completed, 95);
    assert_int_equal(b.failed, 5);
    assert_int_equal(b.error_count, 0);
    assert_string_equal(b.metadata_bid, "0123456789abcdef");
    assert_int_equal(remote_batch_failure(&b), PROVIDER_NONE);
}

static void a_young_batch_of_zhipu_is_read(void **state)
{
    /* Recorded in the tests of Zhipu's SDK: milliseconds, empty ids, counts of null. */
    struct remote_batch b = read_batch(
        "{\"id\":\"batch_1790292763050508288\",\"object\":\"batch\",\"completion_window\":\"24h\","
        "\"created_at\":1715674031399,\"endpoint\":\"/v4/chat/completions\","
        "\"input_file_id\":\"20240514_ea19d21b-d256-4586-b0df-e80a45e3c286\","
        "\"status\":\"validating\",\"error_file_id\":\"\",\"output_file_id\":\"\","
        "\"metadata\":{\"description\":\"job test\"},"
        "\"request_counts\":{\"total\":null,\"completed\":null,\"failed\":null}}");

    (void)state;
    assert_int_equal(b.status, REMOTE_VALIDATING);
    assert_int_equal(b.created_unix_ms, INT64_C(1715674031399));
    assert_string_equal(b.input_file_id, "20240514_ea19d21b-d256-4586-b0df-e80a45e3c286");
    assert_string_equal(b.output_file_id, "");
    assert_string_equal(b.error_file_id, "");
    assert_int_equal(b.total, -1);
    assert_int_equal(b.completed, -1);
    assert_int_equal(b.failed, -1);
    assert_string_equal(b.metadata_bid, "");
}

/* clang-format off */
static const struct {
    const char *name;
    const char *json;
    int64_t total, completed;
    size_t errors;
    const char *code, *message, *param; /* of the first error */
    int64_t line;
} shapes[] = {
    {"nothing but an id", "{\"id\":\"b\"}", -1, -1, 0, "", "", "", 0},
    {"under job", "{\"job\":{\"id\":\"b\",\"request_counts\":{\"total\":3}}}", 3, -1, 0, "", "", "",
     0},
    {"a total with siblings", "{\"id\":\"b\",\"request_counts\":7,\"completed\":2}", 7, 2, 0, "",
     "", "", 0},
    {"siblings alone", "{\"id\":\"b\",\"total\":7,\"completed\":2}", 7, 2, 0, "", "", "", 0},
    {"negative counts", "{\"id\":\"b\",\"request_counts\":{\"total\":-7}}", -1, -1, 0, "", "", "",
     0},
    {"errors in a list object",
     "{\"id\":\"b\",\"errors\":{\"object\":\"list\",\"data\":[{\"code\":\"invalid_json_line\","
     "\"line\":3,\"message\":\"m\",\"param\":\"p\"},{}]}}",
     -1, -1, 2, "invalid_json_line", "m", "p", 3},
    {"errors as a bare array", "{\"id\":\"b\",\"errors\":[{\"code\":\"x\",\"line\":null}]}", -1, -1,
     1, "x", "", "", -1},
    {"errors as texts", "{\"id\":\"b\",\"errors\":[\"broken\"]}", -1, -1, 1, "", "broken", "", -1},
    {"errors as one text", "{\"id\":\"b\",\"errors\":\"broken\"}", -1, -1, 1, "", "broken", "", -1},
    {"errors as one object", "{\"id\":\"b\",\"errors\":{\"message\":\"m\"}}", -1, -1, 1, "", "m",
     "", -1},
    {"no errors in an object", "{\"id\":\"b\",\"errors\":{\"object\":\"list\"}}", -1, -1, 0, "", "",
     "", 0},
    {"no errors in an array", "{\"id\":\"b\",\"errors\":[]}", -1, -1, 0, "", "", "", 0},
    {"no errors in a text", "{\"id\":\"b\",\"errors\":\"\"}", -1, -1, 0, "", "", "", 0},
    {"an error that is a text", "{\"id\":\"b\",\"error\":\"broken\"}", -1, -1, 1, "", "broken", "", -1},
    {"errors that are null beside it", "{\"id\":\"b\",\"errors\":null,\"error\":\"broken\"}", -1, -1, 1,
     "", "broken", "", -1},
    {"an id that is a number", "{\"id\":12,\"errors\":null}", -1, -1, 0, "", "", "", 0},
};
/* clang-format on */

static void counts_and_errors_are_read_in_any_shape(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct remote_batch b;

        print_message("  %s\n", shapes[i].name);
        b = read_batch(shapes[i].json);
        assert_int_equal(b.total, shapes[i].total);
        assert_int_equal(b.completed, shapes[i].completed);
        assert_int_equal(b.error_count, shapes[i].errors);
        assert_int_equal(b.errors_total, shapes[i].errors);
        assert_string_equal(b.errors[0].code, shapes[i].code);
        assert_string_equal(b.errors[0].message, shapes[i].message);
        assert_string_equal(b.errors[0].param, shapes[i].param);
        assert_int_equal(b.errors[0].line, shapes[i].line);
    }
}

static void more_errors_than_fit_are_counted(void **state)
{
    char json[512];
    size_t len = 0;
    struct remote_batch b;

    (void)state;
    len = (size_t)snprintf(json, sizeof(json), "{\"id\":\"b\",\"errors\":[");
    for (int i = 0; i < 20; i++)
        len += (size_t)snprintf(json + len, sizeof(json) - len, "{\"line\":%d},", i + 1);
    (void)snprintf(json + len - 1, sizeof(json) - len + 1, "]}");
    b = read_batch(json);
    assert_int_equal(b.errors_total, 20);
    assert_int_equal(b.error_count, REMOTE_ERRORS_MAX);
    assert_int_equal(b.errors[REMOTE_ERRORS_MAX - 1].line, REMOTE_ERRORS_MAX);
}

/* 128 bytes: one more than fits. */
#define HEX16   "0123456789abcdef"
#define LONG_ID HEX16 HEX16 HEX16 HEX16 HEX16 HEX16 HEX16 HEX16

static const char *const unusable[] = {
    "",
    "x",
    "null",
    "[]",
    "{}",
    "{\"id\":null}",
    "{\"id\":\"\"}",
    "{\"id\":\"..\"}",
    "{\"id\":{}}",
    "{\"id\":\"b\"",
    "{\"id\":\"b\"} trailing",
    "<html></html>",
    "{\"id\":\"" LONG_ID "\"}",
};

static void an_answer_without_a_usable_id_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(unusable); i++) {
        struct remote_batch batch = {.id = "untouched"};
        struct remote_file file = {.id = "untouched"};
        struct err err = {0};

        print_message("  %s\n", unusable[i]);
        assert_false(remote_batch_parse(unusable[i], strlen(unusable[i]), &batch, &err));
        assert_int_equal(err.kind, ERR_PERMANENT);
        assert_false(remote_file_parse(unusable[i], strlen(unusable[i]), &file, NULL));
        assert_string_equal(batch.id, "untouched");
        assert_string_equal(file.id, "untouched");
    }
}

static void a_batch_of_azure_is_read(void **state)
{
    /* The samples of Azure's how-to: times as text, a capital, nulls and empty ids. */
    struct remote_batch b = read_batch(
        "{\"cancelled_at\":null,\"completed_at\":null,\"completion_window\":\"24h\","
        "\"created_at\":\"2024-07-19T17:13:57.2491382+00:00\",\"error_file_id\":\"\","
        "\"id\":\"batch_fe3f047a-de39-4068-9008-346795bfc1db\",\"endpoint\":null,"
        "\"input_file_id\":\"file-21006e70789246658b86a1fc205899a4\",\"output_file_id\":\"\","
        "\"errors\":null,\"metadata\":null,\"status\":\"Validating\","
        "\"request_counts\":{\"total\":null,\"completed\":null,\"failed\":null}}");

    (void)state;
    assert_int_equal(b.status, REMOTE_VALIDATING);
    assert_int_equal(b.created_unix_ms, INT64_C(1721409237249));
    assert_string_equal(b.output_file_id, "");
    assert_int_equal(b.total, -1);
    assert_int_equal(b.error_count, 0);
}

static void errors_of_a_completed_batch_of_groq_are_kept_and_are_no_failure(void **state)
{
    struct remote_batch b = read_batch(
        "{\"id\":\"batch_1\",\"status\":\"completed\",\"output_file_id\":\"file_1\","
        "\"errors\":[{\"code\":\"invalid_method\",\"message\":\"Invalid value: 'GET'. Supported "
        "values are: 'POST'\",\"param\":\"method\",\"line\":4}]}");

    (void)state;
    assert_int_equal(b.error_count, 1);
    assert_int_equal(b.errors[0].line, 4);
    assert_int_equal(remote_batch_failure(&b), PROVIDER_NONE);
}

static void a_batch_of_doubleword_is_read_by_our_own_keys(void **state)
{
    /* Members without a value are left out, and the server adds metadata of its own. */
    struct remote_batch b = read_batch(
        "{\"id\":\"0a1b2c3d-0000-4000-8000-000000000000\",\"status\":\"in_progress\","
        "\"created_at\":1703187200,\"request_counts\":{\"total\":5,\"completed\":2,\"failed\":0},"
        "\"metadata\":{\"created_by\":\"x\",\"sheaf_bid\":\"0123456789abcdef\"}}");

    (void)state;
    assert_string_equal(b.metadata_bid, "0123456789abcdef");
    assert_string_equal(b.output_file_id, "");
    assert_int_equal(b.completed, 2);
}

/* clang-format off */
static const struct {
    const char *metadata, *bid;
} names[] = {
    {"{\"ds_name\":\"sheaf-0123456789abcdef\"}", "0123456789abcdef"},
    {"{\"ds_name\":\"sheaf-a\",\"sheaf_bid\":\"b\"}", "b"},
    {"{\"ds_name\":\"my batch\"}", ""},
    {"{\"ds_name\":\"sheaf-\"}", ""},
    {"{\"ds_name\":5}", ""},
    {"{\"ds_name\":\"sheaf-" LONG_ID "\"}", ""},
    {"null", ""},
    {"[]", ""},
};
/* clang-format on */

static void the_name_at_dashscope_tells_whose_batch_it_is(void **state)
{
    char json[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        print_message("  %s\n", names[i].metadata);
        (void)snprintf(json, sizeof(json), "{\"id\":\"b\",\"metadata\":%s}", names[i].metadata);
        struct remote_batch b = read_batch(json);
        assert_string_equal(b.metadata_bid, names[i].bid);
    }
}

static const struct {
    const char *word;
    enum remote_file_status status;
} file_statuses[] = {
    {"pending",   REMOTE_FILE_PENDING  },
    {"Running",   REMOTE_FILE_PENDING  },
    {"uploaded",  REMOTE_FILE_UPLOADED },
    {"processed", REMOTE_FILE_PROCESSED},
    {"PROCESSED", REMOTE_FILE_PROCESSED},
    {"error",     REMOTE_FILE_ERROR    },
    {"deleted",   REMOTE_FILE_ERROR    },
    {"brand_new", REMOTE_FILE_UNKNOWN  },
    {"",          REMOTE_FILE_UNKNOWN  },
};

static void a_file_says_whether_it_can_be_used(void **state)
{
    static const char bad[] = "{\"id\":\"f\",\"status\":\"error\",\"status_details\":\"no JSONL\"}";
    static const char null[] = "{\"id\":\"f\",\"status\":null}";
    struct remote_file file;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(file_statuses); i++) {
        print_message("  %s\n", file_statuses[i].word);
        assert_string_equal(
            remote_file_status_name(remote_file_status_parse(file_statuses[i].word)),
            remote_file_status_name(file_statuses[i].status));
    }
    assert_true(remote_file_parse(bad, sizeof(bad) - 1, &file, NULL));
    assert_int_equal(file.status, REMOTE_FILE_ERROR);
    assert_string_equal(file.status_details, "no JSONL");
    assert_true(remote_file_parse(null, sizeof(null) - 1, &file, NULL));
    assert_int_equal(file.status, REMOTE_FILE_UNKNOWN);
}

static void files_of_both_providers_are_read(void **state)
{
    static const char zhipu[] = "{\"id\":\"20240514_ea19d21b\",\"bytes\":490,"
                                "\"created_at\":1715673494,\"object\":\"file\","
                                "\"purpose\":\"batch\",\"fileName\":\"batchinput.jsonl\"}";
    static const char bare[] = "{\"id\":\"file-1\",\"filename\":\"x.jsonl\",\"bytes\":null}";
    struct remote_file file;

    (void)state;
    assert_true(remote_file_parse(zhipu, sizeof(zhipu) - 1, &file, NULL));
    assert_string_equal(file.id, "20240514_ea19d21b");
    assert_int_equal(file.bytes, 490);
    assert_string_equal(file.filename, "batchinput.jsonl");
    assert_int_equal(file.created_unix_ms, INT64_C(1715673494000));
    assert_true(remote_file_parse(bare, sizeof(bare) - 1, &file, NULL));
    assert_string_equal(file.filename, "x.jsonl");
    assert_int_equal(file.bytes, -1);
    assert_int_equal(file.created_unix_ms, 0);
}

/* clang-format off */
static const struct {
    const char *name;
    const char *json;
    bool ok;
    size_t count;
    bool has_more;
    const char *next;
} pages[] = {
    {"more, with last_id",
     "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"has_more\":true,"
     "\"last_id\":\"z\"}",
     true, 2, true, "z"},
    {"more, without last_id", "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"has_more\":true}", true,
     2, true, "b"},
    {"the end", "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"has_more\":false,\"last_id\":\"b\"}",
     true, 2, false, ""},
    {"a full page that does not say", "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}]}", true, 2, true,
     "b"},
    {"a short page that does not say", "{\"data\":[{\"id\":\"a\"}]}", true, 1, false, ""},
    {"under value", "{\"value\":[{\"id\":\"a\"}]}", true, 1, false, ""},
    {"a bare array is everything", "[{\"id\":\"a\"},{\"id\":\"b\"}]", true, 2, false, ""},
    {"Groq's cursor", "{\"data\":[{\"id\":\"a\"}],\"paging\":{\"next_cursor\":\"c==\"}}", true, 1, true,
     "c=="},
    {"Groq's end", "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"paging\":{\"next_cursor\":null}}", true, 2,
     false, ""},
    {"Groq's end, empty", "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"paging\":{\"next_cursor\":\"\"}}",
     true, 2, false, ""},
    {"Groq's end, without a word", "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"paging\":{}}", true, 2,
     false, ""},
    {"a cursor that is too long",
     "{\"data\":[{\"id\":\"a\"}],\"paging\":{\"next_cursor\":\"" LONG_ID "\"}}", false, 0, false, ""},
    {"an empty array under value", "{\"value\":[]}", true, 0, false, ""},
    {"empty", "{\"data\":[],\"has_more\":false}", true, 0, false, ""},
    {"empty and bare", "[]", true, 0, false, ""},
    {"more behind nothing", "{\"data\":[],\"has_more\":true}", false, 0, false, ""},
    {"an item without an id", "{\"data\":[{\"id\":\"a\"},{}]}", false, 0, false, ""},
    {"an item that is null", "[null]", false, 0, false, ""},
    {"no array", "{\"data\":{}}", false, 0, false, ""},
    {"an error", "{\"error\":{\"message\":\"m\"}}", false, 0, false, ""},
    {"half", "{\"data\":[{\"id\":\"a\"}", false, 0, false, ""},
};
/* clang-format on */

static void pages_are_read_in_any_shape_and_never_cut_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct remote_batch_page batches = {0};
        struct remote_file_page files = {0};
        const char *json = pages[i].json;

        print_message("  %s\n", pages[i].name);
        assert_int_equal(remote_batch_page_parse(json, strlen(json), 2, &batches, NULL),
                         pages[i].ok);
        assert_int_equal(batches.count, pages[i].count);
        assert_int_equal(batches.has_more, pages[i].has_more);
        assert_string_equal(batches.next, pages[i].next);
        assert_int_equal(remote_file_page_parse(json, strlen(json), 2, &files, NULL), pages[i].ok);
        assert_int_equal(files.count, pages[i].count);
        assert_int_equal(files.has_more, pages[i].has_more);
        assert_string_equal(files.next, pages[i].next);
        if (pages[i].count > 0)
            assert_string_equal(batches.items[0].id, "a");
        remote_batch_page_release(&batches);
        remote_file_page_release(&files);
    }
}

/* The errors of failed batches, as OpenAI answers them; Azure's where it differs. */
/* clang-format off */
static const struct {
    const char *errors;
    enum provider_class class;
} failures[] = {
    {"null", PROVIDER_UNKNOWN},
    {"[{\"code\":\"invalid_json_line\",\"line\":2}]", PROVIDER_INVALID_LINE},
    {"[{\"code\":\"missing_required_parameter\",\"line\":2,\"param\":\"custom_id\"}]",
     PROVIDER_INVALID_LINE},
    {"[{\"code\":\"invalid_request\",\"line\":1,\"message\":\"Messages parameter is required.\"}]",
     PROVIDER_INVALID_LINE},
    {"[{\"code\":\"model_not_found\",\"line\":1,\"param\":\"body.model\"}]",
     PROVIDER_MODEL_UNSUPPORTED},
    {"[{\"code\":\"invalid_request\",\"line\":null,\"param\":\"file_id\",\"message\":\"Cannot find "
     "file file-1, or organization org-1 does not have access to it.\"}]",
     PROVIDER_NOT_FOUND},
    {"[{\"code\":\"token_limit_exceeded\",\"line\":null}]", PROVIDER_QUOTA_ENQUEUED},
    {"[{\"code\":\"strange\"},{\"code\":\"token_limit_exceeded\"}]", PROVIDER_QUOTA_ENQUEUED},
    {"[{\"code\":\"strange\"},{\"code\":\"empty_file\"}]", PROVIDER_INVALID_FILE},
    {"[{\"code\":\"too_many_tasks\"}]", PROVIDER_INVALID_FILE},
    {"[{\"code\":\"model_mismatch\",\"line\":5}]", PROVIDER_INVALID_FILE},
    {"[{\"code\":\"duplicate_custom_id\",\"line\":5}]", PROVIDER_INVALID_LINE},
    {"\"something broke\"", PROVIDER_UNKNOWN},
};
/* clang-format on */

static void a_failed_batch_says_why(void **state)
{
    char json[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        struct remote_batch b;

        print_message("  %s\n", failures[i].errors);
        (void)snprintf(json, sizeof(json), "{\"id\":\"b\",\"status\":\"failed\",\"errors\":%s}",
                       failures[i].errors);
        b = read_batch(json);
        assert_string_equal(provider_class_name(remote_batch_failure(&b)),
                            provider_class_name(failures[i].class));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_for_a_status_is_known),
        cmocka_unit_test(times_are_read_in_any_form),
        cmocka_unit_test(a_finished_batch_of_openai_is_read),
        cmocka_unit_test(a_young_batch_of_zhipu_is_read),
        cmocka_unit_test(counts_and_errors_are_read_in_any_shape),
        cmocka_unit_test(more_errors_than_fit_are_counted),
        cmocka_unit_test(an_answer_without_a_usable_id_is_an_error),
        cmocka_unit_test(a_batch_of_azure_is_read),
        cmocka_unit_test(errors_of_a_completed_batch_of_groq_are_kept_and_are_no_failure),
        cmocka_unit_test(a_batch_of_doubleword_is_read_by_our_own_keys),
        cmocka_unit_test(the_name_at_dashscope_tells_whose_batch_it_is),
        cmocka_unit_test(a_file_says_whether_it_can_be_used),
        cmocka_unit_test(files_of_both_providers_are_read),
        cmocka_unit_test(pages_are_read_in_any_shape_and_never_cut_short),
        cmocka_unit_test(a_failed_batch_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
