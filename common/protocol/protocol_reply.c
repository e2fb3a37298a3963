#include "common/protocol/protocol_reply.h"

#include <string.h>

#include "common/base/xmem.h"
#include "common/protocol/protocol.h"

uint64_t reply_unsigned(const struct redis_reply *r)
{
    int64_t number = redis_reply_number(r, 0);

    return number > 0 ? (uint64_t)number : 0;
}

void reply_copy(const struct redis_reply *r, char *out, size_t size)
{
    size_t len = redis_reply_len(r);

    if (len >= size)
        len = size - 1;
    memcpy(out, redis_reply_text(r), len);
    out[len] = '\0';
}

/* Shorthands for a field of a flat list, and for an element of a row. */
static uint64_t field_unsigned(const struct redis_reply *fields, const char *name)
{
    return reply_unsigned(redis_reply_field(fields, name));
}

static int64_t field_number(const struct redis_reply *fields, const char *name)
{
    return redis_reply_number(redis_reply_field(fields, name), 0);
}

static void field_copy(const struct redis_reply *fields, const char *name, char *out, size_t size)
{
    reply_copy(redis_reply_field(fields, name), out, size);
}

static uint64_t at_unsigned(const struct redis_reply *row, size_t i)
{
    return reply_unsigned(redis_reply_at(row, i));
}

static uint32_t at_u32(const struct redis_reply *row, size_t i)
{
    return (uint32_t)at_unsigned(row, i);
}

static void at_copy(const struct redis_reply *row, size_t i, char *out, size_t size)
{
    reply_copy(redis_reply_at(row, i), out, size);
}

enum job_state reply_job_state(const struct redis_reply *r)
{
    static const enum job_state all[] = {JOB_SEALED, JOB_FINAL};

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (strcmp(redis_reply_text(r), job_state_name(all[i])) == 0)
            return all[i];
    return JOB_OPEN;
}

static void batch_parse_state(const struct redis_reply *r, enum batch_state *state)
{
    *state = BATCH_BUILD;
    (void)batch_state_parse(redis_reply_text(r), state);
}

static void batch_texts(const struct redis_reply *f, struct batch *b)
{
    field_copy(f, "J", b->job, sizeof(b->job));
    field_copy(f, "L", b->lane, sizeof(b->lane));
    field_copy(f, "A", b->account, sizeof(b->account));
    field_copy(f, BATCH_F_FILE, b->file, sizeof(b->file));
    field_copy(f, BATCH_F_ENDPOINT, b->endpoint, sizeof(b->endpoint));
    field_copy(f, BATCH_F_REMOTE, b->remote, sizeof(b->remote));
    field_copy(f, BATCH_F_OUTPUT, b->output, sizeof(b->output));
    field_copy(f, BATCH_F_ERROR, b->error, sizeof(b->error));
    field_copy(f, BATCH_F_FAILURE, b->failure, sizeof(b->failure));
    field_copy(f, BATCH_F_RSTATUS, b->remote_status, sizeof(b->remote_status));
    field_copy(f, BATCH_F_TRIES_OF, b->tries_of, sizeof(b->tries_of));
    field_copy(f, BATCH_F_ROUNDS, b->rounds, sizeof(b->rounds));
    field_copy(f, "model", b->model, sizeof(b->model));
}

/* What only some batches have, and the batch comes to own. */
static void batch_owned(const struct redis_reply *f, struct batch *b)
{
    const struct redis_reply *masks = redis_reply_field(f, "m");
    const struct redis_reply *refused = redis_reply_field(f, BATCH_F_REFUSED);

    if (redis_reply_len(masks) != 0) {
        b->masks_len = redis_reply_len(masks);
        b->masks = xcalloc(b->masks_len, 1);
        memcpy(b->masks, redis_reply_text(masks), b->masks_len);
    }
    if (redis_reply_len(refused) != 0)
        b->refused = xstrdup(redis_reply_text(refused));
}

static void batch_times(const struct redis_reply *f, struct batch *b)
{
    b->packed_ms = field_number(f, "t0");
    b->build_ms = field_number(f, "bts");
    if (b->build_ms == 0)
        b->build_ms = b->packed_ms;
    b->file_ms = field_number(f, BATCH_F_FILE_MS);
    b->intent_ms = field_number(f, BATCH_F_INTENT);
    b->run_ms = field_number(f, BATCH_F_RUN_MS);
    b->ended_ms = field_number(f, BATCH_F_ENDED_MS);
    b->remote_created_ms = field_number(f, BATCH_F_CREATED);
    b->status_ms = field_number(f, BATCH_F_STATUS_MS);
    b->alarm_ms = field_number(f, BATCH_F_ALARM);
    b->stop_ms = field_number(f, BATCH_F_STOP);
}

