#include "cli/core/status_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/core/json_put.h"
#include "cli/core/sample.h"
#include "cli/core/spending.h"
#include "cli/core/status_lanes.h"
#include "common/base/units.h"

static const char *site_state_name(enum site_state state)
{
    switch (state) {
    case SITE_OK: return "OK";
    case SITE_DOWN: return "DOWN";
    case SITE_AUTH: return "AUTH";
    }
    return "?";
}

/* How long ago, as Redis' clock has it. */
static const char *age(int64_t now_ms, int64_t then_ms, char out[UNITS_TEXT_MAX])
{
    return units_format_duration(now_ms > then_ms ? now_ms - then_ms : 0, out);
}

static void put_site(const struct job_view *v, struct buf *out)
{
    char since[UNITS_TEXT_MAX];

    if (v->site_state == SITE_OK)
        return;
    json_put_raw_fmt(out, "provider  %s for %s: ",
                     v->site_state == SITE_AUTH ? "refuses the key" : "does not answer",
                     age(v->now_ms, v->site_since_ms, since));
    json_put_clean(out, v->site_why);
    json_put_raw(out, "\n");
}

static void put_hold(const struct job_view *v, struct buf *out)
{
    if (v->hold[0] == '\0')
        return;
    json_put_raw_fmt(out, "held      %s%s", v->hold, v->why[0] != '\0' ? ": " : "");
    json_put_clean(out, v->why);
    json_put_raw(out, "\n");
}

static void put_trouble(const struct job_view *v, struct buf *out)
{
    char since[UNITS_TEXT_MAX];

    if (v->trouble[0] == '\0')
        return;
    json_put_raw_fmt(out, "waiting   %s for %s: ", v->trouble,
                     age(v->now_ms, v->trouble_since_ms, since));
    json_put_clean(out, v->trouble_why);
    json_put_raw(out, "\n");
}

static void put_rows(const struct job_view *v, struct buf *out)
{
    uint64_t integrated = sample_integrated(v);
    uint64_t left = v->requests > integrated ? v->requests - integrated : 0;

    json_put_raw_fmt(
        out, "rows      %" PRIu64 "%s: %" PRIu64 " ok, %" PRIu64 " failed, %" PRIu64 " to go",
        v->requests, v->state == JOB_OPEN ? " so far" : "", v->ok, sample_failed(v), left);
    if (v->state != JOB_OPEN && v->requests > 0)
        json_put_raw_fmt(out, " (%" PRIu64 "%%)", integrated * 100 / v->requests);
    json_put_raw(out, "\n");
    if (v->parts > 0)
        json_put_raw_fmt(out, "merged    %u of %u parts\n", v->parts_done, v->parts);
    json_put_raw_fmt(out, "batches   %" PRIu64 " made, %zu alive", v->batches,
                     v->batches_view_count);
    if (v->again > 0)
        json_put_raw_fmt(out, ", %" PRIu64 " shards were sent again", v->again);
    json_put_raw(out, "\n");
}

static void put_money(const struct job_view *v, struct buf *out)
{
    struct spending spending = spending_from_view(v);

    if (spending.currency[0] == '\0')
        return;
    json_put_raw(out, "cost      ");
    spending_print_text(&spending, out);
    json_put_raw(out, "\n");
}

static const char *count_text(int64_t n, char out[24])
{
    if (n < 0)
        return "?";
    (void)snprintf(out, 24, "%" PRId64, n);
    return out;
}

/* A provider's word. */
static void put_padded(struct buf *out, const char *text, int width)
{
    int len = (int)strlen(text);

    json_put_clean(out, text);
    json_put_raw_fmt(out, "%*s", len < width ? width - len : 0, "");
}

static void put_stuck(const struct job_view *v, const struct batch_view *b, struct buf *out)
{
    char since[UNITS_TEXT_MAX];

    if (b->tries > 0)
        json_put_raw_fmt(out, "    failed %u times in a row at this step\n", b->tries);
    if (b->alarm_ms == 0 && b->stop_ms == 0)
        return;
    json_put_raw(out, "    STUCK");
    if (b->status_ms > 0)
        json_put_raw_fmt(out, ": no other status for %s", age(v->now_ms, b->status_ms, since));
    if (b->stop_ms > 0)
        json_put_raw_fmt(out, "; its cancel was asked for %s ago",
                         age(v->now_ms, b->stop_ms, since));
    json_put_raw(out, "\n");
}

static void put_batch(const struct job_view *v, const struct batch_view *b, struct buf *out)
{
    char done[24];
    char since[UNITS_TEXT_MAX];

    json_put_raw_fmt(out, "  %-16s %-6s %8" PRIu64 " %8s  ", b->bid, batch_state_name(b->state),
                     b->requests, count_text(b->remote_done, done));
    put_padded(out, b->remote_status[0] != '\0' ? b->remote_status : "-", 12);
    json_put_raw_fmt(out, " %-8s ", age(v->now_ms, b->packed_ms, since));
    json_put_clean(out, b->remote[0] != '\0' ? b->remote : "-");
    json_put_raw(out, b->failure[0] != '\0' ? "  " : "");
    json_put_clean(out, b->failure);
    json_put_raw(out, "\n");
    put_stuck(v, b, out);
}

