#include "cli/core/status_lanes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/core/json_put.h"
#include "common/base/units.h"
#include "common/json/scan.h"

#define NAME_WIDTH 44
#define USE_MAX    48

/* Longer than any hold that ends by itself. */
#define FOR_GOOD_MS (INT64_C(10) * 365 * 24 * 3600 * 1000)

/* "gpt-4o-mini /v1/chat/completions" of what the lane was labelled with; else its id. */
static void lane_name(const struct lane_view *lane, char out[160])
{
    static const char *const names[] = {"model", "endpoint"};
    struct json_value v[2];
    char model[80] = "";
    char endpoint[64] = "";

    (void)snprintf(out, 160, "%s", lane->lane);
    if (!json_scan_object(lane->label, strlen(lane->label), names, 2, v, NULL) ||
        v[0].kind != JSON_STRING)
        return;
    (void)json_string_decode_cut(&v[0], model, sizeof(model));
    if (v[1].kind == JSON_STRING)
        (void)json_string_decode_cut(&v[1], endpoint, sizeof(endpoint));
    (void)snprintf(out, 160, "%s%s%s", model, endpoint[0] != '\0' ? " " : "", endpoint);
}

/* "3", or "3/10" where the provider has taught how much it takes. */
static const char *use_of(uint64_t n, uint64_t cap, char out[USE_MAX])
{
    if (cap > 0)
        (void)snprintf(out, USE_MAX, "%" PRIu64 "/%" PRIu64, n, cap);
    else
        (void)snprintf(out, USE_MAX, "%" PRIu64, n);
    return out;
}

static void put_file_caps(const struct lane_view *lane, struct buf *out)
{
    char size[UNITS_TEXT_MAX];

    if (lane->cap_file_requests == 0 && lane->cap_file_bytes == 0)
        return;
    json_put_raw(out, "    one file holds at most");
    if (lane->cap_file_requests > 0)
        json_put_raw_fmt(out, " %" PRIu64 " requests", lane->cap_file_requests);
    if (lane->cap_file_bytes > 0)
        json_put_raw_fmt(out, "%s %s", lane->cap_file_requests > 0 ? "," : "",
                         units_format_size(lane->cap_file_bytes, size));
    json_put_raw(out, ", as the provider has taught\n");
}

static void put_lane_hold(const struct job_view *v, const struct lane_view *lane, struct buf *out)
{
    int64_t lasts_ms = lane->hold_ms - v->now_ms;
    char since[UNITS_TEXT_MAX];

    if (lasts_ms <= 0)
        return;
    if (lasts_ms > FOR_GOOD_MS)
        json_put_raw(out, "    held until `sheaf resume`: ");
    else
        json_put_raw_fmt(out, "    held for another %s: ", units_format_duration(lasts_ms, since));
    json_put_clean(out, lane->hold_why);
    json_put_raw(out, "\n");
}

static void put_lane(const struct job_view *v, const struct lane_view *lane, struct buf *out)
{
    char use[3][USE_MAX];
    char name[160];

    lane_name(lane, name);
    json_put_raw(out, "  ");
    json_put_clean(out, name);
    json_put_raw_fmt(out, "%*s %-12s %8s %12s %16s\n",
                     strlen(name) < NAME_WIDTH ? (int)(NAME_WIDTH - strlen(name)) : 0, "",
                     lane->account[0] != '\0' ? lane->account : "-",
                     use_of(lane->batches, lane->cap_batches, use[0]),
                     use_of(lane->requests, lane->cap_requests, use[1]),
                     use_of(lane->tokens, lane->cap_tokens, use[2]));
    put_file_caps(lane, out);
    put_lane_hold(v, lane, out);
}

void status_lanes_print_text(const struct job_view *v, struct buf *out)
{
    if (v->lane_count == 0)
        return;
    json_put_raw_fmt(out, "\n  %-*s %-12s %8s %12s %16s\n", NAME_WIDTH, "LANE", "ACCOUNT",
                     "BATCHES", "REQUESTS", "TOKENS");
    for (size_t i = 0; i < v->lane_count && i < STATUS_MAX_LANES; i++)
        put_lane(v, &v->lanes[i], out);
    if (v->lane_count > STATUS_MAX_LANES)
        json_put_raw_fmt(out, "  and %zu more\n", v->lane_count - STATUS_MAX_LANES);
}

static void put_cap(struct buf *out, const char *name, uint64_t cap)
{
    json_put_raw_fmt(out, "\"%s\":", name);
    json_put_count(out, cap > 0 ? (int64_t)cap : -1);
}

static void put_lane_json(const struct job_view *v, const struct lane_view *lane, struct buf *out)
{
    bool held = lane->hold_ms > v->now_ms;

    json_put_raw_fmt(out, "{\"lane\":\"%s\",\"label\":", lane->lane);
    json_put_raw(out, lane->label[0] != '\0' ? lane->label : "null"); /* JSON already */
    json_put_raw(out, ",\"account\":");
    json_put_text(out, lane->account[0] != '\0' ? lane->account : NULL);
    json_put_raw_fmt(out,
                     ",\"in_use\":{\"batches\":%" PRIu64 ",\"requests\":%" PRIu64
                     ",\"tokens\":%" PRIu64 "},\"learned\":{",
                     lane->batches, lane->requests, lane->tokens);
    put_cap(out, "batches", lane->cap_batches);
    json_put_raw(out, ",");
    put_cap(out, "requests", lane->cap_requests);
    json_put_raw(out, ",");
    put_cap(out, "tokens", lane->cap_tokens);
    json_put_raw(out, ",");
    put_cap(out, "file_requests", lane->cap_file_requests);
    json_put_raw(out, ",");
    put_cap(out, "file_bytes", lane->cap_file_bytes);
    json_put_raw(out, "},\"held_until_ms\":");
    json_put_count(out, held ? lane->hold_ms : -1);
    json_put_raw(out, ",\"held_why\":");
    json_put_text(out, held ? lane->hold_why : NULL);
    json_put_raw(out, "}");
}

void status_lanes_print_json(const struct job_view *v, struct buf *out)
{
    json_put_raw(out, "[");
    for (size_t i = 0; i < v->lane_count; i++) {
        json_put_raw(out, i > 0 ? "," : "");
        put_lane_json(v, &v->lanes[i], out);
    }
    json_put_raw(out, "]");
}

void status_accounts_print_text(const struct job_view *v, struct buf *out)
{
    if (v->account_count == 0)
        return;
    json_put_raw(out, "accounts  ");
    for (size_t i = 0; i < v->account_count; i++)
        json_put_raw_fmt(out, "%s%s: %" PRIu64 " batches", i > 0 ? ", " : "",
                         v->accounts[i].account[0] != '\0' ? v->accounts[i].account : "?",
                         v->accounts[i].batches);
    json_put_raw(out, "\n");
}

void status_accounts_print_json(const struct job_view *v, struct buf *out)
{
    json_put_raw(out, "[");
    for (size_t i = 0; i < v->account_count; i++) {
        json_put_raw(out, i > 0 ? ",{\"account\":" : "{\"account\":");
        json_put_text(out, v->accounts[i].account);
        json_put_raw_fmt(out, ",\"batches\":%" PRIu64 "}", v->accounts[i].batches);
    }
    json_put_raw(out, "]");
}
