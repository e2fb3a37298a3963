#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/model/ordinal.h"
#include "common/sink/sink.h"
#include "tests/testlib/scratch.h"
#include "worker/segment_builder.h"

#define JI "abc123def456"

/* A result line for each of @lines, in that order. */
static void put_lines(struct buf *out, const char *lines)
{
    char id[WIRE_ID_LEN + 1];

    buf_clear(out);
    for (; *lines != '\0'; lines++) {
        ordinal_format(ordinal_make(0, (uint32_t)(*lines - '0')), JI, id);
        assert_true(
            buf_printf(out,
                       "{\"id\":\"x\",\"custom_id\":\"%s\",\"response\":{\"status_code\":200,"
                       "\"body\":{\"n\":%c}},\"error\":null}\n",
                       id, *lines));
    }
}

static void a_segment_of_other_bytes_is_told_and_another_pass_has_its_own(void **state)
{
    static const struct {
        const char *name, *lines;
        uint32_t pass;
        bool differs;
    } steps[] = {
        {"the first",                           "012", 0, false},
        {"the same again is adopted",           "012", 0, false},
        {"other lines",                         "345", 0, true },
        {"another order",                       "210", 0, true },
        {"in another pass it is its own",       "345", 1, false},
        {"and that one is adopted as well",     "345", 1, false},
        {"what came first has not been harmed", "012", 0, false},
    };
    struct member member = {.lines = 6, .left = 6};
    struct batch batch = {.bid = "b"};
    struct buf lines = BUF_INIT(1u << 16);
    char path[SCRATCH_PATH_MAX], url[SCRATCH_PATH_MAX + 8];

    (void)state;
    scratch_make(path);
    (void)snprintf(url, sizeof(url), "dir:%s", path);
    struct sink *sink = sink_open(url, "job", JI, true, NULL);
    assert_non_null(sink);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct chunk_source source = {.batch = &batch, .ji = JI, .file = "file-1"};
        struct tally tally;
        bool differs;

        print_message("  %s\n", steps[i].name);
        batch.pass = steps[i].pass;
        tally_init(&tally, &member, 1, NULL, 0);
        put_lines(&lines, steps[i].lines);
        assert_true(segments_publish(sink, &source, lines.data, lines.len, &tally, &differs, NULL));
        assert_int_equal(tally.ok, 3);
        assert_int_equal(differs, steps[i].differs);
        tally_release(&tally);
    }
    buf_release(&lines);
    sink_close(sink);
    scratch_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_of_other_bytes_is_told_and_another_pass_has_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
