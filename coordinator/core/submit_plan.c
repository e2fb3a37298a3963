#include "coordinator/core/submit_plan.h"

#include <stddef.h>

#include "common/base/attr.h"

#define LONGEST_WAIT_MS 900000

const char *submit_action_name(enum submit_action action)
{
    switch (action) {
    case SUBMIT_AGAIN: return "again";
    case SUBMIT_RESOLVE: return "resolve";
    case SUBMIT_HOLD_LANE: return "hold_lane";
    case SUBMIT_KEY: return "key";
    case SUBMIT_FAIL: return "fail";
    }
    return "?";
}

/* What is not here will not change by itself: SUBMIT_FAIL. */
static const struct {
    enum provider_class class;
    struct submit_decision upload, create;
} rows[] = {
    {PROVIDER_NOT_SENT,       {SUBMIT_AGAIN, 2000, 0},       {SUBMIT_AGAIN, 2000, 0}      },
    {PROVIDER_AMBIGUOUS,      {SUBMIT_AGAIN, 2000, 0},       {SUBMIT_RESOLVE, 0, 0}       },
    {PROVIDER_UNKNOWN,        {SUBMIT_AGAIN, 5000, 0},       {SUBMIT_RESOLVE, 0, 0}       },
    {PROVIDER_TRUNCATED,      {SUBMIT_AGAIN, 2000, 0},       {SUBMIT_RESOLVE, 0, 0}       },
    {PROVIDER_ABORTED,        {SUBMIT_AGAIN, 5000, 0},       {SUBMIT_RESOLVE, 0, 0}       },
    {PROVIDER_RATE_LIMIT,     {SUBMIT_AGAIN, 5000, 0},       {SUBMIT_AGAIN, 15000, 0}     },
    {PROVIDER_QUOTA_FILES,    {SUBMIT_AGAIN, 60000, 0},      {SUBMIT_AGAIN, 60000, 0}     },
    {PROVIDER_NOT_FOUND,      {SUBMIT_FAIL, 0, 0},           {SUBMIT_AGAIN, 5000, 0}      },
    {PROVIDER_QUOTA_CREATES,  {SUBMIT_AGAIN, 60000, 0},      {SUBMIT_HOLD_LANE, 60000, 0} },
    {PROVIDER_QUOTA_ENQUEUED, {SUBMIT_HOLD_LANE, 60000, 0},  {SUBMIT_HOLD_LANE, 60000, 70}},
    {PROVIDER_QUOTA_TIME,     {SUBMIT_HOLD_LANE, 900000, 0}, {SUBMIT_HOLD_LANE, 900000, 0}},
    {PROVIDER_BILLING,        {SUBMIT_HOLD_LANE, 900000, 0}, {SUBMIT_HOLD_LANE, 900000, 0}},
    {PROVIDER_AUTH,           {SUBMIT_KEY, 15000, 0},        {SUBMIT_KEY, 15000, 0}       },
};

struct submit_decision submit_decide(enum provider_operation op, const struct provider_error *e)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].class != e->class)
            continue;
        struct submit_decision d = op == PROVIDER_OP_CREATE ? rows[i].create : rows[i].upload;
        if (e->retry_after_ms > d.wait_ms)
            d.wait_ms = e->retry_after_ms;
        if (d.wait_ms > LONGEST_WAIT_MS)
            d.wait_ms = LONGEST_WAIT_MS;
        return d;
    }
    return (struct submit_decision){.action = SUBMIT_FAIL};
}
