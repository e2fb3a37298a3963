#include "cli/core/failures.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/core/json_put.h"
#include "common/base/attr.h"
#include "common/base/xmem.h"

#define SLOTS 8192u /* at most half of them are taken */

static_assert(SLOTS >= 2 * FAILURES_MAX_CAUSES, "raise SLOTS");

#define AGAIN true

#define CORRECT_LINE  "the request itself is refused: correct it as the message says"
#define CHANGE_PROMPT "refused for what it says: change the prompt"
#define CORRECT_MODEL                                                                             \
    "there is no such model for this key: correct the model's name, or send it again when there " \
    "is"

/* Codes of Sheaf's own. The last three stand for the provider's, where it gives none. */
static const struct {
    const char *code;
    bool may_pass;
    const char *help;
} own[] = {
    {"invalid_request_line", !AGAIN, "the line itself cannot be sent: correct it in the input"    },
    {"missing_result",       AGAIN,  "the provider left the request out: send it again"           },
    {"job_cancelled",        AGAIN,  "the job was cancelled before: send it again if it is wanted"},
    {"invalid_line",         !AGAIN, CORRECT_LINE                                                 },
    {"content_policy",       !AGAIN, CHANGE_PROMPT                                                },
    {"model_unsupported",    !AGAIN, CORRECT_MODEL                                                },
};

/* clang-format off */
/* One row a class of enum row_class. */
static const struct {
    bool may_pass;
    const char *help;
} classes[ROW_CLASSES] = {
    [ROW_OK] = {!AGAIN, "the message says what the provider knows"},
    [ROW_EXPIRED] = {AGAIN, "its batch took too long, and it was not run: send it again"},
    [ROW_CANCELLED] = {AGAIN, "its batch was stopped before its turn: send it again"},
    [ROW_TIMEOUT] = {AGAIN, "the provider took too long for it: send it again, or ask for less"},
    [ROW_RATE] = {AGAIN, "too much at once: send it again later"},
    [ROW_SERVER] = {AGAIN, "the provider's own trouble: send it again"},
    [ROW_QUOTA] = {AGAIN, "no money or quota is left: top up, then send it again"},
    [ROW_AUTH] = {AGAIN, "the key or its rights are refused: see to them, then send it again"},
    [ROW_MODEL] = {!AGAIN, CORRECT_MODEL},
    [ROW_CONTENT_POLICY] = {!AGAIN, CHANGE_PROMPT},
    [ROW_TOO_LONG] = {!AGAIN, "too long for the model: shorten it, or take another model"},
    [ROW_BAD] = {!AGAIN, CORRECT_LINE},
    [ROW_UNKNOWN] = {!AGAIN, "the message says what the provider knows"},
};
/* clang-format on */

void failures_release(struct failures *f)
{
    free(f->causes);
    free(f->slots);
    *f = (struct failures){0};
}

static uint32_t hash(int64_t status, const char *code)
{
    uint32_t h = 2166136261u ^ (uint32_t)status; /* FNV-1a */

    for (; *code != '\0'; code++)
        h = (h ^ (unsigned char)*code) * 16777619u;
    return h;
}

/* The slot of the cause, or the free one where it belongs. */
static uint32_t *find_slot(struct failures *f, int64_t status, const char *code)
{
    uint32_t i = hash(status, code) % SLOTS;

    while (f->slots[i] != 0) {
        const struct failure_cause *c = &f->causes[f->slots[i] - 1];

        if (c->status == status && strcmp(c->code, code) == 0)
            break;
        i = (i + 1) % SLOTS;
    }
    return &f->slots[i];
}

static struct failure_cause *find_cause(struct failures *f, const struct failure *row)
{
    int64_t status = row->status > 0 ? row->status : 0;
    char code[sizeof(f->causes->code)];

    (void)snprintf(code, sizeof(code), "%s", row->code);
    if (f->slots == NULL)
        f->slots = xcalloc(SLOTS, sizeof(*f->slots));
    uint32_t *slot = find_slot(f, status, code);
    if (*slot != 0)
        return &f->causes[*slot - 1];
    if (f->count == FAILURES_MAX_CAUSES)
        return NULL;
    if ((f->count & (f->count - 1)) == 0) /* 0, 1, 2, 4, ...: doubled */
        f->causes = xrealloc(f->causes, f->count == 0 ? 1 : 2 * f->count, sizeof(*f->causes));
    struct failure_cause *cause = &f->causes[f->count++];
    *cause = (struct failure_cause){
        .status = status,
        .class = provider_row_classify(status > 0 ? status : -1, row->code, row->message, true),
    };
    memcpy(cause->code, code, sizeof(code));
    *slot = (uint32_t)f->count;
    return cause;
}