void reply_batch(const struct redis_reply *f, const char *bid, struct batch *b)
{
    char found[16]; /* in use when its create was sent */

    *b = (struct batch){0};
    memcpy(b->bid, bid, strnlen(bid, BATCH_ID_LEN));
    batch_texts(f, b);
    batch_parse_state(redis_reply_field(f, "st"), &b->state);
    b->requests = field_unsigned(f, "n");
    b->bytes = field_unsigned(f, "by");
    b->output_bytes = field_unsigned(f, BATCH_F_OBYTES);
    b->error_bytes = field_unsigned(f, BATCH_F_EBYTES);
    b->checkpoint = field_unsigned(f, BATCH_F_CHECK);
    b->pass = (uint32_t)field_unsigned(f, BATCH_F_PASS);
    b->free_rest = field_number(f, BATCH_F_FREE) != 0;
    b->looks = (uint32_t)field_unsigned(f, BATCH_F_LOOKS);
    b->asked = (uint32_t)field_unsigned(f, BATCH_F_ASKED);
    field_copy(f, "u0", found, sizeof(found));
    b->alone = strcmp(found, "0:0:0") == 0;
    b->lane_ok_ms = field_number(f, "okat");
    b->remote_done = redis_reply_number(redis_reply_field(f, BATCH_F_RDONE), -1);
    b->remote_failed = redis_reply_number(redis_reply_field(f, BATCH_F_RFAILED), -1);
    b->tries = (uint32_t)field_unsigned(f, BATCH_F_TRIES);
    b->priced = price_quote_parse(redis_reply_text(redis_reply_field(f, "q")), &b->quote);
    b->reserved_nano = field_number(f, "rsv");
    b->likely_nano = field_number(f, "est");
    batch_times(f, b);
    batch_owned(f, b);
}

static void job_counters(const struct redis_reply *f, struct job_view *job)
{
    job->requests = field_unsigned(f, "n");
    job->invalid = field_unsigned(f, "inv");
    job->ok = field_unsigned(f, "ok");
    job->bad = field_unsigned(f, "bad");
    job->windows = (uint32_t)field_unsigned(f, "cur_w");
    job->offset = field_unsigned(f, "cur_off");
    job->shards = field_unsigned(f, "shards");
    job->shards_done = field_unsigned(f, "done");
    job->shards_in_flight = field_unsigned(f, "infs");
    job->payload_bytes = field_unsigned(f, "infb");
    job->parts = (uint32_t)field_unsigned(f, "parts");
    job->parts_done = (uint32_t)field_unsigned(f, "pdone");
    job->batches = field_unsigned(f, "batches");
    job->batches_alive = field_unsigned(f, "ub");
    job->again = field_unsigned(f, "again");
    job->poll_ms = field_unsigned(f, "poll");
    job->max_attempts = (uint32_t)field_unsigned(f, "attempts");
    job->generation = (uint32_t)field_unsigned(f, "gen");
    job->opens = field_unsigned(f, "opens");
}

static void job_money(const struct redis_reply *f, struct job_view *job)
{
    field_copy(f, "cur", job->currency, sizeof(job->currency));
    job->max_cost_nano = redis_reply_number(redis_reply_field(f, "cap"), -1);
    job->spent_nano = field_number(f, "spent");
    job->reserved_nano = field_number(f, "rsv");
    job->unpriced = field_unsigned(f, "unp");
}

void reply_job_money(const struct redis_reply *row, struct job_view *job)
{
    job->left_nano = redis_reply_int(row, 0, 0);
    job->need_nano = redis_reply_int(row, 1, -1);
    job->left_unpriced = at_unsigned(row, 2);
    job->est_input_tokens = at_unsigned(row, 3);
    job->act_input_tokens = at_unsigned(row, 4);
    job->output_tokens = at_unsigned(row, 5);
    job->output_lines = at_unsigned(row, 6);
}

void reply_job(const struct redis_reply *f, int64_t now_ms, struct job_view *job)
{
    *job = (struct job_view){0};
    field_copy(f, "name", job->job, sizeof(job->job));
    field_copy(f, "ji", job->ji, sizeof(job->ji));
    field_copy(f, "fp", job->fingerprint, sizeof(job->fingerprint));
    field_copy(f, "site", job->site, sizeof(job->site));
    field_copy(f, "hold", job->hold, sizeof(job->hold));
    job->state = reply_job_state(redis_reply_field(f, "st"));
    job->why = redis_reply_text(redis_reply_field(f, "why"));
    field_copy(f, "trouble", job->trouble, sizeof(job->trouble));
    job->trouble_why = redis_reply_text(redis_reply_field(f, "twhy"));
    job->trouble_since_ms = field_number(f, "tsince");
    job->cancelled = !redis_reply_is_nil(redis_reply_field(f, "cancel"));
    job->spec = redis_reply_text(redis_reply_field(f, "spec"));
    job->now_ms = now_ms;
    job->created_ms = field_number(f, "created");
    job->finished_ms = field_number(f, "fin");
    job->site_why = "";
    job_counters(f, job);
    job_money(f, job);
}