void status_print_text(const struct job_view *v, struct buf *out)
{
    char state[SAMPLE_STATE_MAX];
    char since[UNITS_TEXT_MAX];

    json_put_raw_fmt(out, "job       %s\nstate     %s\n", v->job, sample_state(v, state));
    put_hold(v, out);
    put_trouble(v, out);
    put_site(v, out);
    status_accounts_print_text(v, out);
    put_rows(v, out);
    put_money(v, out);
    if (v->finished_ms > 0)
        json_put_raw_fmt(out, "took      %s\n", age(v->finished_ms, v->created_ms, since));
    else
        json_put_raw_fmt(out, "started   %s ago\n", age(v->now_ms, v->created_ms, since));
    if (v->batches_view_count > 0)
        json_put_raw(out, "\n  BATCH            STATE      ROWS     DONE  PROVIDER     AGE      "
                          "REMOTE\n");
    for (size_t i = 0; i < v->batches_view_count && i < STATUS_MAX_BATCHES; i++)
        put_batch(v, &v->batches_view[i], out);
    if (v->batches_view_count > STATUS_MAX_BATCHES)
        json_put_raw_fmt(out, "  and %zu more\n", v->batches_view_count - STATUS_MAX_BATCHES);
    status_lanes_print_text(v, out);
}

void status_print_actions(const struct status_action *actions, size_t count, size_t total,
                          struct buf *out)
{
    if (count == 0)
        return;
    json_put_raw_fmt(out, "\n  %-24s  %-20s  %s\n", "DONE AT", "BY", "WHAT");
    for (size_t i = 0; i < count; i++) {
        const struct status_action *a = &actions[i];

        json_put_raw(out, "  ");
        put_padded(out, a->at, 24);
        json_put_raw(out, "  ");
        put_padded(out, a->who, 20);
        json_put_raw(out, "  ");
        json_put_clean(out, a->verb);
        json_put_raw(out, strcmp(a->what, "{}") != 0 ? " " : "");
        json_put_clean(out, strcmp(a->what, "{}") != 0 ? a->what : "");
        json_put_raw(out, "\n");
    }
    if (total > count)
        json_put_raw_fmt(out, "  and %zu before; --json has them all\n", total - count);
}

static void put_member(struct buf *out, const char *name, const char *text)
{
    json_put_raw_fmt(out, ",\"%s\":", name);
    json_put_text(out, text);
}

static void put_batch_json(const struct batch_view *b, struct buf *out)
{
    json_put_raw(out, "{\"batch\":");
    json_put_text(out, b->bid);
    put_member(out, "state", batch_state_name(b->state));
    json_put_raw_fmt(out, ",\"requests\":%" PRIu64, b->requests);
    put_member(out, "remote", b->remote[0] != '\0' ? b->remote : NULL);
    put_member(out, "remote_status", b->remote_status[0] != '\0' ? b->remote_status : NULL);
    json_put_raw(out, ",\"remote_done\":");
    json_put_count(out, b->remote_done);
    json_put_raw(out, ",\"remote_failed\":");
    json_put_count(out, b->remote_failed);
    json_put_raw_fmt(
        out,
        ",\"tries\":%u,\"checkpoint\":%" PRIu64 ",\"output_bytes\":%" PRIu64
        ",\"error_bytes\":%" PRIu64 ",\"packed_ms\":%" PRId64 ",\"lane_hold_ms\":%" PRId64,
        b->tries, b->checkpoint, b->output_bytes, b->error_bytes, b->packed_ms, b->lane_hold_ms);
    json_put_raw(out, ",\"status_since_ms\":");
    json_put_count(out, b->status_ms > 0 ? b->status_ms : -1);
    json_put_raw(out, ",\"stuck_since_ms\":");
    json_put_count(out, b->alarm_ms > 0 ? b->alarm_ms : -1);
    json_put_raw(out, ",\"stopped_ms\":");
    json_put_count(out, b->stop_ms > 0 ? b->stop_ms : -1);
    put_member(out, "account", b->account[0] != '\0' ? b->account : NULL);
    json_put_raw(out, ",\"lane\":"); /* JSON already */
    json_put_raw(out, b->lane_label[0] != '\0' ? b->lane_label : "null");
    put_member(out, "failure", b->failure[0] != '\0' ? b->failure : NULL);
    json_put_raw(out, "}");
}