/* 7 of "line 7: not JSON", and what is behind it. */
static int64_t take_line(const char **message)
{
    const char *p = *message;
    int64_t line = 0;
    int digits = 0;

    if (strncmp(p, "line ", 5) != 0)
        return -1;
    for (p += 5; *p >= '0' && *p <= '9' && digits < 18; p++, digits++)
        line = line * 10 + (*p - '0');
    if (digits == 0 || strncmp(p, ": ", 2) != 0)
        return -1;
    *message = p + 2;
    return line;
}

void failure_sample_fill(struct failure_sample *sample, uint32_t shard, const char *id,
                         const char *message)
{
    *sample = (struct failure_sample){.shard = shard, .has_id = id != NULL};
    sample->line = take_line(&message);
    (void)snprintf(sample->id, sizeof(sample->id), "%s", id != NULL ? id : "");
    (void)snprintf(sample->message, sizeof(sample->message), "%s", message);
}

static int by_count(const void *a, const void *b)
{
    const struct failure_cause *left = a;
    const struct failure_cause *right = b;

    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    if (left->status != right->status)
        return left->status < right->status ? -1 : 1;
    return strcmp(left->code, right->code);
}

void failures_sort(struct failures *f)
{
    if (f->count > 0)
        qsort(f->causes, f->count, sizeof(*f->causes), by_count);
    free(f->slots);
    f->slots = NULL;
}

const char *failure_cause_name(const struct failure_cause *cause, char out[96])
{
    if (cause->status > 0 && cause->code[0] != '\0')
        (void)snprintf(out, 96, "%d %s", (int)cause->status, cause->code);
    else if (cause->status > 0)
        (void)snprintf(out, 96, "%d", (int)cause->status);
    else
        (void)snprintf(out, 96, "%s", cause->code[0] != '\0' ? cause->code : "unknown");
    return out;
}

/* -1: the code is not Sheaf's own. */
static int own_code(const struct failure_cause *cause)
{
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        if (cause->status <= 0 && strcmp(cause->code, own[i].code) == 0)
            return (int)i;
    }
    return -1;
}

const char *failure_help(const struct failure_cause *cause)
{
    int i = own_code(cause);

    return i >= 0 ? own[i].help : classes[cause->class].help;
}

bool failure_may_pass(const struct failure_cause *cause)
{
    int i = own_code(cause);

    return i >= 0 ? own[i].may_pass : classes[cause->class].may_pass;
}

/* The first and the last time that a cause was seen. */
static void note_time(struct failure_cause *cause, int64_t time_ms)
{
    if (time_ms <= 0)
        return;
    if (cause->first_ms == 0 || time_ms < cause->first_ms)
        cause->first_ms = time_ms;
    if (time_ms > cause->last_ms)
        cause->last_ms = time_ms;
}

struct failure_sample *failures_add(struct failures *f, const struct failure *row)
{
    struct failure_cause *cause = find_cause(f, row);

    f->rows++;
    if (cause == NULL) {
        f->others++;
        return NULL;
    }
    cause->count++;
    note_time(cause, row->time_ms);
    if (cause->sample_count == FAILURES_SAMPLES)
        return NULL;
    return &cause->samples[cause->sample_count++];
}

static void put_sample(struct buf *out, const struct failure_sample *s)
{
    json_put_raw(out, "              ");
    if (s->line >= 0)
        json_put_raw_fmt(out, "line %" PRId64 " ", s->line);
    json_put_clean(out, s->has_id ? s->id : "(no custom_id)");
    if (s->shard > 0) /* most jobs have one window only */
        json_put_raw_fmt(out, " (shard %u)", s->shard);
    if (s->message[0] != '\0')
        json_put_raw(out, ": ");
    json_put_clean(out, s->message);
    json_put_raw(out, "\n");
}

static void put_cause(struct buf *out, const struct failure_cause *c)
{
    char name[96];

    json_put_raw_fmt(out, "\n%12" PRIu64 "  ", c->count);
    json_put_clean(out, failure_cause_name(c, name));
    if (c->first_ms > 0) {
        json_put_raw(out, ", ");
        json_put_time(out, c->first_ms);
    }
    if (c->last_ms / 1000 > c->first_ms / 1000) {
        json_put_raw(out, " to ");
        json_put_time(out, c->last_ms);
    }
    json_put_raw_fmt(out, "\n              -> %s\n", failure_help(c));
    for (size_t i = 0; i < c->sample_count; i++)
        put_sample(out, &c->samples[i]);
}

