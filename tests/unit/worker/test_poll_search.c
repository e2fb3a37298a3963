#include "tests/testlib/unit.h"

#include <stdio.h>

#include "common/base/attr.h"
#include "worker/core/poll_search.h"

#define MINUTE  60000
#define CREATED (INT64_C(10000) * MINUTE)

static void a_batch_is_lost_only_where_the_list_says_so(void **state)
{
    static const struct {
        const char *name;
        int64_t first_ms, last_ms; /* of the page's two entries */
        bool has_it, has_more;
        unsigned pages;
        const char *want;
    } cases[] = {
        {"it is there",                          CREATED + MINUTE,      CREATED,               true,  true,  0,   "found"  },
        {"it is there, on the last page",        CREATED + MINUTE,      CREATED,               true,  false, 9,   "found"  },
        {"only newer ones yet",                  CREATED + 2 * MINUTE,  CREATED + MINUTE,      false, true,  0,   "more"   },
        {"the list has ended",                   CREATED + 2 * MINUTE,  CREATED + MINUTE,      false, false, 0,   "absent" },
        {"older ones, as clocks may have it",    CREATED + MINUTE,      CREATED - 10 * MINUTE, false, true,
         0,                                                                                                       "more"   },
        {"surely older ones",                    CREATED + MINUTE,      CREATED - 11 * MINUTE, false, true,  0,   "absent" },
        {"a list that goes from old to new",     CREATED - 20 * MINUTE, CREATED - 11 * MINUTE, false,
         true,                                                                                               0,   "more"   },
        {"a list without times",                 0,                     0,                     false, true,  0,   "more"   },
        {"all of one time",                      CREATED - 11 * MINUTE, CREATED - 11 * MINUTE, false, true,  0,   "more"   },
        {"ten thousand newer ones",              CREATED + 2 * MINUTE,  CREATED + MINUTE,      false, true,  100,
         "more"                                                                                                            },
        {"a list without an end proves nothing", CREATED + 2 * MINUTE,  CREATED + MINUTE,      false,
         true,                                                                                               499, "endless"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct remote_batch items[2] = {
            {.created_unix_ms = cases[i].first_ms, .id = "batch-8"},
            {.created_unix_ms = cases[i].last_ms,  .id = "batch-9"}
        };
        struct remote_batch_page page = {.items = items, .count = 2, .has_more = cases[i].has_more};
        const char *remote = cases[i].has_it ? "batch-9" : "batch-7";

        print_message("  %s\n", cases[i].name);
        assert_string_equal(
            poll_search_name(poll_search_page(&page, remote, CREATED, cases[i].pages)),
            cases[i].want);
    }
}

static void an_empty_page_is_the_end_only_where_it_says_so(void **state)
{
    struct remote_batch_page page = {.has_more = false};

    (void)state;
    assert_int_equal(poll_search_page(&page, "batch-7", CREATED, 0), POLL_SEARCH_ABSENT);
    page.has_more = true;
    assert_int_equal(poll_search_page(&page, "batch-7", CREATED, 0), POLL_SEARCH_MORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_lost_only_where_the_list_says_so),
        cmocka_unit_test(an_empty_page_is_the_end_only_where_it_says_so),
    };
    return cmocka_run_group_tests_name("poll_search", tests, NULL, NULL);
}
