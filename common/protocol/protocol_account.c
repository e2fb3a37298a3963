/* The calls about what an account may use: what its lanes have learned, and how often it may call.
 */

#include "common/protocol/protocol_internal.h"

struct protocol_call *protocol_lane_learn(struct protocol *p, const char *lane,
                                          const struct lane_lesson *lesson, protocol_fn done,
                                          void *arg)
{
    struct words w = {0};

    words_text(&w, protocol_account(p));
    words_text(&w, lane);
    words_text(&w, lesson->bid);
    words_number(&w, lesson->hold_ms);
    words_text(&w, lesson->why);
    words_unsigned(&w, lesson->tokens_pct);
    words_unsigned(&w, lesson->requests_pct);
    words_unsigned(&w, lesson->batches_pct);
    words_unsigned(&w, lesson->file_requests);
    words_unsigned(&w, lesson->file_bytes);
    words_unsigned(&w, lesson->firm);
    return protocol_start(p, SCRIPT_LANE_LEARN, &w, false, deliver_plain,
                          (union protocol_callback){.plain = done}, arg);
}

const char *protocol_rate_name(enum protocol_rate rate)
{
    switch (rate) {
    case PROTOCOL_RATE_UPLOADS: return "uploads";
    case PROTOCOL_RATE_CREATES: return "creates";
    case PROTOCOL_RATE_POLLS: return "polls";
    }
    return "?";
}

int64_t protocol_rate_interval_ms(uint64_t limit, int64_t window_ms, uint32_t burst)
{
    int64_t calls = (int64_t)limit - burst + 1;

    return (window_ms + calls - 1) / calls;
}

static void deliver_rate(const struct protocol_result *r)
{
    r->done.rate(r->answer, redis_reply_int(r->reply, 1, 0), r->err, r->arg);
}

struct protocol_call *protocol_rate_take(struct protocol *p, enum protocol_rate rate,
                                         int64_t interval_ms, uint32_t burst, protocol_rate_fn done,
                                         void *arg)
{
    struct words w = {0};

    words_text(&w, protocol_account(p));
    words_text(&w, protocol_rate_name(rate));
    words_number(&w, interval_ms);
    words_unsigned(&w, burst);
    return protocol_start(p, SCRIPT_RATE_TAKE, &w, false, deliver_rate,
                          (union protocol_callback){.rate = done}, arg);
}

struct protocol_call *protocol_rate_hold(struct protocol *p, enum protocol_rate rate,
                                         int64_t for_ms, protocol_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, protocol_account(p));
    words_text(&w, protocol_rate_name(rate));
    words_number(&w, for_ms);
    return protocol_start(p, SCRIPT_RATE_HOLD, &w, false, deliver_plain,
                          (union protocol_callback){.plain = done}, arg);
}

static void deliver_count(const struct protocol_result *r)
{
    int64_t count = redis_reply_int(r->reply, 1, 0);

    r->done.count(r->answer, count > 0 ? (uint64_t)count : 0, r->err, r->arg);
}

struct protocol_call *protocol_account_note(struct protocol *p, const char *site,
                                            int64_t overdue_ms, protocol_count_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, site);
    words_text(&w, protocol_account(p));
    words_number(&w, overdue_ms);
    words_text(&w, TROUBLE_ACCOUNT);
    return protocol_start(p, SCRIPT_ACCOUNT_NOTE, &w, false, deliver_count,
                          (union protocol_callback){.count = done}, arg);
}