static size_t shown(const struct failures *f)
{
    return f->count < FAILURES_SHOWN ? f->count : FAILURES_SHOWN;
}

/* Rows whose cause is not shown. */
static uint64_t unshown_rows(const struct failures *f)
{
    uint64_t rows = f->others;

    for (size_t i = shown(f); i < f->count; i++)
        rows += f->causes[i].count;
    return rows;
}

void failures_print(const struct failures *f, const struct failures_scope *scope, struct buf *out)
{
    json_put_raw(out, "job ");
    json_put_clean(out, scope->job);
    json_put_raw_fmt(out, ": %" PRIu64 " of %" PRIu64 " rows failed%s", f->rows, scope->rows,
                     f->count > 0 ? "" : "\n");
    if (f->count > 0)
        json_put_raw_fmt(out, ", %zu %s\n", f->count, f->count == 1 ? "cause" : "causes");
    if (!scope->ended && scope->not_merged >= 0)
        json_put_raw_fmt(out,
                         "so far: %u parts are merged, %" PRId64
                         " rows are not, and what failed there is not known yet\n",
                         scope->parts, scope->not_merged);
    else if (!scope->ended)
        json_put_raw_fmt(out, "from the %u parts that are merged; there may be more\n",
                         scope->parts);
    for (size_t i = 0; i < shown(f); i++)
        put_cause(out, &f->causes[i]);
    if (unshown_rows(f) > 0)
        json_put_raw_fmt(out, "\n%12" PRIu64 "  other causes\n", unshown_rows(f));
}

static void put_sample_json(struct buf *out, const struct failure_sample *s)
{
    json_put_raw(out, "{\"custom_id\":");
    json_put_text(out, s->has_id ? s->id : NULL);
    json_put_raw_fmt(out, ",\"shard\":%u,\"line\":", s->shard);
    json_put_count(out, s->line);
    json_put_raw(out, ",\"message\":");
    json_put_text(out, s->message);
    json_put_raw(out, "}");
}

static void put_cause_json(struct buf *out, const struct failure_cause *c)
{
    char name[96];

    json_put_raw(out, "{\"cause\":");
    json_put_text(out, failure_cause_name(c, name));
    json_put_raw(out, ",\"status\":");
    json_put_count(out, c->status > 0 ? c->status : -1);
    json_put_raw(out, ",\"code\":");
    json_put_text(out, c->code[0] != '\0' ? c->code : NULL);
    json_put_raw_fmt(out, ",\"class\":\"%s\",\"count\":%" PRIu64 ",\"first_seen_ms\":",
                     own_code(c) >= 0 ? "sheaf" : row_class_name(c->class), c->count);
    json_put_count(out, c->first_ms > 0 ? c->first_ms : -1);
    json_put_raw(out, ",\"last_seen_ms\":");
    json_put_count(out, c->last_ms > 0 ? c->last_ms : -1);
    json_put_raw_fmt(out, ",\"may_pass\":%s,\"help\":", failure_may_pass(c) ? "true" : "false");
    json_put_text(out, failure_help(c));
    json_put_raw(out, ",\"samples\":[");
    for (size_t i = 0; i < c->sample_count; i++) {
        json_put_raw(out, i > 0 ? "," : "");
        put_sample_json(out, &c->samples[i]);
    }
    json_put_raw(out, "]}");
}

void failures_print_json(const struct failures *f, const struct failures_scope *scope,
                         struct buf *out)
{
    json_put_raw(out, "{\"schema\":1,\"job\":");
    json_put_text(out, scope->job);
    json_put_raw_fmt(
        out, ",\"ended\":%s,\"merged\":{\"parts\":%u,\"rows\":%" PRIu64 "},\"not_merged_rows\":",
        scope->ended ? "true" : "false", scope->parts, scope->rows);
    json_put_count(out, scope->ended ? 0 : scope->not_merged);
    json_put_raw_fmt(out, ",\"failed\":%" PRIu64 ",\"causes\":[", f->rows);
    for (size_t i = 0; i < shown(f); i++) {
        json_put_raw(out, i > 0 ? "," : "");
        put_cause_json(out, &f->causes[i]);
    }
    json_put_raw_fmt(out, "],\"other\":%" PRIu64 "}\n", unshown_rows(f));
}