void reply_member(const struct redis_reply *row, struct member *m)
{
    size_t len = redis_reply_str_len(row, 13);

    *m = (struct member){
        .window = at_u32(row, 0),
        .index = at_u32(row, 1),
        .attempt = at_u32(row, 2),
        .failures = at_u32(row, 3),
        .lines = at_u32(row, 4),
        .left = at_u32(row, 5),
        .offset = at_unsigned(row, 6),
        .length = at_unsigned(row, 7),
        .first_line = at_unsigned(row, 8),
        .crc = at_u32(row, 9),
        .bytes = at_unsigned(row, 10),
        .longest = at_unsigned(row, 11),
        .tokens = at_unsigned(row, 12),
        .est_output = at_unsigned(row, 14),
        .open_ended = at_u32(row, 15),
        .most_tokens = at_unsigned(row, 16),
        .line_tokens = at_unsigned(row, 17),
        .line_output = at_unsigned(row, 18),
    };
    if (m->lines > 8 * sizeof(m->mask))
        m->lines = 8 * sizeof(m->mask);
    memcpy(m->mask, redis_reply_str(row, 13), len < sizeof(m->mask) ? len : sizeof(m->mask));
}

void reply_batch_view(const struct redis_reply *row, struct batch_view *v)
{
    *v = (struct batch_view){
        .requests = at_unsigned(row, 2),
        .remote_done = redis_reply_int(row, 5, -1),
        .remote_failed = redis_reply_int(row, 6, -1),
        .checkpoint = at_unsigned(row, 7),
        .output_bytes = at_unsigned(row, 8),
        .error_bytes = at_unsigned(row, 9),
        .packed_ms = redis_reply_int(row, 11, 0),
        .ok = at_unsigned(row, 13),
        .bad = at_unsigned(row, 14),
        .tries = at_u32(row, 17),
        .status_ms = redis_reply_int(row, 18, 0),
        .alarm_ms = redis_reply_int(row, 19, 0),
        .stop_ms = redis_reply_int(row, 20, 0),
        .lane_label = redis_reply_str(row, 21),
        .lane_hold_ms = redis_reply_int(row, 22, 0),
        .is_empty = redis_reply_int(row, 23, 0) != 0,
    };
    at_copy(row, 0, v->bid, sizeof(v->bid));
    batch_parse_state(redis_reply_at(row, 1), &v->state);
    at_copy(row, 3, v->remote, sizeof(v->remote));
    at_copy(row, 4, v->remote_status, sizeof(v->remote_status));
    at_copy(row, 10, v->lane, sizeof(v->lane));
    at_copy(row, 15, v->failure, sizeof(v->failure));
    at_copy(row, 16, v->account, sizeof(v->account));
}

void reply_lane_view(const struct redis_reply *row, struct lane_view *v)
{
    *v = (struct lane_view){
        .label = redis_reply_str(row, 2),
        .hold_ms = redis_reply_int(row, 3, 0),
        .hold_why = redis_reply_str(row, 4),
        .batches = at_unsigned(row, 5),
        .tokens = at_unsigned(row, 6),
        .requests = at_unsigned(row, 7),
        .cap_batches = at_unsigned(row, 8),
        .cap_tokens = at_unsigned(row, 9),
        .cap_requests = at_unsigned(row, 10),
        .cap_file_requests = at_unsigned(row, 11),
        .cap_file_bytes = at_unsigned(row, 12),
    };
    at_copy(row, 0, v->lane, sizeof(v->lane));
    at_copy(row, 1, v->account, sizeof(v->account));
}

void reply_account_view(const struct redis_reply *list, size_t at, struct account_view *v)
{
    *v = (struct account_view){.batches = at_unsigned(list, at + 1)};
    at_copy(list, at, v->account, sizeof(v->account));
}

void reply_job_row(const struct redis_reply *row, struct job_row *job)
{
    *job = (struct job_row){
        .state = reply_job_state(redis_reply_at(row, 1)),
        .requests = at_unsigned(row, 3),
        .ok = at_unsigned(row, 4),
        .bad = at_unsigned(row, 5),
        .invalid = at_unsigned(row, 6),
        .created_ms = redis_reply_int(row, 7, 0),
        .cancelled = redis_reply_str_len(row, 8) != 0,
    };
    at_copy(row, 0, job->job, sizeof(job->job));
    at_copy(row, 2, job->hold, sizeof(job->hold));
}
