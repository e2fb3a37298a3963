#include "common/enrich/reading.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/recipe/recipe.h"

void reading_init(struct reading *reading)
{
    *reading = (struct reading){.body_text = BUF_INIT(READING_MAX_BYTES)};
    answer_scratch_init(&reading->scratch, READING_MAX_BYTES);
}

void reading_release(struct reading *reading)
{
    answer_scratch_release(&reading->scratch);
    buf_release(&reading->body_text);
    free(reading->answers);
    free(reading->rows);
    *reading = (struct reading){0};
}

static void make_room(struct reading *r, size_t count)
{
    if (count > r->cap) {
        r->answers = xrealloc(r->answers, count, sizeof(*r->answers));
        r->rows = xrealloc(r->rows, count, sizeof(*r->rows));
        r->cap = count;
    }
    r->code[0] = '\0';
    r->why[0] = '\0';
    r->body = (struct slice){0};
    r->text = (struct slice){0};
}

/* The same for every row of the request. */
static void say_all(struct reading *r, size_t count, enum pair_state said)
{
    for (size_t i = 0; i < count; i++)
        r->rows[i] = (struct reading_row){.said = said, .code = r->code, .why = r->why};
}

static void say_failed(struct reading *r, const struct reading_request *request,
                       const struct result_line *fields)
{
    if (fields == NULL) {
        (void)snprintf(r->code, sizeof(r->code), "job_cancelled");
        (void)why_set(r->why, "the job was cancelled before this request was sent");
    } else if (fields->code[0] != '\0') {
        memcpy(r->code, fields->code, sizeof(r->code));
    } else if (fields->status_code > 0) {
        (void)snprintf(r->code, sizeof(r->code), "http_%" PRId64, fields->status_code);
    } else {
        (void)snprintf(r->code, sizeof(r->code), "unknown_error");
    }
    if (fields != NULL && fields->message[0] != '\0')
        (void)why_set(r->why, "%s", fields->message);
    say_all(r, request->count, pair_of_failure(r->code, request->count > 1));
}

/* The response's body, which some send as a string with the JSON inside; absent if there is none.
 */
static struct json_value find_body(struct reading *r, const struct result_line *fields)
{
    struct json_value none = {0};
    struct json_value body = fields->body;
    size_t len = 0;

    if (body.kind != JSON_STRING)
        return body;
    buf_clear(&r->body_text);
    if (!buf_reserve(&r->body_text, body.len) ||
        !json_string_decode(&body, r->body_text.data, body.len, &len) ||
        !json_scan(r->body_text.data, len, &body, NULL))
        return none;
    return body;
}

static void take(struct reading *r, size_t i)
{
    const struct answer *a = &r->answers[i];
    struct reading_row *row = &r->rows[i];

    *row = (struct reading_row){.said = PAIR_INVALID, .code = "", .why = ""};
    if (a->verdict == ANSWER_INVALID) {
        row->code = a->forgotten ? "forgotten" : "invalid_answer";
        row->why = a->why;
        return;
    }
    row->said = a->verdict == ANSWER_OK ? PAIR_OK : PAIR_REPAIRED;
    row->repairs = a->repairs;
    row->json = a->json;
}

/* What several rows in one request went without is asked again of each of them. */
static void take_pack(struct reading *r, const struct reading_request *request,
                      const struct answer_content *content)
{
    const struct analysis *a = request->analysis;
    const struct answer_pack pack = {.id_field = a->pack_id,
                                     .answer_field = a->pack_answer,
                                     .ids = request->ids,
                                     .count = request->count};
    bool readable = answer_split(&a->answer, &pack, content, &r->scratch, r->answers);

    for (size_t i = 0; i < request->count; i++) {
        take(r, i);
        if (request->count > 1 && (!readable || r->answers[i].forgotten))
            r->rows[i].said = PAIR_LOST;
    }
}

void reading_make(struct reading *r, const struct reading_request *request,
                  const struct result_line *fields, bool ok)
{
    struct answer_content content;
    struct json_value body;
    bool said;

    make_room(r, request->count);
    if (fields == NULL) {
        say_failed(r, request, NULL);
        return;
    }
    body = find_body(r, fields);
    r->body = (struct slice){body.text, body.len};
    if (!ok) {
        say_failed(r, request, fields);
        return;
    }
    said = fields->choices.kind == JSON_ARRAY
               ? answer_choices(&fields->choices, &r->scratch, &content, r->why)
               : answer_content(&body, &r->scratch, &content, r->why);
    if (!said) {
        (void)snprintf(r->code, sizeof(r->code), "invalid_answer");
        say_all(r, request->count, request->count > 1 ? PAIR_LOST : PAIR_INVALID);
        return;
    }
    r->text = content.text;
    if (request->ids != NULL) {
        take_pack(r, request, &content);
        return;
    }
    answer_judge(&request->analysis->answer, &content, &r->scratch, &r->answers[0]);
    take(r, 0);
}
