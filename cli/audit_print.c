#include "cli/audit_print.h"

#include <inttypes.h>

#include "cli/core/json_put.h"
#include "common/merge/audit.h"

static void put_lines(struct buf *out, const struct audit_finding *x)
{
    for (size_t i = 0; i < x->line_count; i++)
        json_put_raw_fmt(out, "%s%" PRIu64, i > 0 ? "," : "", x->lines[i]);
}

static void put_finding(struct buf *out, const char *what, const struct audit_finding *x)
{
    if (x->count == 0)
        return;
    json_put_raw_fmt(out, "%s: %" PRIu64 " (input lines ", what, x->count);
    put_lines(out, x);
    json_put_raw(out, x->count > x->line_count ? ",...)\n" : ")\n");
}

void audit_print(const struct audit *a, struct buf *out)
{
    json_put_raw_fmt(out, "%s: %" PRIu64 " requests, %" PRIu64 " ok, %" PRIu64 " failed\n",
                     audit_passed(a) ? "passed" : "NOT PASSED", a->requests, a->ok, a->failed);
    put_finding(out, "missing", &a->missing);
    put_finding(out, "not what the sink says", &a->differs);
    if (a->extra > 0)
        json_put_raw_fmt(out, "rows for no request: %" PRIu64 "\n", a->extra);
    if (a->first[0] != '\0') {
        json_put_raw(out, "first: ");
        json_put_clean(out, a->first);
        json_put_raw(out, "\n");
    }
}

static void put_finding_json(struct buf *out, const char *name, const struct audit_finding *x)
{
    json_put_raw_fmt(out, ",\"%s\":{\"count\":%" PRIu64 ",\"lines\":[", name, x->count);
    put_lines(out, x);
    json_put_raw(out, "]}");
}

void audit_print_json(const struct audit *a, struct buf *out)
{
    json_put_raw_fmt(out,
                     "{\"schema\":1,\"passed\":%s,\"requests\":%" PRIu64 ",\"ok\":%" PRIu64
                     ",\"failed\":%" PRIu64 ",\"parts\":%u",
                     audit_passed(a) ? "true" : "false", a->requests, a->ok, a->failed, a->parts);
    put_finding_json(out, "missing", &a->missing);
    put_finding_json(out, "differs", &a->differs);
    json_put_raw_fmt(out, ",\"extra\":%" PRIu64 ",\"first\":", a->extra);
    json_put_text(out, a->first[0] != '\0' ? a->first : NULL);
    json_put_raw(out, "}");
}
