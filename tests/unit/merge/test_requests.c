#include "tests/testlib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/digest/crc32c.h"
#include "common/merge/requests.h"
#include "common/model/ordinal.h"
#include "tests/unit/merge/world.h"

static int set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));

    world_make(w, 2);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    free(*state);
    return 0;
}

static void requests_come_with_ids_lines_and_reasons(void **state)
{
    struct world *w = *state;
    static const char text[] =
        "{\"custom_id\":\"a\",\"body\":{}}\n\n{\"custom_id\":\"b\"}\n{\"body\"";
    struct requests *r;
    struct request q;

    world_write_input(w, text, sizeof(text) - 1);
    r = requests_new(w->sink, &w->spec, 0, NULL);
    assert_non_null(r);
    assert_true(requests_at_window(r, 0));
    assert_int_equal(requests_next(r, &q, NULL), REQUESTS_ONE);
    assert_true(q.ordinal == ordinal_make(0, 0));
    assert_int_equal(q.line, 1);
    assert_int_equal(q.lines, 2);
    assert_memory_equal(q.id, "\"a\"", 3);
    assert_int_equal(q.id_len, 3);
    assert_null(q.reason);
    assert_int_equal(q.crc, crc32c(0, text, 47));
    assert_false(requests_at_window(r, 1));
    assert_int_equal(requests_next(r, &q, NULL), REQUESTS_ONE);
    assert_int_equal(q.line, 3);
    assert_memory_equal(q.id, "\"b\"", 3);
    assert_string_equal(q.reason, "line 3: no body");
    assert_true(requests_at_window(r, 1));
    assert_int_equal(requests_next(r, &q, NULL), REQUESTS_ONE);
    assert_true(q.ordinal == ordinal_make(1, 0));
    assert_null(q.id);
    assert_non_null(strstr(q.reason, "line 4: not valid JSON"));
    assert_int_equal(requests_next(r, &q, NULL), REQUESTS_END);
    assert_int_equal(requests_next(r, &q, NULL), REQUESTS_END);
    requests_free(r);
}

static void any_part_can_be_begun_with(void **state)
{
    struct world *w = *state;
    struct buf text = BUF_INIT(1 << 20);
    struct request q;
    struct err err = {0};

    for (uint32_t i = 0; i < 2100; i++)
        assert_true(buf_printf(&text, "{\"custom_id\":\"%u\",\"body\":{}}\n", i));
    world_write_input(w, text.data, text.len);
    assert_int_equal(world_cut(w), 1050);
    struct requests *r = requests_new(w->sink, &w->spec, 2, NULL);
    assert_non_null(r);
    for (uint32_t i = 2048; i < 2100; i++) {
        char id[16];

        assert_int_equal(requests_next(r, &q, NULL), REQUESTS_ONE);
        (void)snprintf(id, sizeof(id), "\"%u\"", i);
        assert_memory_equal(q.id, id, strlen(id));
        assert_true(q.ordinal == ordinal_make(i / 2, i % 2));
        assert_int_equal(q.line, i + 1);
    }
    assert_int_equal(requests_next(r, &q, NULL), REQUESTS_END);
    requests_free(r);
    assert_null(requests_new(w->sink, &w->spec, 3, &err)); /* no index */
    assert_non_null(strstr(err.msg, "idx/0000003"));
    buf_release(&text);
}

static void an_index_is_adopted_or_contradicts(void **state)
{
    struct world *w = *state;
    struct err err = {0};

    assert_true(requests_publish_index(w->sink, 1, 1000, 513, NULL));
    assert_true(requests_publish_index(w->sink, 1, 1000, 513, NULL));
    assert_false(requests_publish_index(w->sink, 1, 1001, 513, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_false(requests_publish_index(w->sink, 1, 1000, 514, &err));
}

static void an_input_that_is_gone_is_an_input_error(void **state)
{
    struct world *w = *state;
    struct err err = {0};

    assert_null(requests_new(w->sink, &w->spec, 0, &err));
    assert_int_equal(err.kind, ERR_INPUT);
}

static void a_model_of_the_job_makes_a_body_valid(void **state)
{
    struct world *w = *state;
    struct request q;

    world_write_input(w, "{\"body\":{}}", 11);
    w->spec.model[0] = '\0';
    struct requests *r = requests_new(w->sink, &w->spec, 0, NULL);
    assert_int_equal(requests_next(r, &q, NULL), REQUESTS_ONE);
    assert_string_equal(q.reason, "line 1: no model");
    requests_free(r);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(requests_come_with_ids_lines_and_reasons),
        TEST(any_part_can_be_begun_with),
        TEST(an_index_is_adopted_or_contradicts),
        TEST(an_input_that_is_gone_is_an_input_error),
        TEST(a_model_of_the_job_makes_a_body_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
