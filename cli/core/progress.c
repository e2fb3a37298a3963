#include "cli/core/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/core/json_put.h"

#define BAR_CELLS      30
#define NARROW         60 /* columns */
#define TELL_EVERY_MS  60000
#define TELL_EVERY_PCT 10
#define LINE_MAX_BYTES 1024
#define WHY_MAX_BYTES  400

struct progress_sample progress_unknown(int64_t at_ms, const char *state)
{
    return (struct progress_sample){
        .at_ms = at_ms,
        .state = state,
        .total = -1,
        .cut = -1,
        .remote_done = -1,
        .downloaded = -1,
        .integrated = -1,
        .failed = -1,
        .building = -1,
        .submitting = -1,
        .running = -1,
        .fetching = -1,
    };
}

void progress_update(struct progress *p, const struct progress_sample *sample)
{
    if (!p->started) {
        p->first_ms = sample->at_ms;
        p->rate_integrated = -1;
        p->told_pct = -1;
        p->told_ms = INT64_MIN / 2;
        p->started = true;
    }
    if (p->rate_integrated < 0) {
        p->rate_ms = sample->at_ms;
        p->rate_integrated = sample->integrated;
    }
    p->now = *sample;
}

int progress_percent(const struct progress *p)
{
    if (p->now.total < 0 || p->now.integrated < 0)
        return -1;
    if (p->now.total == 0)
        return 100;
    return (int)(p->now.integrated * 100 / p->now.total);
}

int64_t progress_eta_ms(const struct progress *p)
{
    int64_t gained = p->now.integrated - p->rate_integrated;
    int64_t spent = p->now.at_ms - p->rate_ms;

    if (p->now.total >= 0 && p->now.integrated == p->now.total)
        return 0;
    if (p->now.total < 0 || gained <= 0 || spent <= 0)
        return -1;
    return (int64_t)((double)spent / (double)gained * (double)(p->now.total - p->now.integrated));
}

static const char *why_of(const struct progress *p)
{
    return p->now.why != NULL ? p->now.why : "";
}

bool progress_plain_is_due(struct progress *p)
{
    int pct = progress_percent(p);
    bool first = p->told_ms < 0 && p->told_pct < 0 && p->told_state[0] == '\0';
    bool changed = strcmp(p->told_state, p->now.state) != 0;
    bool moved =
        pct >= 0 && (p->told_pct < 0 || pct / TELL_EVERY_PCT > p->told_pct / TELL_EVERY_PCT);
    bool later = p->now.at_ms - p->told_ms >= TELL_EVERY_MS;
    bool other = strncmp(p->told_why, why_of(p), sizeof(p->told_why) - 1) != 0;

    if (!first && !changed && !((moved || other) && later))
        return false;
    (void)snprintf(p->told_state, sizeof(p->told_state), "%s", p->now.state);
    (void)snprintf(p->told_why, sizeof(p->told_why), "%s", why_of(p));
    p->told_ms = p->now.at_ms;
    p->told_pct = pct;
    return true;
}

/* Room for the texts of one line's numbers. */
struct texts {
    char of[12][24];
    size_t used;
};

/* @n, or @unknown below 0. */
static const char *number(struct texts *t, int64_t n, const char *unknown)
{
    char *out = t->of[t->used++];

    if (n < 0)
        return unknown;
    (void)snprintf(out, sizeof(t->of[0]), "%" PRId64, n);
    return out;
}

