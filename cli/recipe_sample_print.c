#include "cli/recipe_sample_print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/core/json_put.h"
#include "common/base/xmem.h"
#include "common/enrich/sample.h"
#include "common/recipe/recipe.h"
#include "common/rows/row_path.h"

#define SHOWN_MAX 400 /* bytes of a value, about */

/* Raw JSON on one line, cut between characters. */
static void put_value(struct buf *out, const struct json_value *value)
{
    size_t len = value->len < SHOWN_MAX ? value->len : SHOWN_MAX;
    char *text;

    while (len < value->len && ((unsigned char)value->text[len] & 0xC0) == 0x80)
        len--;
    text = xstrndup(value->text, len);
    json_put_clean(out, text);
    free(text);
    if (len < value->len)
        json_put_raw_fmt(out, "... (%zu bytes)", value->len);
}

static void put_string(struct buf *out, const struct json_value *value)
{
    char text[SHOWN_MAX];

    if (json_string_decode_cut(value, text, sizeof(text)) > 0)
        json_put_clean(out, text);
}

/* "ok", or an object with a status and its reasons. */
static void put_state(struct buf *out, const struct json_value *state)
{
    static const char *const names[] = {"status", "code", "why"};
    struct json_value v[ARRAY_LEN(names)];

    if (state->kind == JSON_STRING) {
        put_string(out, state);
        return;
    }
    json_members(state, names, ARRAY_LEN(names), v);
    put_string(out, &v[0]);
    struct json_value repairs = json_member(state, "repairs");
    if (repairs.kind == JSON_ARRAY) {
        json_put_raw(out, " ");
        put_value(out, &repairs);
    }
    for (size_t i = 1; i < ARRAY_LEN(names); i++) {
        if (v[i].kind != JSON_STRING)
            continue;
        json_put_raw(out, ": ");
        put_string(out, &v[i]);
    }
}

static void put_answer(struct buf *out, const struct analysis *analysis,
                       const struct json_value *answered, const struct json_value *states)
{
    struct json_value state = json_member(states, analysis->name);
    struct json_value value = row_at(answered, analysis->output);

    json_put_raw_fmt(out, "  %-24s ", analysis->name);
    put_state(out, &state);
    if (value.kind != JSON_ABSENT) {
        json_put_raw(out, "  ");
        put_value(out, &value);
    }
    json_put_raw(out, "\n");
}

void recipe_sample_print(const struct recipe *recipe, const struct sample_row *row,
                         const struct json_value *input, const struct json_value *answered,
                         struct buf *out)
{
    struct json_value states = json_member(answered, "_sheaf");

    json_put_raw_fmt(out, "row %" PRIu64 " (%s)\n  ", row->index, sample_why_name(row->why));
    put_value(out, input);
    json_put_raw(out, "\n");
    for (size_t i = 0; i < recipe->count; i++)
        put_answer(out, &recipe->analyses[i], answered, &states);
    json_put_raw(out, "\n");
}
