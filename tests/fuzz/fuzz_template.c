/*
 * Templates and conditions: a template, a NUL, a row. The text before the NUL is parsed as both,
 * with itself as its only partial's file; the row, where it is no JSON object, is a fixed one.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/recipe/condition.h"
#include "common/recipe/template.h"

static const char fixed[] = "{\"a\":{\"b\":[1,{\"c\":\"\\u4f60\"},null]},\"x\":\"text\",\"n\":2.5,"
                            "\"l\":[[1,2],[],{\"k\":\"v\"}],\"e\":\"\"}";

struct text {
    const char *p;
    size_t len;
};

/* A partial is the first half of the text itself: mostly broken, sometimes not. */
static bool read_half(void *arg, const char *path, const char **text, size_t *len, struct err *err)
{
    const struct text *whole = arg;

    (void)err;
    *text = whole->p;
    *len = strcmp(path, "a") == 0 ? whole->len / 2 : 0;
    return true;
}

static void check_place(const struct template_place *place)
{
    FUZZ_CHECK(place->line > 0 && place->column > 0 && place->name != NULL);
}

static void on_column(void *arg, const char *path, const struct template_place *place,
                      bool optional)
{
    (void)optional;
    FUZZ_CHECK(*path != '\0');
    check_place(place);
    ++*(size_t *)arg;
}

/* The same twice; on failure nothing; past a limit nothing. */
static void check_render(const struct template *t, const struct template_input *input)
{
    struct buf first = BUF_INIT(1 << 20);
    struct buf second = BUF_INIT(1 << 20);
    struct buf small = BUF_INIT(8);
    struct err err = {0};
    bool ok = template_render(t, input, &first, &err);

    FUZZ_CHECK(ok == (err.kind == ERR_NONE));
    FUZZ_CHECK(ok || first.len == 0);
    FUZZ_CHECK(template_render(t, input, &second, NULL) == ok);
    FUZZ_CHECK(first.len == second.len);
    FUZZ_CHECK(first.len == 0 || memcmp(first.data, second.data, first.len) == 0);
    FUZZ_CHECK(first.data[first.len] == '\0');
    FUZZ_CHECK(!template_render(t, input, &small, NULL) || small.len == first.len);
    buf_release(&first);
    buf_release(&second);
    buf_release(&small);
}

static void check_pack(const struct template *t, const struct template_row *row)
{
    struct template_row rows[2] = {*row, *row};
    struct template_input input = {.rows = rows, .row_count = 2, .vocabulary = "V"};
    struct buf one = BUF_INIT(1 << 20);
    struct err err = {0};
    bool ok = template_render_row(t, &input, row, &one, &err);

    FUZZ_CHECK(ok == (err.kind == ERR_NONE));
    FUZZ_CHECK(ok || one.len == 0);
    check_render(t, &input);
    buf_release(&one);
}

static void fuzz_template(struct text text, const struct template_row *row)
{
    struct template_files files = {read_half, &text};
    struct template_input input = {.row = row, .vocabulary = "V", .missing_is_empty = true};
    struct err err = {0};
    struct template *t = template_parse("t", text.p, text.len, &files, &err);
    size_t columns = 0;

    FUZZ_CHECK((t != NULL) == (err.kind == ERR_NONE));
    if (t == NULL)
        return;
    template_columns(t, on_column, &columns);
    FUZZ_CHECK(columns == 0 || template_uses_row(t) || template_has_rows(t));
    if (template_has_rows(t))
        check_pack(t, row);
    check_render(t, &input);
    input.missing_is_empty = false;
    check_render(t, &input);
    template_free(t);
}

static void on_condition_column(void *arg, const char *path, size_t column)
{
    FUZZ_CHECK(*path != '\0' && column > *(size_t *)arg);
    *(size_t *)arg = column;
}

static void fuzz_condition(const char *text, const struct json_value *row)
{
    struct err err = {0};
    struct buf negated = BUF_INIT(1 << 20);
    struct condition *c = condition_parse("c", text, &err);
    size_t column = 0;

    FUZZ_CHECK((c != NULL) == (err.kind == ERR_NONE));
    if (c == NULL)
        return;
    condition_columns(c, on_condition_column, &column);
    if (buf_printf(&negated, "not (%s)", text)) {
        struct condition *n = condition_parse(NULL, negated.data, NULL);

        FUZZ_CHECK(n == NULL || condition_holds(n, row) != condition_holds(c, row));
        condition_free(n);
    }
    buf_release(&negated);
    condition_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    size_t len = size > 0 ? strnlen(bytes, size) : 0;
    struct buf text = BUF_INIT(1 << 20);
    struct buf json = BUF_INIT(1 << 20);
    struct json_value value;

    if (size == 0 || !buf_append(&text, bytes, len) || !buf_append(&json, bytes + len, size - len))
        return 0;

    struct template_row row = {&value, "id\n\"", 7};

    if (!json_scan(json.data + 1, json.len > 0 ? json.len - 1 : 0, &value, NULL) ||
        value.kind != JSON_OBJECT)
        FUZZ_CHECK(json_scan(fixed, strlen(fixed), &value, NULL));
    fuzz_template((struct text){text.data, text.len}, &row);
    fuzz_condition(text.data, &value);
    buf_release(&text);
    buf_release(&json);
    return 0;
}
