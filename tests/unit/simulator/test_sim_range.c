#include "tests/testlib/unit.h"

#include "common/base/attr.h"
#include "simulator/range.h"

static const struct {
    const char *header;
    uint64_t total;
    enum range_kind kind;
    uint64_t offset, length;
} cases[] = {
    {NULL,                          100, RANGE_NONE,   0,  0  },
    {"bytes=0-",                    100, RANGE_PART,   0,  100},
    {"bytes=0-0",                   100, RANGE_PART,   0,  1  },
    {"bytes=10-19",                 100, RANGE_PART,   10, 10 },
    {"bytes=90-200",                100, RANGE_PART,   90, 10 },
    {"bytes=99-",                   100, RANGE_PART,   99, 1  },
    {"bytes=-1",                    100, RANGE_PART,   99, 1  },
    {"bytes=-500",                  100, RANGE_PART,   0,  100},
    {"bytes=100-",                  100, RANGE_BEYOND, 0,  0  },
    {"bytes=100-200",               100, RANGE_BEYOND, 0,  0  },
    {"bytes=-0",                    100, RANGE_BEYOND, 0,  0  },
    {"bytes=0-",                    0,   RANGE_BEYOND, 0,  0  },
    {"bytes=-5",                    0,   RANGE_BEYOND, 0,  0  },
    {"bytes=9-5",                   100, RANGE_NONE,   0,  0  },
    {"bytes=",                      100, RANGE_NONE,   0,  0  },
    {"bytes=-",                     100, RANGE_NONE,   0,  0  },
    {"bytes=5",                     100, RANGE_NONE,   0,  0  },
    {"bytes=0-1,3-4",               100, RANGE_NONE,   0,  0  },
    {"bytes=a-b",                   100, RANGE_NONE,   0,  0  },
    {"bytes=99999999999999999999-", 100, RANGE_NONE,   0,  0  },
    {"items=0-1",                   100, RANGE_NONE,   0,  0  },
};

static void each_header_means_what_http_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t offset = 0;
        uint64_t length = 0;

        print_message("  %s\n", cases[i].header != NULL ? cases[i].header : "(none)");
        assert_int_equal(range_parse(cases[i].header, cases[i].total, &offset, &length),
                         cases[i].kind);
        assert_int_equal(offset, cases[i].offset);
        assert_int_equal(length, cases[i].length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_header_means_what_http_says)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
