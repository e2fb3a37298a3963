#include "cli/core/limits_print.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/core/json_put.h"
#include "common/base/attr.h"
#include "common/base/units.h"

#define VALUE_MAX 48

enum unit { COUNT, BYTES, PERCENT, MS, SECONDS };

#define AT(field) \
    offsetof(struct provider_limits, field), sizeof(((struct provider_limits *)0)->field)

/* One row a limit, named as in sheaf.yaml. */
static const struct {
    const char *name;
    size_t offset, size;
    enum unit unit;
    const char *what;
} rows[] = {
    {"max_requests",      AT(max_requests),        COUNT,   "requests in a batch file"          },
    {"max_bytes",         AT(max_bytes),           BYTES,   "of a batch file"                   },
    {"margin_pct",        AT(margin_pct),          PERCENT, "of that is left unused"            },
    {"max_line_bytes",    AT(max_line_bytes),      BYTES,   "of one request line"               },
    {"batches_alive",     AT(batches_alive),       COUNT,   "batches at once, a model"          },
    {"enqueued_tokens",   AT(enqueued_tokens),     COUNT,   "tokens waiting at once, a model"   },
    {"enqueued_requests", AT(enqueued_requests),   COUNT,   "requests waiting at once, a model" },
    {"creates_per_hour",  AT(creates_per_hour),    COUNT,   "batches created in an hour"        },
    {"uploads_per_min",   AT(uploads_per_min),     COUNT,   "files uploaded in a minute"        },
    {"polls_per_min",     AT(polls_per_min),       COUNT,   "looks at batches in a minute"      },
    {"files_stored",      AT(files_stored),        COUNT,   "files stored at once"              },
    {"storage_bytes",     AT(storage_bytes),       BYTES,   "stored at once"                    },
    {"poll_min",          AT(poll_min_ms),         MS,      "between two looks at a batch"      },
    {"visibility_lag",    AT(visibility_lag_ms),   MS,      "until what is new is surely found" },
    {"window",            AT(window_ms),           MS,      "until a batch is done, as promised"},
    {"output_kept",       AT(output_kept_ms),      MS,      "results can be downloaded"         },
    {"expires_after",     AT(expires_after_s),     SECONDS, "until files are deleted there"     },
    {"stuck_validating",  AT(stuck_validating_ms), MS,      "in validating: stuck"              },
    {"stuck_finalizing",  AT(stuck_finalizing_ms), MS,      "in finalizing: stuck"              },
    {"stuck_running",     AT(stuck_running_ms),    MS,      "beyond its window: stuck"          },
    {"stuck_cancel",      AT(stuck_cancel_ms),     MS,      "beyond its window: cancelled"      },
    {"stuck_cancelling",  AT(stuck_cancelling_ms), MS,      "in cancelling: taken as it is"     },
};

static uint64_t value_of(const struct provider_limits *limits, size_t row)
{
    const char *at = (const char *)limits + rows[row].offset;
    uint32_t small = 0;
    uint64_t large = 0; /* of the signed ones, none is below 0 */

    if (rows[row].size == sizeof(small)) {
        memcpy(&small, at, sizeof(small));
        return small;
    }
    memcpy(&large, at, sizeof(large));
    return large;
}

static const char *format(uint64_t value, enum unit unit, char out[VALUE_MAX])
{
    char text[UNITS_TEXT_MAX];

    if (value == 0)
        return "-";
    switch (unit) {
    case COUNT: (void)snprintf(out, VALUE_MAX, "%" PRIu64, value); break;
    case PERCENT: (void)snprintf(out, VALUE_MAX, "%" PRIu64 "%%", value); break;
    case BYTES: (void)snprintf(out, VALUE_MAX, "%s", units_format_size(value, text)); break;
    case MS:
        (void)snprintf(out, VALUE_MAX, "%s", units_format_duration((int64_t)value, text));
        break;
    case SECONDS:
        (void)snprintf(out, VALUE_MAX, "%s", units_format_duration((int64_t)value * 1000, text));
        break;
    }
    return out;
}

void limits_print_text(const struct limits_view *view, struct buf *out)
{
    char now[VALUE_MAX];
    char built_in[VALUE_MAX];

    json_put_raw(out, "\n  limits of ");
    json_put_clean(out, view->profile);
    json_put_raw(out, "; - is none that is known, then refusals teach\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t value = value_of(view->now, i);
        uint64_t profile = view->profile_limits != NULL ? value_of(view->profile_limits, i) : value;

        json_put_raw_fmt(out, "  %-20s %14s  %s", rows[i].name, format(value, rows[i].unit, now),
                         rows[i].what);
        if (value != profile)
            json_put_raw_fmt(out, " (the profile has %s)", format(profile, rows[i].unit, built_in));
        json_put_raw(out, "\n");
    }
}

static void put_value(struct buf *out, uint64_t value, enum unit unit)
{
    if (value > 0)
        json_put_raw_fmt(out, "%" PRIu64, unit == SECONDS ? value * 1000 : value);
    else
        json_put_raw(out, "null");
}

void limits_print_json(const struct limits_view *view, struct buf *out)
{
    json_put_raw(out, "{");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_put_raw_fmt(out, "%s\"%s\":{\"value\":", i > 0 ? "," : "", rows[i].name);
        put_value(out, value_of(view->now, i), rows[i].unit);
        json_put_raw(out, ",\"profile\":");
        put_value(out, view->profile_limits != NULL ? value_of(view->profile_limits, i) : 0,
                  rows[i].unit);
        json_put_raw(out, "}");
    }
    json_put_raw(out, "}");
}
