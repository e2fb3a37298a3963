/*
 * worker/download.c on a provider of the test's own: each answer is what the test says, so a file
 * can be another one each time it is asked for.
 */
#include "tests/testlib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/daemon/daemon.h"
#include "common/loop/loop.h"
#include "worker/download.h"

struct provider_call {
    struct provider_content_sink sink;
    void *arg;
    uint64_t offset;
    bool cancelled;
};

/* The call under way; one at a time. */
static struct provider_call current;

struct provider_call *provider_content(struct provider *p, const char *file_id, uint64_t offset,
                                       const struct provider_content_sink *sink, void *arg)
{
    (void)p;
    (void)file_id;
    current = (struct provider_call){.sink = *sink, .arg = arg, .offset = offset};
    return &current;
}

void provider_content_resume(struct provider_call *call)
{
    (void)call;
}

void provider_call_cancel(struct provider_call *call)
{
    if (call != NULL)
        call->cancelled = true;
}

struct world {
    struct daemon daemon;
    struct download *download;
    struct buf taken; /* all chunks */
    unsigned chunks, failures, changes;
};

static void on_chunk_ready(void *arg)
{
    struct world *w = arg;
    struct download_chunk chunk;

    while (download_next_chunk(w->download, &chunk)) {
        assert_true(buf_append(&w->taken, chunk.data, chunk.len));
        w->chunks++;
        download_chunk_done(w->download);
    }
}

static void on_failed(const struct provider_error *error, void *arg)
{
    struct world *w = arg;

    assert_non_null(error);
    w->failures++;
    w->changes += download_has_changed(w->download);
}

static void begin(struct world *w, uint64_t size, uint64_t offset, uint64_t chunk_bytes)
{
    const struct download_hooks hooks = {
        .chunk_ready = on_chunk_ready, .failed = on_failed, .arg = w};

    *w = (struct world){.taken = BUF_INIT(1u << 20)};
    w->daemon.base = loop_new();
    w->download = download_new(&w->daemon, "file", size, offset, chunk_bytes, &hooks);
}

static void end(struct world *w)
{
    download_free(w->download);
    loop_free(w->daemon.base);
    buf_release(&w->taken);
}

/* Answer with @file from the offset that was asked for, up to byte @to of it, @step bytes a read.
 */
static void answer(struct world *w, const char *file, size_t to, size_t step)
{
    static const struct provider_error cut = {.class = PROVIDER_TRUNCATED};
    size_t size = strlen(file);
    enum http_body_verdict verdict = HTTP_BODY_OK;

    assert_true(current.offset <= to && to <= size);
    for (size_t at = (size_t)current.offset; at < to && verdict == HTTP_BODY_OK; at += step) {
        size_t len = to - at < step ? to - at : step;

        verdict = current.sink.on_bytes(file + at, len, current.arg);
        assert_int_not_equal(verdict, HTTP_BODY_PAUSE);
        on_chunk_ready(w);
    }
    current.sink.done(to == size && verdict == HTTP_BODY_OK ? NULL : &cut, current.arg);
}

static void takes(const struct world *w, const char *bytes)
{
    assert_int_equal(w->taken.len, strlen(bytes));
    assert_memory_equal(w->taken.data, bytes, strlen(bytes));
    assert_true(download_is_complete(w->download));
}

#define AB "a:1111111\nb:2222222\nc:3333333\n"
#define BA "b:2222222\nc:3333333\na:1111111\n"

static void a_line_is_read_from_one_answer_wherever_the_cut_is(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < strlen(AB); cut++) {
        for (size_t step = 1; step <= 11; step += 5) {
            struct world w;

            begin(&w, strlen(AB), 0, 1000);
            answer(&w, AB, cut, step);
            assert_int_equal(w.failures, 1);
            download_retry(w.download);
            assert_true(current.offset == 0); /* all that came is within the overlap */
            answer(&w, AB, strlen(AB), step);
            assert_int_equal(w.changes, 0);
            takes(&w, AB);
            end(&w);
        }
    }
}

static void of_a_file_with_its_lines_in_another_order_no_line_is_made_up(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < strlen(AB); cut++) {
        struct world w;

        begin(&w, strlen(AB), 0, 1000);
        answer(&w, AB, cut, 4);
        download_retry(w.download);
        if (cut < 10) { /* no line was whole: there is nothing to compare, and nothing to mix */
            answer(&w, BA, strlen(BA), 4);
            takes(&w, BA);
        } else {
            answer(&w, BA, strlen(BA), 4);
            assert_int_equal(w.changes, 1);
            download_retry(w.download);
            assert_int_equal(current.offset, 0);
            assert_false(download_has_changed(w.download));
            answer(&w, BA, strlen(BA), 4);
            takes(&w, BA);
        }
        end(&w);
    }
}