static void put_numbers_json(const struct job_view *v, struct buf *out)
{
    json_put_raw(out, ",\"rows\":{\"total\":");
    json_put_count(out, v->state == JOB_OPEN ? -1 : (int64_t)v->requests);
    json_put_raw_fmt(out,
                     ",\"cut\":%" PRIu64 ",\"ok\":%" PRIu64 ",\"failed\":%" PRIu64
                     ",\"invalid\":%" PRIu64 "}",
                     v->requests, v->ok, sample_failed(v), v->invalid);
    json_put_raw_fmt(
        out, ",\"shards\":{\"total\":%" PRIu64 ",\"done\":%" PRIu64 ",\"sent_again\":%" PRIu64 "}",
        v->shards, v->shards_done, v->again);
    json_put_raw_fmt(out, ",\"parts\":{\"total\":%u,\"done\":%u}", v->parts, v->parts_done);
    json_put_raw_fmt(out, ",\"batches\":{\"made\":%" PRIu64 ",\"alive\":%zu,\"list\":[", v->batches,
                     v->batches_view_count);
    for (size_t i = 0; i < v->batches_view_count; i++) {
        json_put_raw(out, i > 0 ? "," : "");
        put_batch_json(&v->batches_view[i], out);
    }
    struct spending spending = spending_from_view(v);
    json_put_raw(out, "]},\"cost\":");
    spending_print_json(&spending, out);
}

void status_print_json(const struct job_view *v, const char *trail, struct buf *out)
{
    char state[SAMPLE_STATE_MAX];

    json_put_raw(out, "{\"schema\":1,\"job\":");
    json_put_text(out, v->job);
    put_member(out, "state", job_state_name(v->state));
    put_member(out, "doing", sample_state(v, state));
    put_member(out, "hold", v->hold[0] != '\0' ? v->hold : NULL);
    put_member(out, "why", v->why[0] != '\0' ? v->why : NULL);
    put_member(out, "trouble", v->trouble[0] != '\0' ? v->trouble : NULL);
    put_member(out, "trouble_why", v->trouble[0] != '\0' ? v->trouble_why : NULL);
    json_put_raw_fmt(out, ",\"cancelled\":%s", v->cancelled ? "true" : "false");
    json_put_raw_fmt(out, ",\"generation\":%u", v->generation);
    put_numbers_json(v, out);
    json_put_raw(out, ",\"lanes\":");
    status_lanes_print_json(v, out);
    json_put_raw(out, ",\"accounts\":");
    status_accounts_print_json(v, out);
    json_put_raw(out, ",\"provider\":{\"state\":");
    json_put_text(out, site_state_name(v->site_state));
    put_member(out, "why", v->site_why[0] != '\0' ? v->site_why : NULL);
    json_put_raw(out, ",\"since_ms\":");
    json_put_count(out, v->site_since_ms > 0 ? v->site_since_ms : -1);
    json_put_raw_fmt(out, "},\"now_ms\":%" PRId64 ",\"created_ms\":%" PRId64 ",\"finished_ms\":",
                     v->now_ms, v->created_ms);
    json_put_count(out, v->finished_ms > 0 ? v->finished_ms : -1);
    json_put_raw(out, ",\"trail\":");
    json_put_raw(out, trail != NULL ? trail : "null");
    json_put_raw(out, "}\n");
}

/* A row of the list holds a part of a view. */
static void row_state(const struct job_row *row, char out[SAMPLE_STATE_MAX])
{
    struct job_view view = {.state = row->state, .cancelled = row->cancelled, .shards = 1};

    (void)snprintf(view.hold, sizeof(view.hold), "%s", row->hold);
    (void)sample_state(&view, out);
}

void status_print_list(const struct job_row *rows, size_t count, int64_t now_ms, struct buf *out)
{
    char state[SAMPLE_STATE_MAX];
    char since[UNITS_TEXT_MAX];

    if (count > 0)
        json_put_raw_fmt(out, "%-24s %-16s %12s %12s %10s  %s\n", "JOB", "STATE", "ROWS", "OK",
                         "FAILED", "AGE");
    for (size_t i = 0; i < count; i++) {
        const struct job_row *r = &rows[i];

        row_state(r, state);
        json_put_raw_fmt(out, "%-24s %-16s %12" PRIu64 " %12" PRIu64 " %10" PRIu64 "  %s\n", r->job,
                         state, r->requests, r->ok, r->bad + r->invalid,
                         age(now_ms, r->created_ms, since));
    }
}

void status_print_list_json(const struct job_row *rows, size_t count, struct buf *out)
{
    json_put_raw(out, "[");
    for (size_t i = 0; i < count; i++) {
        const struct job_row *r = &rows[i];

        json_put_raw(out, i > 0 ? ",{\"job\":" : "{\"job\":");
        json_put_text(out, r->job);
        put_member(out, "state", job_state_name(r->state));
        put_member(out, "hold", r->hold[0] != '\0' ? r->hold : NULL);
        json_put_raw_fmt(out,
                         ",\"cancelled\":%s,\"rows\":%" PRIu64 ",\"ok\":%" PRIu64
                         ",\"failed\":%" PRIu64 ",\"created_ms\":%" PRId64 "}",
                         r->cancelled ? "true" : "false", r->requests, r->ok, r->bad + r->invalid,
                         r->created_ms);
    }
    json_put_raw(out, "]\n");
}
