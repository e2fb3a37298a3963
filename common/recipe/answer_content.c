/* What a model said, in the shapes in which providers answer. */
#include <string.h>

#include "common/recipe/answer.h"

static bool append(struct answer_scratch *scratch, const struct json_value *string,
                   char why[WHY_MAX])
{
    struct buf *text = &scratch->text;
    size_t len = 0;

    /* What decodes is shorter than it was. */
    if (!buf_reserve(text, string->len) ||
        !json_string_decode(string, text->data + text->len, string->len, &len))
        return why_set(why, "the answer is too long");
    text->len += len;
    text->data[text->len] = '\0';
    return true;
}

static bool fail_words(char why[WHY_MAX], const char *what, const struct json_value *string)
{
    char words[160];

    (void)json_string_decode_cut(string, words, sizeof(words));
    return why_set(why, "%s \"%s\"", what, words);
}

static bool fail_refused(char why[WHY_MAX], const struct json_value *refusal)
{
    return fail_words(why, "the model refused:", refusal);
}

static bool is_words(const struct json_value *value)
{
    return value->kind == JSON_STRING && value->len > 2;
}

/* The texts of a list of parts, one behind the other; @type is that of a part with text. */
static bool append_parts(struct answer_scratch *scratch, const struct json_value *parts,
                         const char *type, char why[WHY_MAX])
{
    static const char *const names[] = {"type", "text", "refusal"};
    struct json_iter it = json_iter_begin(parts);
    struct json_value part;
    struct json_value found[3];

    while (json_iter_next(&it, NULL, &part)) {
        json_members(&part, names, 3, found);
        if (json_string_equals(&found[0], "refusal") && is_words(&found[2]))
            return fail_refused(why, &found[2]);
        if (json_string_equals(&found[0], type) && found[1].kind == JSON_STRING &&
            !append(scratch, &found[1], why))
            return false;
    }
    return true;
}

/*
 * finish_reason: "length" at the limit of tokens; "content_filter" (platform.openai.com) or
 * "sensitive" (open.bigmodel.cn) when the provider's filter has left something out.
 */
static bool read_finish(const struct json_value *reason, struct answer_content *out,
                        char why[WHY_MAX])
{
    out->cut = json_string_equals(reason, "length");
    if (json_string_equals(reason, "content_filter") || json_string_equals(reason, "sensitive"))
        return fail_words(why, "the provider's filter stepped in: finish_reason", reason);
    return true;
}

static bool fail_silent(const struct answer_content *out, char why[WHY_MAX])
{
    if (out->cut)
        return why_set(why, "cut off at the limit of output tokens before there was any text");
    return why_set(why, "there is no text in the answer");
}

static bool read_choice(const struct json_value *choice, struct answer_scratch *scratch,
                        struct answer_content *out, char why[WHY_MAX])
{
    static const char *const names[] = {"finish_reason", "message", "text"};
    static const char *const message_names[] = {"content", "refusal"};
    struct json_value found[3];
    struct json_value message[2];
    bool ok = true;

    json_members(choice, names, 3, found);
    json_members(&found[1], message_names, 2, message);
    if (is_words(&message[1]))
        return fail_refused(why, &message[1]);
    if (!read_finish(&found[0], out, why))
        return false;
    if (message[0].kind == JSON_ARRAY)
        ok = append_parts(scratch, &message[0], "text", why);
    else if (message[0].kind == JSON_STRING)
        ok = append(scratch, &message[0], why);
    else if (found[2].kind == JSON_STRING)
        ok = append(scratch, &found[2], why);
    return ok && (scratch->text.len > 0 || fail_silent(out, why));
}

/* The Responses API: {"status", "incomplete_details": {"reason"}, "output": [items]} */
static bool read_output(const struct json_value *body, const struct json_value *output,
                        struct answer_scratch *scratch, struct answer_content *out,
                        char why[WHY_MAX])
{
    struct json_value details = json_member(body, "incomplete_details");
    struct json_value reason = json_member(&details, "reason");
    struct json_iter it = json_iter_begin(output);
    struct json_value item;

    if (!read_finish(&reason, out, why))
        return false;
    out->cut = json_string_equals(&reason, "max_output_tokens");
    while (json_iter_next(&it, NULL, &item)) {
        struct json_value type = json_member(&item, "type");
        struct json_value parts = json_member(&item, "content");

        if (json_string_equals(&type, "message") &&
            !append_parts(scratch, &parts, "output_text", why))
            return false;
    }
    return scratch->text.len > 0 || fail_silent(out, why);
}

static struct json_value first_element(const struct json_value *list)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value first = {.kind = JSON_ABSENT};

    if (list->kind == JSON_ARRAY)
        (void)json_iter_next(&it, NULL, &first);
    return first;
}

/* The text is in the scratch. */
static void take_text(const struct answer_scratch *scratch, struct answer_content *out)
{
    out->text = (struct slice){scratch->text.data, scratch->text.len};
}

bool answer_choices(const struct json_value *choices, struct answer_scratch *scratch,
                    struct answer_content *out, char why[WHY_MAX])
{
    struct json_value first = first_element(choices);

    *out = (struct answer_content){.cut = false};
    buf_clear(&scratch->text);
    if (!read_choice(&first, scratch, out, why))
        return false;
    take_text(scratch, out);
    return true;
}

bool answer_content(const struct json_value *body, struct answer_scratch *scratch,
                    struct answer_content *out, char why[WHY_MAX])
{
    static const char *const names[] = {"choices", "output", "data"};
    struct json_value found[3];
    struct json_value first;

    json_members(body, names, 3, found);
    if (found[0].kind == JSON_ARRAY)
        return answer_choices(&found[0], scratch, out, why);
    *out = (struct answer_content){.cut = false};
    buf_clear(&scratch->text);
    if (found[1].kind == JSON_ARRAY) {
        if (!read_output(body, &found[1], scratch, out, why))
            return false;
        take_text(scratch, out);
        return true;
    }
    first = first_element(&found[2]);
    first = json_member(&first, "embedding");
    out->text = (struct slice){first.text, first.len};
    return first.kind != JSON_ABSENT ||
           why_set(why, "the response has no choices, no output and no data");
}