static const char *duration(char out[24], int64_t ms)
{
    int64_t s = ms / 1000;

    if (ms < 0)
        return "?";
    if (s < 60)
        (void)snprintf(out, 24, "%" PRId64 "s", s);
    else if (s < 3600)
        (void)snprintf(out, 24, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
    else
        (void)snprintf(out, 24, "%" PRId64 "h%02" PRId64 "m", s / 3600, s / 60 % 60);
    return out;
}

static void put(struct buf *out, const char *text)
{
    if (!buf_append(out, text, strlen(text)))
        buf_clear(out); /* the caller's limit is far above any line here */
}

/* A peer's words for one line: no control characters, no half one, @quoted for logfmt. */
static const char *plain_why(const struct progress *p, bool quoted, char out[WHY_MAX_BYTES])
{
    const char *from = why_of(p);
    size_t n = 0;

    for (; *from != '\0' && n + 2 < WHY_MAX_BYTES; from++) {
        unsigned char b = (unsigned char)*from;

        if (quoted && (b == '"' || b == '\\'))
            out[n++] = '\\';
        out[n++] = *from;
        if (b < 0x20 || b == 0x7f)
            out[n - 1] = '?';
    }
    for (; ((unsigned char)*from & 0xc0) == 0x80 && n > 0; from--)
        n--;
    out[n] = '\0';
    return out;
}

static int64_t live_batches(const struct progress_sample *s)
{
    return s->building < 0 ? -1 : s->building + s->submitting + s->running + s->fetching;
}

void progress_print_plain(const struct progress *p, struct buf *out)
{
    char line[LINE_MAX_BYTES];
    char why[WHY_MAX_BYTES];
    char eta[24];
    struct texts t = {.used = 0};
    const struct progress_sample *s = &p->now;
    bool has_why = plain_why(p, true, why)[0] != '\0';

    (void)snprintf(
        line, sizeof(line),
        "ev=progress job=\"%s\" state=\"%s\"%s%s%s pct=%s total=%s cut=%s remote_done=%s "
        "downloaded=%s integrated=%s failed=%s batches=%s eta=%s",
        p->job, s->state, has_why ? " why=\"" : "", why, has_why ? "\"" : "",
        number(&t, progress_percent(p), "?"), number(&t, s->total, "?"), number(&t, s->cut, "?"),
        number(&t, s->remote_done, "?"), number(&t, s->downloaded, "?"),
        number(&t, s->integrated, "?"), number(&t, s->failed, "?"),
        number(&t, live_batches(s), "?"), duration(eta, progress_eta_ms(p)));
    put(out, line);
    spending_print_plain(&s->spending, out);
}

static void put_member(struct buf *out, const char *name, int64_t n)
{
    put(out, name);
    json_put_count(out, n);
}

void progress_print_json(const struct progress *p, struct buf *out)
{
    const struct progress_sample *s = &p->now;
    int64_t eta_ms = progress_eta_ms(p);

    put(out, "{\"message_type\":\"status\",\"schema\":1,\"job\":");
    json_put_text(out, p->job);
    put(out, ",\"state\":");
    json_put_text(out, s->state);
    put(out, ",\"why\":");
    json_put_text(out, why_of(p)[0] != '\0' ? why_of(p) : NULL);
    put_member(out, ",\"pct\":", progress_percent(p));
    put_member(out, ",\"rows\":{\"total\":", s->total);
    put_member(out, ",\"cut\":", s->cut);
    put_member(out, ",\"remote_done\":", s->remote_done);
    put_member(out, ",\"downloaded\":", s->downloaded);
    put_member(out, ",\"integrated\":", s->integrated);
    put_member(out, ",\"failed\":", s->failed);
    put_member(out, "},\"batches\":{\"building\":", s->building);
    put_member(out, ",\"submitting\":", s->submitting);
    put_member(out, ",\"running\":", s->running);
    put_member(out, ",\"fetching\":", s->fetching);
    put_member(out, "},\"eta_s\":", eta_ms < 0 ? -1 : eta_ms / 1000);
    put(out, ",\"cost\":");
    spending_print_json(&s->spending, out);
    put(out, "}");
}

/* The start of UTF-8 @line that fits a row, whose last cell stays free: some terminals wrap there.
 */
static void put_row(struct buf *out, const char *line, unsigned columns)
{
    unsigned cells = 0;
    size_t len = 0;

    for (; line[len] != '\0'; len++) {
        bool starts_character = ((unsigned char)line[len] & 0xc0) != 0x80;

        if (starts_character && ++cells >= columns)
            break;
    }
    if (buf_append(out, line, len))
        put(out, "\n");
}

static void print_bar(char out[BAR_CELLS * 3 + 1], int pct, bool utf8)
{
    size_t len = 0;

    for (int i = 0; i < BAR_CELLS; i++) {
        bool full = pct >= 0 && i < pct * BAR_CELLS / 100;
        const char *cell = utf8 ? (full ? "█" : "░") : (full ? "#" : ".");

        len += (size_t)snprintf(out + len, 4, "%s", cell);
    }
}

static void put_first_row(const struct progress *p, unsigned columns, bool utf8, struct buf *out)
{
    char line[LINE_MAX_BYTES];
    char bar[BAR_CELLS * 3 + 1] = "";
    struct texts t = {.used = 0};
    const struct progress_sample *s = &p->now;

    if (columns >= NARROW)
        print_bar(bar, progress_percent(p), utf8);
    (void)snprintf(line, sizeof(line), " rows     %s %3s%%  %s / %s%s%s", bar,
                   number(&t, progress_percent(p), "?"), number(&t, s->integrated, "?"),
                   number(&t, s->total, "?"), utf8 ? "  ✗ " : "  failed ",
                   number(&t, s->failed, "?"));
    put_row(out, line, columns);
}

static void put_more_rows(const struct progress *p, unsigned columns, struct buf *out)
{
    char line[LINE_MAX_BYTES];
    char spent[24], eta[24];
    char why[WHY_MAX_BYTES];
    struct texts t = {.used = 0};
    const struct progress_sample *s = &p->now;

    (void)snprintf(line, sizeof(line), " remote   done %s, downloaded %s, integrated %s",
                   number(&t, s->remote_done, "?"), number(&t, s->downloaded, "?"),
                   number(&t, s->integrated, "?"));
    put_row(out, line, columns);
    (void)snprintf(line, sizeof(line),
                   " batches  %s building, %s submitting, %s running, %s fetching",
                   number(&t, s->building, "?"), number(&t, s->submitting, "?"),
                   number(&t, s->running, "?"), number(&t, s->fetching, "?"));
    put_row(out, line, columns);
    (void)snprintf(line, sizeof(line), " time     %s, ETA %s  [%s] %s",
                   duration(spent, s->at_ms - p->first_ms), duration(eta, progress_eta_ms(p)),
                   s->state, plain_why(p, false, why));
    put_row(out, line, columns);
}

static void put_money_row(const struct progress *p, unsigned columns, struct buf *out)
{
    struct buf line = BUF_INIT(LINE_MAX_BYTES);

    put(&line, " cost     ");
    spending_print_text(&p->now.spending, &line);
    put_row(out, line.data, columns);
    buf_release(&line);
}

void progress_print_tty(const struct progress *p, unsigned columns, bool utf8, struct buf *out,
                        unsigned *lines)
{
    put_first_row(p, columns, utf8, out);
    *lines = 1;
    if (columns < NARROW)
        return;
    put_more_rows(p, columns, out);
    *lines = 4;
    if (p->now.spending.currency[0] == '\0')
        return;
    put_money_row(p, columns, out);
    *lines = 5;
}
