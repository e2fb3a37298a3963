#include "common/enrich/enriched.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/recipe/recipe.h"
#include "common/rows/rows.h"

#define HELD_MAX_BYTES (512u << 20)

void enriched_init(struct enriched *e, const struct recipe *recipe)
{
    *e = (struct enriched){.recipe = recipe,
                           .puts = xcalloc(recipe->count + 1, sizeof(*e->puts)),
                           .at = xcalloc(recipe->count + 1, sizeof(*e->at)),
                           .held = BUF_INIT(HELD_MAX_BYTES),
                           .said = BUF_INIT(HELD_MAX_BYTES)};
}

void enriched_release(struct enriched *e)
{
    free(e->puts);
    free(e->at);
    buf_release(&e->held);
    buf_release(&e->said);
    *e = (struct enriched){0};
}

void enriched_clear(struct enriched *e)
{
    e->count = 0;
    buf_clear(&e->held);
    buf_clear(&e->said);
}

static bool put(struct buf *out, const char *text)
{
    return buf_append(out, text, strlen(text));
}

static bool put_string(struct buf *out, const char *name, const char *text, size_t len)
{
    return put(out, ",\"") && put(out, name) && put(out, "\":") &&
           json_string_encode(out, text, len);
}

static bool put_repairs(struct buf *out, unsigned repairs)
{
    bool ok = buf_printf(out, ",\"repairs\":[");
    const char *comma = "";

    for (unsigned i = 0; ok && i < REPAIR_COUNT; i++) {
        if ((repairs >> i & 1) == 0)
            continue;
        ok = buf_printf(out, "%s\"%s\"", comma, repair_name((enum repair)i));
        comma = ",";
    }
    return ok && buf_append(out, "]", 1);
}

/* One member of "_sheaf". */
static bool say(struct buf *out, const char *name, const struct judged *judged)
{
    const char *status = pair_verdict_name(judged->verdict);
    bool plain = judged->verdict == VERDICT_OK || judged->verdict == VERDICT_SKIPPED;

    if (!buf_append(out, out->len == 0 ? "{" : ",", 1) ||
        !json_string_encode(out, name, strlen(name)))
        return false;
    if (plain && judged->raw.len == 0)
        return put(out, ":\"") && put(out, status) && put(out, "\"");
    return put(out, ":{\"status\":\"") && put(out, status) && put(out, "\"") &&
           (judged->repairs == 0 || put_repairs(out, judged->repairs)) &&
           (judged->code[0] == '\0' ||
            (put_string(out, "code", judged->code, strlen(judged->code)) &&
             put_string(out, "why", judged->why, strlen(judged->why)))) &&
           (judged->raw.len == 0 || put_string(out, "raw", judged->raw.p, judged->raw.len)) &&
           put(out, "}");
}

static bool hold(struct enriched *e, const char *path, const char *text, size_t len)
{
    e->at[e->count] = e->held.len;
    e->puts[e->count] = (struct row_put){
        path, {NULL, len}
    };
    e->count++;
    return buf_append(&e->held, text, len);
}

bool enriched_add(struct enriched *e, size_t analysis, const struct judged *judged)
{
    const struct analysis *a = &e->recipe->analyses[analysis];

    return say(&e->said, a->name, judged) &&
           (judged->json.len == 0 || hold(e, a->output, judged->json.p, judged->json.len));
}

/* The texts have their place only when the last one is there. */
static const struct row_put *settle(struct enriched *e, size_t *count)
{
    for (size_t i = 0; i < e->count; i++)
        e->puts[i].json.p = e->held.data + e->at[i];
    *count = e->count;
    return e->puts;
}

const struct row_put *enriched_puts(struct enriched *e, size_t *count)
{
    if (!buf_append(&e->said, "}", 1) || !hold(e, ENRICHED_MEMBER, e->said.data, e->said.len))
        return NULL;
    return settle(e, count);
}

const struct row_put *enriched_no_row(struct enriched *e, const struct row *row, size_t *count)
{
    size_t len = row->bytes.len < ENRICHED_ROW_BYTES ? row->bytes.len : ENRICHED_ROW_BYTES;

    enriched_clear(e);
    if (!buf_printf(&e->said, "{\"error\":{\"code\":\"invalid_row\"") ||
        !put_string(&e->said, "message", row->problem, strlen(row->problem)) ||
        !buf_append(&e->said, "}", 1) || !put_string(&e->said, "row", row->bytes.p, len) ||
        !buf_append(&e->said, "}", 1) || !hold(e, ENRICHED_MEMBER, e->said.data, e->said.len))
        return NULL;
    return settle(e, count);
}

bool error_line_put(struct buf *out, const char *custom_id, const struct error_line *line)
{
    const struct judged *judged = line->judged;
    const struct slice null = {"null", 4};
    const struct slice *response = judged->response.len > 0 ? &judged->response : &null;

    return buf_printf(out, "{\"id\":null") &&
           put_string(out, "custom_id", custom_id, strlen(custom_id)) &&
           buf_printf(out, ",\"row\":%" PRIu64, line->row) &&
           put_string(out, "row_id", line->row_id, strlen(line->row_id)) &&
           put_string(out, "analysis", line->analysis, strlen(line->analysis)) &&
           buf_printf(out, ",\"response\":") && buf_append(out, response->p, response->len) &&
           buf_printf(out, ",\"error\":{\"code\":") &&
           json_string_encode(out, judged->code, strlen(judged->code)) &&
           put_string(out, "message", judged->why, strlen(judged->why)) && buf_printf(out, "}}\n");
}
