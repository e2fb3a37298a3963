/*
 * A schema or vocabulary, a NUL, and what a model answered. Whatever the bytes: a refused file is
 * named with its place; an answer is valid JSON that is valid again, or there are words why not;
 * what was valid JSON is never mended.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/json/scan.h"
#include "common/recipe/answer.h"
#include "common/recipe/schema.h"

#define MAX_BYTES ((size_t)1 << 20)

static void check_refusal(const struct err *err)
{
    FUZZ_CHECK(err->kind == ERR_USAGE);
    FUZZ_CHECK(strncmp(err->msg, "fuzz.json:", strlen("fuzz.json:")) == 0);
    FUZZ_CHECK(strchr(err->msg, '\n') == NULL);
}

static void check_answer(const struct answer *a)
{
    struct json_value root;

    FUZZ_CHECK(strlen(a->why) < WHY_MAX && strchr(a->why, '\n') == NULL);
    FUZZ_CHECK((a->why[0] != '\0') == (a->verdict == ANSWER_INVALID));
    FUZZ_CHECK((a->repairs != 0) == (a->verdict == ANSWER_REPAIRED));
    FUZZ_CHECK((a->json.p == NULL) == (a->verdict == ANSWER_INVALID));
    if (a->verdict == ANSWER_INVALID)
        return;
    FUZZ_CHECK(json_scan(a->json.p, a->json.len, &root, NULL));
    FUZZ_CHECK(root.len == a->json.len && memchr(a->json.p, '\n', a->json.len) == NULL);
}

static void judge(struct answer_rule *rule, const struct answer_content *content,
                  struct answer_scratch *scratch)
{
    struct json_value root;
    struct answer first;
    struct answer second;
    struct answer_scratch other;

    answer_judge(rule, content, scratch, &first);
    check_answer(&first);
    if (rule->type == ANSWER_JSON && json_scan(content->text.p, content->text.len, &root, NULL))
        FUZZ_CHECK(first.repairs == 0);
    if (rule->type != ANSWER_JSON || first.verdict == ANSWER_INVALID)
        return;

    struct answer_content again = {.text = first.json};

    answer_scratch_init(&other, MAX_BYTES * 8);
    answer_judge(rule, &again, &other, &second);
    FUZZ_CHECK(second.verdict == ANSWER_OK && second.json.len == first.json.len);
    FUZZ_CHECK(memcmp(second.json.p, first.json.p, first.json.len) == 0);
    answer_scratch_release(&other);
}

static void split(const struct answer_rule *rule, const struct answer_content *content,
                  struct answer_scratch *scratch)
{
    static const char *const ids[] = {"a", "1", "情"};
    struct answer_pack pack = {.id_field = "id", .ids = ids, .count = ARRAY_LEN(ids)};
    struct answer out[ARRAY_LEN(ids)];

    (void)answer_split(rule, &pack, content, scratch, out);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        check_answer(&out[i]);
}

/* As if the bytes were the body of a response. */
static void read_body(const struct slice *text, struct answer_scratch *scratch)
{
    struct answer_content content;
    struct json_value body;
    char why[WHY_MAX] = "";

    if (json_scan(text->p, text->len, &body, NULL) &&
        !answer_content(&body, scratch, &content, why))
        FUZZ_CHECK(why[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *nul = size == 0 ? NULL : memchr(text, '\0', size);
    size_t len = nul == NULL ? 0 : (size_t)(nul - text);
    struct answer_content content = {
        .text = {text, size}
    };
    struct answer_scratch scratch;
    struct err err = {0};
    struct schema *schema = NULL;
    struct vocabulary *vocabulary = NULL;

    if (nul != NULL) {
        content.text = (struct slice){nul + 1, size - len - 1};
        schema = schema_parse("fuzz.json", text, len, &err);
        if (schema == NULL)
            check_refusal(&err);
        vocabulary = vocabulary_parse("fuzz.json", text, len, NULL, &err);
        if (vocabulary == NULL)
            check_refusal(&err);
    }

    struct answer_rule rule = {.type = ANSWER_JSON, .repair = true, .schema = schema};

    answer_scratch_init(&scratch, MAX_BYTES);
    judge(&rule, &content, &scratch);
    split(&rule, &content, &scratch);
    rule.schema = NULL;
    rule.vocabulary = vocabulary;
    rule.where = (struct vocabulary_rule){"t", size % 2 == 0 ? "p" : NULL, "c"};
    judge(&rule, &content, &scratch);
    rule.type = ANSWER_TEXT;
    content.cut = size % 3 == 0;
    judge(&rule, &content, &scratch);
    read_body(&content.text, &scratch);
    answer_scratch_release(&scratch);
    schema_free(schema);
    vocabulary_free(vocabulary);
    return 0;
}
