#include "tests/testlib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/codec/payload.h"
#include "common/digest/crc32c.h"
#include "common/merge/windows.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"
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

static void go_to(struct windows *ws, uint32_t wanted, struct window *out)
{
    bool found = false;

    while (!found)
        assert_true(windows_step(ws, wanted, out, &found, NULL));
    assert_int_equal(out->index, wanted);
}

static void windows_are_cut_again_from_their_part_on(void **state)
{
    struct world *w = *state;
    struct buf text = BUF_INIT(1 << 20);
    struct window window;
    struct err err = {0};
    bool found = false;
    size_t len;

    for (uint32_t i = 0; i < 2100; i++)
        assert_true(buf_printf(&text, "{\"custom_id\":\"%u\",\"body\":{}}\n", i));
    world_write_input(w, text.data, text.len);
    (void)world_cut(w);
    struct windows *ws = windows_new(w->sink, &w->spec, 1, NULL);
    assert_non_null(ws);
    go_to(ws, 515, &window);
    assert_int_equal(window.count, 2);
    assert_int_equal(window.lines[1].number, 1032);
    assert_non_null(memmem(window.lines[0].text, window.lines[0].text_len, "1030", 4));
    assert_null(windows_payload(ws, &len));
    go_to(ws, 1049, &window);
    assert_int_equal(window.lines[1].number, 2100);
    assert_false(windows_step(ws, 1050, &window, &found, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    windows_free(ws);
    buf_release(&text);
}

static void lines_of_an_inline_job_come_from_the_sink(void **state)
{
    struct world *w = *state;
    static const char text[] = "\n{\"custom_id\":\"a\",\"body\":{}}\r\n{\"custom_id\":\"b\"}\n";
    struct buf payload = BUF_INIT(1 << 20);
    char name[LAYOUT_NAME_MAX];
    struct window window;
    struct err err = {0};
    bool found = false;
    size_t len;

    w->spec.inline_payload = true;
    assert_true(payload_encode(41, text, sizeof(text) - 1, &payload, NULL));
    assert_true(
        sink_publish(w->sink, layout_requests(name, 7), payload.data, payload.len, NULL, NULL));
    struct windows *ws = windows_new(w->sink, &w->spec, 0, NULL);
    go_to(ws, 7, &window);
    assert_int_equal(window.count, 2);
    assert_int_equal(window.first_line, 41);
    assert_int_equal(window.lines[0].number, 42);
    assert_int_equal(window.lines[0].text_len, strlen("{\"custom_id\":\"a\",\"body\":{}}"));
    assert_int_equal(window.len, sizeof(text) - 1);
    assert_int_equal(window.crc32c, crc32c(0, text, sizeof(text) - 1));
    assert_memory_equal(windows_payload(ws, &len), payload.data, payload.len);
    assert_int_equal(len, payload.len);
    assert_false(windows_step(ws, 8, &window, &found, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_non_null(strstr(err.msg, "submit the same input again"));
    windows_free(ws);
    buf_release(&payload);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(windows_are_cut_again_from_their_part_on),
        TEST(lines_of_an_inline_job_come_from_the_sink),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
