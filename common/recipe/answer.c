#include "common/recipe/answer.h"

#include <stdlib.h>
#include <string.h>

#include "common/recipe/answer_internal.h"
#include "common/recipe/json_compact.h"
#include "common/recipe/schema.h"

const char *answer_type_name(enum answer_type type)
{
    switch (type) {
    case ANSWER_TEXT: return "text";
    case ANSWER_JSON: return "json";
    }
    return "?";
}

bool answer_type_parse(const char *name, enum answer_type *out)
{
    bool text = strcmp(name, answer_type_name(ANSWER_TEXT)) == 0;

    if (!text && strcmp(name, answer_type_name(ANSWER_JSON)) != 0)
        return false;
    *out = text ? ANSWER_TEXT : ANSWER_JSON;
    return true;
}

void answer_scratch_init(struct answer_scratch *scratch, size_t max_bytes)
{
    /* Of a text as a JSON string, no character becomes longer than \u00XX. */
    size_t json_max = max_bytes > SIZE_MAX / 8 ? SIZE_MAX : max_bytes * 6 + 2;

    *scratch = (struct answer_scratch){
        .text = BUF_INIT(max_bytes),
        .fixed = BUF_INIT(max_bytes),
        .json = BUF_INIT(json_max),
    };
}

void answer_scratch_release(struct answer_scratch *scratch)
{
    buf_release(&scratch->text);
    buf_release(&scratch->fixed);
    buf_release(&scratch->json);
    free(scratch->table);
    scratch->table = NULL;
    scratch->table_cap = 0;
}

bool answer_check(const struct answer_rule *rule, const struct json_value *value, char why[WHY_MAX])
{
    if (rule->schema != NULL && !schema_check(rule->schema, value, why))
        return false;
    return rule->vocabulary == NULL || vocabulary_check(rule->vocabulary, &rule->where, value, why);
}

void answer_invalid(struct answer *out)
{
    out->verdict = ANSWER_INVALID;
    out->repairs = 0;
    out->json = (struct slice){NULL, 0};
}

void answer_settle(const struct answer_rule *rule, const struct json_value *value,
                   struct answer *out)
{
    if (!answer_check(rule, value, out->why)) {
        answer_invalid(out);
        return;
    }
    out->verdict = out->repairs == 0 ? ANSWER_OK : ANSWER_REPAIRED;
    out->json = (struct slice){value->text, value->len};
    out->why[0] = '\0';
}

/* The same of a value that is not compact yet. */
static void settle_compact(const struct answer_rule *rule, const struct json_value *value,
                           struct buf *json, struct answer *out)
{
    if (json_compact(json, value)) {
        struct json_value compact = {value->kind, json->data, json->len};

        answer_settle(rule, &compact, out);
    } else {
        (void)why_set(out->why, "the answer is too long");
        answer_invalid(out);
    }
}

/* Text */

/* Length of the space at @p < @end: ASCII's, U+00A0, U+3000, U+FEFF. */
static size_t space_at(const char *p, const char *end)
{
    static const char *const wide[] = {"\u00A0", "\u3000", "\uFEFF"};

    if (*p == ' ' || (*p >= '\t' && *p <= '\r'))
        return 1;
    for (size_t i = 0; i < ARRAY_LEN(wide); i++) {
        size_t len = strlen(wide[i]);

        if ((size_t)(end - p) >= len && memcmp(p, wide[i], len) == 0)
            return len;
    }
    return 0;
}

static struct slice trim(struct slice text)
{
    const char *p = text.p;
    const char *end = p + text.len;
    const char *last = p; /* behind the last character that is no space */

    while (p < end && space_at(p, end) > 0)
        p += space_at(p, end);
    for (const char *q = p; q < end;) {
        size_t n = space_at(q, end);

        q += n > 0 ? n : 1;
        if (n == 0)
            last = q;
    }
    return (struct slice){p, last > p ? (size_t)(last - p) : 0};
}

static void judge_text(const struct answer_rule *rule, const struct answer_content *content,
                       struct answer_scratch *scratch, struct answer *out)
{
    struct slice text = content->text;
    struct json_value value;

    if (rule->repair && repair_thinking(&text.p, &text.len))
        out->repairs = 1u << REPAIR_THINKING;
    text = trim(text);
    if (text.len == 0) {
        (void)why_set(out->why, "the answer is empty");
    } else if (content->cut && !rule->repair) {
        (void)why_set(out->why, "the text is not complete");
    } else if (!json_string_encode(&scratch->json, text.p, text.len)) {
        (void)why_set(out->why, "the answer is too long");
    } else {
        value = (struct json_value){JSON_STRING, scratch->json.data, scratch->json.len};
        out->repairs |= content->cut ? 1u << REPAIR_CUT : 0;
        answer_settle(rule, &value, out);
    }
}

/* JSON */

void answer_say_cut(const struct answer_content *content, char why[WHY_MAX])
{
    if (content->cut)
        (void)why_wrap(why, "cut off at the limit of output tokens");
}

bool answer_read(const struct answer_rule *rule, const struct answer_content *content,
                 struct answer_scratch *scratch, bool pack, struct answer_value *out,
                 char why[WHY_MAX])
{
    struct slice text = content->text;
    struct buf *fixed = &scratch->fixed;
    struct json_error error = {0};
    const char *what = NULL;
    const char *no_list = NULL;

    out->done = (struct repaired){.whole = SIZE_MAX};
    if (json_scan(text.p, text.len, &out->root, &error))
        return true;
    what = error.what;
    if (rule->repair && (repair_json(fixed, text.p, text.len, &out->done, &what) ||
                         (pack && repair_list(fixed, text.p, text.len, &out->done, &no_list))))
        return json_scan(fixed->data, fixed->len, &out->root, &error);
    if (trim(text).len == 0)
        return why_set(why, "the answer is empty");
    return why_set(why, "not JSON: %s", what);
}

void answer_judge(const struct answer_rule *rule, const struct answer_content *content,
                  struct answer_scratch *scratch, struct answer *out)
{
    struct answer_value value;

    *out = (struct answer){.verdict = ANSWER_INVALID};
    buf_clear(&scratch->fixed);
    buf_clear(&scratch->json);
    if (rule->type == ANSWER_TEXT) {
        judge_text(rule, content, scratch, out);
    } else if (answer_read(rule, content, scratch, false, &value, out->why)) {
        out->repairs = value.done.repairs;
        settle_compact(rule, &value.root, &scratch->json, out);
    }
    if (out->verdict == ANSWER_INVALID) {
        answer_invalid(out);
        answer_say_cut(content, out->why);
    }
}