static void a_download_from_a_checkpoint_begins_where_a_line_does(void **state)
{
    static const struct {
        const char *file;
        bool changed;
    } cases[] = {
        {AB,                                 false},
        {"a:1111\nb:2222222\nc:333333333\n", true },
        {BA,                                 false}, /* as whole lines it may well be */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;

        begin(&w, strlen(AB), 10, 1000);
        assert_int_equal(current.offset, 9);
        answer(&w, cases[i].file, strlen(cases[i].file), 7);
        assert_int_equal(w.changes, cases[i].changed);
        if (!cases[i].changed)
            takes(&w, cases[i].file + 10);
        end(&w);
    }
}

static void what_was_taken_is_compared_as_well(void **state)
{
    struct world w;

    (void)state;
    begin(&w, strlen(AB), 0, 5); /* a chunk a line */
    answer(&w, AB, 23, 10);
    assert_int_equal(w.chunks, 2);
    download_retry(w.download);
    answer(&w, BA, strlen(BA), 10);
    assert_int_equal(w.changes, 1);
    download_retry(w.download); /* of the chunk under way, and still another file */
    answer(&w, BA, strlen(BA), 10);
    assert_int_equal(w.changes, 2);
    download_retry(w.download);
    answer(&w, AB, strlen(AB), 10);
    takes(&w, AB);
    end(&w);
}

static void of_long_files_only_the_end_is_asked_for_again(void **state)
{
    enum { LINES = 2000, LINE = 10, ALL = LINES * LINE };
    char *file = xcalloc(ALL + 1, 1);
    struct world w;

    (void)state;
    for (size_t i = 0; i < LINES; i++)
        (void)snprintf(file + i * LINE, LINE + 1, "line %04zu\n", i);
    begin(&w, ALL, 0, ALL * 2);
    answer(&w, file, 15007, 333);
    download_retry(w.download);
    assert_int_equal(current.offset, 15000 - 4096);
    answer(&w, file, ALL, 333);
    takes(&w, file);
    end(&w);
    free(file);
}

static void a_line_that_is_too_long_is_passed_over_across_a_cut(void **state)
{
    const size_t longest = DOWNLOAD_LINE_MAX + 1000;
    char *file = xcalloc(longest + 100, 1);
    struct world w;

    (void)state;
    memset(file, 'x', longest);
    memcpy(file, "first\n", 6);
    memcpy(file + longest, "\nlast\n", 6);
    begin(&w, longest + 6, 0, 100);
    answer(&w, file, longest - 50, 1u << 16);
    download_retry(w.download);
    assert_int_equal(current.offset, 0);
    answer(&w, file, longest + 6, 1u << 16);
    takes(&w, "first\nlast\n");
    end(&w);
    free(file);
}

static void what_came_behind_a_line_that_is_too_long_is_kept_across_a_cut(void **state)
{
    static const struct provider_error cut = {.class = PROVIDER_TRUNCATED};
    static const char behind[] = "x\nnext\nla";
    char *block = xcalloc(1u << 20, 1);
    struct world w;

    (void)state;
    memset(block, 'x', 1u << 20);
    begin(&w, (26u << 20) + sizeof(behind) - 1 + 3, 0, 100);
    for (size_t i = 0; i < 26; i++)
        (void)current.sink.on_bytes(block, 1u << 20, current.arg);
    (void)current.sink.on_bytes(behind, sizeof(behind) - 1, current.arg);
    current.sink.done(&cut, current.arg);
    download_retry(w.download);                        /* before anybody has taken what is ready */
    assert_int_equal(current.offset, (26u << 20) + 1); /* the newline, and "next" */
    on_chunk_ready(&w);
    (void)current.sink.on_bytes("\nnext\n", 6, current.arg);
    (void)current.sink.on_bytes("last\n", 5, current.arg);
    assert_int_equal(w.changes, 0);
    on_chunk_ready(&w);
    takes(&w, "next\nlast\n");
    end(&w);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_read_from_one_answer_wherever_the_cut_is),
        cmocka_unit_test(of_a_file_with_its_lines_in_another_order_no_line_is_made_up),
        cmocka_unit_test(a_download_from_a_checkpoint_begins_where_a_line_does),
        cmocka_unit_test(what_was_taken_is_compared_as_well),
        cmocka_unit_test(of_long_files_only_the_end_is_asked_for_again),
        cmocka_unit_test(a_line_that_is_too_long_is_passed_over_across_a_cut),
        cmocka_unit_test(what_came_behind_a_line_that_is_too_long_is_kept_across_a_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
