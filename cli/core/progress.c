#include "cli/core/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/core/json_put.h"

#define BAR_CELLS      30
#define TELL_EVERY_MS  60000
#define TELL_EVERY_PCT 10

void progress_update(struct progress *p, const struct progress_sample *sample)
{
    if (!p->started) {
        p->first_ms = sample->at_ms;
        p->first_integrated = sample->integrated;
        p->told_pct = -1;
        p->told_ms = INT64_MIN / 2;
        p->started = true;
    }
    p->now = *sample;
}

int progress_percent(const struct progress *p)
{
    if (p->now.total < 0)
        return -1;
    if (p->now.total == 0)
        return 100;
    return (int)(p->now.integrated * 100 / p->now.total);
}

int64_t progress_eta_ms(const struct progress *p)
{
    int64_t gained = p->now.integrated - p->first_integrated;
    int64_t spent = p->now.at_ms - p->first_ms;

    if (p->now.total < 0 || gained <= 0 || spent <= 0)
        return -1;
    return (int64_t)((double)spent / (double)gained * (double)(p->now.total - p->now.integrated));
}

bool progress_plain_is_due(struct progress *p)
{
    int pct = progress_percent(p);
    bool first = p->told_ms < 0 && p->told_pct < 0 && p->told_state[0] == '\0';
    bool changed = strcmp(p->told_state, p->now.state) != 0;
    bool moved =
        pct >= 0 && (p->told_pct < 0 || pct / TELL_EVERY_PCT > p->told_pct / TELL_EVERY_PCT);
    bool later = p->now.at_ms - p->told_ms >= TELL_EVERY_MS;

    if (!first && !changed && !(moved && later))
        return false;
    (void)snprintf(p->told_state, sizeof(p->told_state), "%s", p->now.state);
    p->told_ms = p->now.at_ms;
    p->told_pct = pct;
    return true;
}

/* A count, or "?" while it is unknown. */
static const char *count(char out[24], int64_t n)
{
    if (n < 0)
        return "?";
    (void)snprintf(out, 24, "%" PRId64, n);
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

void progress_print_plain(const struct progress *p, struct buf *out)
{
    char line[512];
    char pct[24], total[24], eta[24];
    const struct progress_sample *s = &p->now;

    (void)snprintf(line, sizeof(line),
                   "ev=progress job=\"%s\" state=\"%s\" pct=%s total=%s cut=%" PRId64
                   " remote_done=%" PRId64 " downloaded=%" PRId64 " integrated=%" PRId64
                   " failed=%" PRId64 " batches=%" PRId64 " eta=%s",
                   p->job, s->state, count(pct, progress_percent(p)), count(total, s->total),
                   s->cut, s->remote_done, s->downloaded, s->integrated, s->failed,
                   s->building + s->submitting + s->running + s->fetching,
                   duration(eta, progress_eta_ms(p)));
    put(out, line);
}

/* A number, or null while it is unknown. */
static const char *json_count(char out[24], int64_t n)
{
    return n < 0 ? "null" : count(out, n);
}

void progress_print_json(const struct progress *p, struct buf *out)
{
    char line[512];
    char pct[24], total[24], eta[24];
    const struct progress_sample *s = &p->now;
    int64_t eta_ms = progress_eta_ms(p);

    put(out, "{\"message_type\":\"status\",\"schema\":1,\"job\":");
    json_put_text(out, p->job);
    put(out, ",\"state\":");
    json_put_text(out, s->state);
    (void)snprintf(line, sizeof(line),
                   ",\"pct\":%s,\"rows\":{\"total\":%s,\"cut\":%" PRId64 ",\"remote_done\":%" PRId64
                   ",\"downloaded\":%" PRId64 ",\"integrated\":%" PRId64 ",\"failed\":%" PRId64
                   "},\"batches\":{\"building\":%" PRId64 ",\"submitting\":%" PRId64
                   ",\"running\":%" PRId64 ",\"fetching\":%" PRId64 "},\"eta_s\":%s}",
                   json_count(pct, progress_percent(p)), json_count(total, s->total), s->cut,
                   s->remote_done, s->downloaded, s->integrated, s->failed, s->building,
                   s->submitting, s->running, s->fetching,
                   json_count(eta, eta_ms < 0 ? -1 : eta_ms / 1000));
    put(out, line);
}

static void put_bar(struct buf *out, int pct, bool utf8)
{
    for (int i = 0; i < BAR_CELLS; i++) {
        bool full = pct >= 0 && i < pct * BAR_CELLS / 100;

        put(out, utf8 ? (full ? "█" : "░") : (full ? "#" : "."));
    }
}

static void put_first_line(const struct progress *p, unsigned columns, bool utf8, struct buf *out)
{
    char line[160];
    char pct[24], total[24];
    const struct progress_sample *s = &p->now;

    put(out, " rows     ");
    if (columns >= 60)
        put_bar(out, progress_percent(p), utf8);
    (void)snprintf(line, sizeof(line), " %3s%%  %" PRId64 " / %s%s%" PRId64 "\n",
                   count(pct, progress_percent(p)), s->integrated, count(total, s->total),
                   utf8 ? "  ✗ " : "  failed ", s->failed);
    put(out, line);
}

void progress_print_tty(const struct progress *p, unsigned columns, bool utf8, struct buf *out,
                        unsigned *lines)
{
    char line[256];
    char spent[24], eta[24];
    const struct progress_sample *s = &p->now;

    put_first_line(p, columns, utf8, out);
    *lines = 1;
    if (columns < 60)
        return;
    (void)snprintf(line, sizeof(line),
                   " remote   done %" PRId64 ", downloaded %" PRId64 ", integrated %" PRId64 "\n",
                   s->remote_done, s->downloaded, s->integrated);
    put(out, line);
    (void)snprintf(line, sizeof(line),
                   " batches  %" PRId64 " building, %" PRId64 " submitting, %" PRId64
                   " running, %" PRId64 " fetching\n",
                   s->building, s->submitting, s->running, s->fetching);
    put(out, line);
    (void)snprintf(line, sizeof(line), " time     %s, ETA %s  [%s]\n",
                   duration(spent, s->at_ms - p->first_ms), duration(eta, progress_eta_ms(p)),
                   s->state);
    put(out, line);
    *lines = 4;
}
