#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/net/http_url.h"

static const struct {
    const char *name, *a, *b;
    bool same;
} origins[] = {
    {"path and query do not count",                      "https://a.com/v1", "https://a.com/v2?x=1",    true },
    {"443 is the port of https",                         "https://a.com",    "https://a.com:443/",      true },
    {"80 is the port of http",                           "http://a.com:80",  "http://a.com",            true },
    {"upper case is the same host",                      "HTTPS://A.com/",   "https://a.COM/",          true },
    {"another port is another origin",                   "https://a.com",    "https://a.com:8443",      false},
    {"another scheme is another origin",                 "https://a.com",    "http://a.com",            false},
    {"the same port does not make another scheme equal", "http://a.com:443", "https://a.com",
     false                                                                                                   },
    {"a subdomain is another origin",                    "https://a.com",    "https://b.a.com",         false},
    {"a prefix is another origin",                       "https://a.com",    "https://a.com.evil.org",  false},
    {"a user part hides no other host",                  "https://a.com",    "https://a.com@evil.org/", false},
    {"an address with brackets",                         "http://[::1]:80/", "http://[::1]/x",          true },
    {"ftp has no origin here",                           "ftp://a.com",      "ftp://a.com",             false},
    {"neither has text",                                 "",                 "",                        false},
    {"neither has a relative URL",                       "/x",               "/x",                      false},
};

static void same_origin(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(origins); i++) {
        print_message("  %s\n", origins[i].name);
        assert_int_equal(http_url_same_origin(origins[i].a, origins[i].b), origins[i].same);
        assert_int_equal(http_url_same_origin(origins[i].b, origins[i].a), origins[i].same);
    }
}

static const struct {
    const char *name, *base, *location, *want; /* NULL: refused */
} locations[] = {
    {"an absolute URL stands for itself",      "https://a.com/v1/files",        "https://b.com/x?y=1",
     "https://b.com/x?y=1"                                                                                                             },
    {"an absolute path keeps the host",        "https://a.com:8443/v1/files?q", "/content/1",
     "https://a.com:8443/content/1"                                                                                                    },
    {"a relative path starts at the folder",   "https://a.com/v1/files",        "other",
     "https://a.com/v1/other"                                                                                                          },
    {"dots are resolved",                      "https://a.com/v1/files/1",      "../x",                      "https://a.com/v1/x"      },
    {"a host without scheme keeps the scheme", "https://a.com/v1",              "//b.com/x",                 "https://b.com/x"         },
    {"a query alone keeps the path",           "https://a.com/v1/f",            "?sig=2",                    "https://a.com/v1/f?sig=2"},
    {"an escaped signature stays as it is",    "https://a.com/",                "https://b.com/?s=a%2Fb%3D",
     "https://b.com/?s=a%2Fb%3D"                                                                                                       },
    {"file is refused",                        "https://a.com/",                "file:///etc/passwd",        NULL                      },
    {"nothing is refused",                     "https://a.com/",                "",                          NULL                      },
};

static void resolved_locations(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(locations); i++) {
        char out[256] = "";
        struct err err = {0};
        bool ok =
            http_resolve_location(locations[i].base, locations[i].location, out, sizeof(out), &err);

        print_message("  %s\n", locations[i].name);
        assert_int_equal(ok, locations[i].want != NULL);
        if (ok)
            assert_string_equal(out, locations[i].want);
        else
            assert_int_equal(err.kind, ERR_PERMANENT);
    }
}

static void a_location_that_does_not_fit_is_refused(void **state)
{
    char out[23];

    (void)state;
    assert_false(
        http_resolve_location("https://a.com/", "https://b.com/123456789", out, sizeof(out), NULL));
    assert_true(
        http_resolve_location("https://a.com/", "https://b.com/12345678", out, sizeof(out), NULL));
    assert_string_equal(out, "https://b.com/12345678");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_origin),
        cmocka_unit_test(resolved_locations),
        cmocka_unit_test(a_location_that_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
