/*
 * A provider's answer, whatever it holds: what is taken has ids that can stand
 * in a path, texts that end, and counts that make sense.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/provider/rate.h"
#include "common/provider/remote.h"
#include "common/provider/row.h"

#define PAGE_LIMIT 3

/* Texts of the structs end within their arrays. */
#define FUZZ_CHECK_TEXT(text) FUZZ_CHECK(memchr((text), '\0', sizeof(text)) != NULL)

static void check_id(const char *id)
{
    FUZZ_CHECK(strcmp(id, ".") != 0 && strcmp(id, "..") != 0);
}

static void check_batch(const struct remote_batch *b)
{
    FUZZ_CHECK_TEXT(b->id);
    FUZZ_CHECK_TEXT(b->status_text);
    FUZZ_CHECK_TEXT(b->input_file_id);
    FUZZ_CHECK_TEXT(b->output_file_id);
    FUZZ_CHECK_TEXT(b->error_file_id);
    FUZZ_CHECK_TEXT(b->metadata_bid);
    FUZZ_CHECK(b->id[0] != '\0');
    check_id(b->id);
    check_id(b->input_file_id);
    check_id(b->output_file_id);
    check_id(b->error_file_id);
    FUZZ_CHECK(b->status == remote_status_parse(b->status_text));
    FUZZ_CHECK(b->total >= -1 && b->completed >= -1 && b->failed >= -1);
    FUZZ_CHECK(b->error_count <= REMOTE_ERRORS_MAX && b->error_count <= b->errors_total);
    for (size_t i = 0; i < b->error_count; i++) {
        FUZZ_CHECK_TEXT(b->errors[i].code);
        FUZZ_CHECK_TEXT(b->errors[i].message);
        FUZZ_CHECK_TEXT(b->errors[i].param);
        FUZZ_CHECK(b->errors[i].line == -1 || b->errors[i].line >= 1);
    }
    FUZZ_CHECK((remote_batch_failure(b) == PROVIDER_NONE) == (b->status != REMOTE_FAILED));
}

static void check_file(const struct remote_file *f)
{
    FUZZ_CHECK_TEXT(f->id);
    FUZZ_CHECK_TEXT(f->filename);
    FUZZ_CHECK_TEXT(f->status_details);
    FUZZ_CHECK(strcmp(remote_file_status_name(f->status), "?") != 0);
    FUZZ_CHECK(f->id[0] != '\0' && f->bytes >= -1);
    check_id(f->id);
}

static void read_objects(const char *text, size_t len)
{
    struct remote_batch batch;
    struct remote_file file;

    if (remote_batch_parse(text, len, &batch, NULL))
        check_batch(&batch);
    if (remote_file_parse(text, len, &file, NULL))
        check_file(&file);
}

static void read_pages(const char *text, size_t len)
{
    struct remote_batch_page batches;
    struct remote_file_page files;

    if (remote_batch_page_parse(text, len, PAGE_LIMIT, &batches, NULL)) {
        for (size_t i = 0; i < batches.count; i++)
            check_batch(&batches.items[i]);
        FUZZ_CHECK_TEXT(batches.next);
        FUZZ_CHECK(!batches.has_more || batches.next[0] != '\0');
        remote_batch_page_release(&batches);
    }
    if (remote_file_page_parse(text, len, PAGE_LIMIT, &files, NULL)) {
        for (size_t i = 0; i < files.count; i++)
            check_file(&files.items[i]);
        FUZZ_CHECK_TEXT(files.next);
        FUZZ_CHECK(!files.has_more || files.next[0] != '\0');
        remote_file_page_release(&files);
    }
}

/* Every answer has a class, and only deleting what is gone makes a refusal none. */
static void check_classes(long status, const struct provider_error_body *e)
{
    for (int i = PROVIDER_OP_UPLOAD; i <= PROVIDER_OP_VALIDATION; i++) {
        enum provider_operation op = (enum provider_operation)i;
        enum provider_class class =
            provider_classify(op, HTTP_ANSWERED, status, e->code, e->message, e->line);

        FUZZ_CHECK(strcmp(provider_class_name(class), "?") != 0);
        FUZZ_CHECK(class != PROVIDER_NONE || status == 200 ||
                   (op == PROVIDER_OP_FILE_DELETE && status == 404));
    }
}

/* An error of a row has a class, and is no result. */
static void check_rows(long status, const struct provider_error_body *e)
{
    enum row_class class = provider_row_classify(status, e->code, e->message, true);

    FUZZ_CHECK(strcmp(row_class_name(class), "?") != 0);
    FUZZ_CHECK(class != ROW_OK);
}

static void read_error(const char *text, size_t len)
{
    static const long statuses[] = {200, 400, 404, 429, 500};
    struct provider_error_body e;

    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        provider_error_parse(statuses[i], text, len, &e);
        FUZZ_CHECK_TEXT(e.code);
        FUZZ_CHECK_TEXT(e.message);
        FUZZ_CHECK(e.line == -1 || e.line >= 1);
        FUZZ_CHECK(e.retry_after_ms >= -1);
        check_classes(statuses[i], &e);
        check_rows(statuses[i], &e);
    }
}

/* The same text as the headers of an answer. */
static void read_rates(const char *text)
{
    struct rate_headers h;

    rate_headers_read(text, &h);
    FUZZ_CHECK(h.requests.remaining >= -1 && h.tokens.remaining >= -1);
    FUZZ_CHECK(h.requests.reset_ms >= -1 && h.tokens.reset_ms >= -1);
    FUZZ_CHECK(rate_duration_ms(text) >= -1);
    FUZZ_CHECK(rate_duration_ms(text) <= INT64_C(30) * 86400 * 1000);
}

/* All errors of a batch: the first are those of the batch itself. */
static void read_all_errors(const char *text, size_t len)
{
    struct remote_error all[REMOTE_ERRORS_MAX + 4];
    struct remote_batch batch;
    size_t count = remote_errors_parse(text, len, all, ARRAY_LEN(all));

    FUZZ_CHECK(count <= ARRAY_LEN(all));
    if (!remote_batch_parse(text, len, &batch, NULL))
        return;
    FUZZ_CHECK(count >= batch.error_count);
    for (size_t i = 0; i < batch.error_count; i++)
        FUZZ_CHECK(all[i].line == batch.errors[i].line &&
                   strcmp(all[i].code, batch.errors[i].code) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xcalloc(size + 1, 1); /* bodies are NUL-terminated, behind their length */

    if (size != 0)
        memcpy(text, data, size);
    read_objects(text, size);
    read_pages(text, size);
    read_error(text, size);
    read_all_errors(text, size);
    read_rates(text);
    free(text);
    return 0;
}
