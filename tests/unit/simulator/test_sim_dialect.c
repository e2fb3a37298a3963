#include "tests/testlib/unit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "simulator/dialect.h"
#include "simulator/ids.h"

static void each_dialect_is_found_by_its_name(void **state)
{
    static const struct {
        const char *name, *base;
    } wanted[] = {
        {"openai",     "/v1"                },
        {"zhipu",      "/api/paas/v4"       },
        {"azure",      "/openai/v1"         },
        {"dashscope",  "/compatible-mode/v1"},
        {"groq",       "/openai/v1"         },
        {"doubleword", "/v1"                },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        const struct dialect *d = dialect_find(wanted[i].name);

        assert_non_null(d);
        assert_string_equal(d->base, wanted[i].base);
        assert_ptr_equal(dialect_at(i), d);
    }
    assert_null(dialect_at(ARRAY_LEN(wanted)));
    assert_null(dialect_find("OpenAI"));
    assert_null(dialect_find(""));
}

static void each_dialect_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; dialect_at(i) != NULL; i++) {
        const struct dialect *d = dialect_at(i);

        print_message("  %s\n", d->name);
        assert_true(dialect_lists(d->files.purposes, "batch"));
        assert_false(dialect_lists(d->files.purposes, "nonsense"));
        assert_non_null(d->files.id);
        assert_non_null(d->files.output_id);
        assert_non_null(d->files.error_purpose);
        assert_non_null(d->files.filename);
        assert_int_equal(d->files.anchor == NULL, d->files.seconds == NULL);
        assert_true(d->files.max_bytes > 0 && d->files.too_big >= 400);
        assert_true(d->files.list_preset > 0 && d->files.list_preset <= d->files.list_max);
        assert_true(d->lines.max_requests > 0);
        assert_non_null(d->lines.url_code);
        assert_non_null(d->batches.id);
        assert_non_null(d->batches.endpoints[0]);
        assert_string_not_equal(d->batches.validating, "");
        assert_true(d->batches.created == 200 || d->batches.created == 201);
    }
}

static void an_id_follows_its_pattern(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        char *id = ids_new("a-%_*#^%");

        assert_int_equal(strlen(id), 2 + 8 + 1 + 3 + 8);
        assert_memory_equal(id, "a-", 2);
        assert_memory_equal(id + 2, "20", 2);
        assert_int_equal(strspn(id + 2, "0123456789"), 8);
        assert_int_equal(id[10], '_');
        assert_true(isdigit((unsigned char)id[11]) || islower((unsigned char)id[11]));
        assert_true(isdigit((unsigned char)id[12]));
        assert_true(strchr("0123456789abcdef", id[13]) != NULL);
        assert_memory_equal(id + 14, id + 2, 8);
        free(id);
    }
}

static void ids_differ(void **state)
{
    (void)state;
    for (size_t i = 0; dialect_at(i) != NULL; i++) {
        char *one = ids_new(dialect_at(i)->batches.id);
        char *two = ids_new(dialect_at(i)->batches.id);

        assert_string_not_equal(one, two);
        free(one);
        free(two);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_dialect_is_found_by_its_name),
        cmocka_unit_test(each_dialect_is_complete),
        cmocka_unit_test(an_id_follows_its_pattern),
        cmocka_unit_test(ids_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
