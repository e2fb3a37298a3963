#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "simulator/batches.h"
#include "simulator/filter.h"

static char id[] = "batch_One";
static char input[] = "file-2";
static char metadata[] = "{\"ds_name\":\"sheaf-7\",\"key\":\"Value\"}";

static const struct sim_batch batch = {.id = id,
                                       .input_file_id = input,
                                       .metadata = metadata,
                                       .status = BATCH_FINALIZING,
                                       .created = 5000};

static const struct {
    const char *what;
    struct filter filter;
    bool fits;
} cases[] = {
    {"nothing asked",      {0},                                              true },
    {"status",             {.status = "finalizing"},                         true },
    {"status, case",       {.status = "Finalizing"},                         true },
    {"one of statuses",    {.status = "failed,finalizing"},                  true },
    {"no status of these", {.status = "failed,completed"},                   false},
    {"part of a status",   {.status = "finalizingly"},                       false},
    {"start of a status",  {.status = "final"},                              false},
    {"group",              {.status = "in_progress", .status_groups = true}, true },
    {"group, own word",    {.status = "finalizing", .status_groups = true},  false},
    {"no group",           {.status = "in_progress"},                        false},
    {"input",              {.inputs = "file-1,file-2"},                      true },
    {"other input",        {.inputs = "file-1,file-22"},                     false},
    {"name",               {.name = "eaf-"},                                 true },
    {"other name",         {.name = "Value"},                                false},
    {"search id",          {.search = "BATCH_one"},                          true },
    {"search metadata",    {.search = "vALUE"},                              true },
    {"search name",        {.search = "In.Jsonl"},                           true },
    {"search in vain",     {.search = "nope"},                               false},
    {"after",              {.after_ms = 4999},                               true },
    {"not after",          {.after_ms = 5000},                               false},
    {"before",             {.before_ms = 5001},                              true },
    {"not before",         {.before_ms = 5000},                              false},
    {"one of ids",         {.ids = {"x", "batch_One"}, .id_count = 2},       true },
    {"none of ids",        {.ids = {"x"}, .id_count = 1},                    false},
    {"all and one is not", {.status = "finalizing", .name = "nope"},         false},
};

static void each_filter_lets_through_what_it_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  %s\n", cases[i].what);
        assert_int_equal(filter_matches(&cases[i].filter, &batch, "in.jsonl"), cases[i].fits);
    }
}

static void a_batch_without_metadata_has_no_name(void **state)
{
    struct sim_batch bare = batch;

    (void)state;
    bare.metadata = NULL;
    assert_false(filter_matches(&(struct filter){.name = "s"}, &bare, NULL));
    assert_false(filter_matches(&(struct filter){.search = "jsonl"}, &bare, NULL));
    assert_true(filter_matches(&(struct filter){0}, &bare, NULL));
}

static const struct {
    const char *text;
    bool ok;
    int64_t after_ms, before_ms;
    const char *status;
} azure[] = {
    {"created_at gt 10",                                  true,  10999, 0,     NULL       },
    {"created_at ge 10",                                  true,  9999,  0,     NULL       },
    {"created_at lt 10",                                  true,  0,     10000, NULL       },
    {"created_at le 10",                                  true,  0,     11000, NULL       },
    {"created_at gt 1 and created_at lt 9",               true,  1999,  9000,  NULL       },
    {"created_at gt 1 and status eq 'Completed'",         true,  1999,  0,     "Completed"},
    {"  status eq 'Failed'",                              true,  0,     0,     "Failed"   },
    {"",                                                  false, 0,     0,     NULL       },
    {"status eq Completed",                               false, 0,     0,     NULL       },
    {"status eq ''",                                      false, 0,     0,     NULL       },
    {"status ne 'Failed'",                                false, 0,     0,     NULL       },
    {"created_at eq 5",                                   false, 0,     0,     NULL       },
    {"created_at gt five",                                false, 0,     0,     NULL       },
    {"created_at gt 1 or created_at lt 2",                false, 0,     0,     NULL       },
    {"created_at gt 1 and",                               false, 0,     0,     NULL       },
    {"model eq 'x'",                                      false, 0,     0,     NULL       },
    {"status eq 'a_word_that_is_longer_than_the_buffer'", false, 0,     0,     NULL       },
};

static void each_azure_filter_is_read_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(azure); i++) {
        struct filter f = {0};
        char scratch[20];

        print_message("  %s\n", azure[i].text);
        assert_int_equal(filter_read_azure(&f, azure[i].text, scratch, sizeof(scratch)),
                         azure[i].ok);
        if (!azure[i].ok)
            continue;
        assert_int_equal(f.after_ms, azure[i].after_ms);
        assert_int_equal(f.before_ms, azure[i].before_ms);
        assert_int_equal(f.status == NULL, azure[i].status == NULL);
        if (f.status != NULL)
            assert_string_equal(f.status, azure[i].status);
    }
}

static void a_time_has_fourteen_digits(void **state)
{
    int64_t ms = 0;

    (void)state;
    assert_true(filter_read_time("20250102030405", &ms));
    assert_int_equal(ms, INT64_C(1735787045000));
    assert_false(filter_read_time("2025010203040", &ms));
    assert_false(filter_read_time("202501020304050", &ms));
    assert_false(filter_read_time("2025-01-020304", &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_filter_lets_through_what_it_names),
        cmocka_unit_test(a_batch_without_metadata_has_no_name),
        cmocka_unit_test(each_azure_filter_is_read_or_refused),
        cmocka_unit_test(a_time_has_fourteen_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
