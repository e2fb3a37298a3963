#include "cli/core/spending.h"

#include <inttypes.h>
#include <string.h>

#include "cli/core/json_put.h"

struct spending spending_from_view(const struct job_view *view)
{
    struct spending s = {.spent = view->spent_nano,
                         .projected = -1,
                         .cap = view->max_cost_nano,
                         .estimated_tokens = view->est_input_tokens,
                         .actual_tokens = view->act_input_tokens};

    memcpy(s.currency, view->currency, sizeof(s.currency));
    if (view->unpriced > 0 || (view->left_unpriced > 0 && view->spent_nano == 0))
        s.spent = -1;
    if (view->state != JOB_OPEN && view->unpriced == 0 && view->left_unpriced == 0) {
        s.projected = view->spent_nano;
        money_add(&s.projected, view->left_nano);
    }
    return s;
}

bool spending_error(const struct spending *s, int64_t *permille)
{
    if (s->actual_tokens == 0 || s->estimated_tokens > INT64_MAX / 1000 ||
        s->actual_tokens > INT64_MAX / 1000)
        return false;
    *permille = ((int64_t)s->estimated_tokens - (int64_t)s->actual_tokens) * 1000 /
                (int64_t)s->actual_tokens;
    return true;
}

static const char *money(const struct spending *s, int64_t nano, char out[MONEY_TEXT_MAX])
{
    return nano < 0 ? "?" : money_format(s->currency, nano, out);
}

/* "-3.1" */
static void put_error(int64_t permille, struct buf *out)
{
    int64_t size = permille < 0 ? -permille : permille;

    json_put_raw_fmt(out, "%s%" PRId64 ".%" PRId64, permille < 0 ? "-" : "+", size / 10, size % 10);
}

static void put(const struct spending *s, const char *const words[4], const char *end,
                struct buf *out)
{
    char text[MONEY_TEXT_MAX];
    int64_t permille = 0;

    if (s->currency[0] == '\0')
        return;
    json_put_raw_fmt(out, "%s%s", words[0], money(s, s->spent, text));
    json_put_raw_fmt(out, "%s%s", words[1], money(s, s->projected, text));
    if (s->cap >= 0)
        json_put_raw_fmt(out, "%s%s", words[2], money(s, s->cap, text));
    if (!spending_error(s, &permille))
        return;
    json_put_raw(out, words[3]);
    put_error(permille, out);
    json_put_raw(out, end);
}

void spending_print_plain(const struct spending *s, struct buf *out)
{
    static const char *const words[] = {" cost=", " projected=", " cap=", " estimate_error="};

    put(s, words, "%", out);
}

void spending_print_text(const struct spending *s, struct buf *out)
{
    static const char *const words[] = {"", ", at the end ", ", cap ", ", tokens estimated "};

    put(s, words, " %", out);
}

static void put_nano(struct buf *out, const char *name, int64_t nano)
{
    json_put_raw(out, name);
    json_put_count(out, nano);
}

void spending_print_json(const struct spending *s, struct buf *out)
{
    int64_t permille = 0;

    if (s->currency[0] == '\0') {
        json_put_raw(out, "null");
        return;
    }
    json_put_raw(out, "{\"currency\":");
    json_put_text(out, s->currency);
    put_nano(out, ",\"spent_nano\":", s->spent);
    put_nano(out, ",\"projected_nano\":", s->projected);
    put_nano(out, ",\"cap_nano\":", s->cap);
    json_put_raw(out, ",\"estimate_error_permille\":");
    if (spending_error(s, &permille))
        json_put_raw_fmt(out, "%" PRId64, permille);
    else
        json_put_raw(out, "null");
    json_put_raw(out, "}");
}
