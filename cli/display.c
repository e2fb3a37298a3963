#include "cli/display.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/core/progress.h"
#include "cli/core/sample.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/xmem.h"

#define TEXT_MAX      16384
#define JSON_EVERY_MS 1000

struct display {
    FILE *out;
    enum option_progress form;
    char *job;
    struct progress progress;
    struct progress_sample sample; /* the newest */
    char state[SAMPLE_STATE_MAX];
    char *why;       /* or NULL */
    unsigned shown;  /* lines of the live region on the terminal */
    int64_t json_ms; /* when the last object was written */
    bool utf8;
};

/* Programs have one thread when they ask. */
static const char *variable(const char *name)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe) */

    return text != NULL && text[0] != '\0' ? text : NULL;
}

static bool is_utf8(void)
{
    const char *locale = variable("LC_ALL");

    if (locale == NULL)
        locale = variable("LC_CTYPE");
    if (locale == NULL)
        locale = variable("LANG");
    return locale != NULL && (strcasestr(locale, "utf-8") || strcasestr(locale, "utf8"));
}

static enum option_progress resolve(FILE *out, enum option_progress form)
{
    const char *term = variable("TERM");

    if (form != PROGRESS_AUTO)
        return form;
    return isatty(fileno(out)) && term != NULL && strcmp(term, "dumb") != 0 ? PROGRESS_TTY
                                                                            : PROGRESS_PLAIN;
}

struct display *display_new(FILE *out, enum option_progress form, const char *job)
{
    struct display *d = xcalloc(1, sizeof(*d));

    d->out = out;
    d->form = resolve(out, form);
    d->job = xstrdup(job);
    d->progress.job = d->job;
    d->utf8 = is_utf8();
    d->sample = progress_unknown(0, d->state);
    return d;
}

void display_free(struct display *d)
{
    if (d == NULL)
        return;
    free(d->job);
    free(d->why);
    free(d);
}

enum option_progress display_form(const struct display *d)
{
    return d->form;
}

void display_hide(struct display *d)
{
    if (d->shown > 0)
        (void)fprintf(d->out, "\033[%uA\r\033[J", d->shown);
    d->shown = 0;
    (void)fflush(d->out);
}

static unsigned columns(FILE *out)
{
    struct winsize size;

    if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

static void draw(struct display *d, struct buf *text)
{
    unsigned lines = 0;

    progress_print_tty(&d->progress, columns(d->out), d->utf8, text, &lines);
    display_hide(d);
    (void)fwrite(text->data, 1, text->len, d->out);
    d->shown = lines;
}

/* Programs get an object each second. */
static bool json_is_due(struct display *d)
{
    bool due = progress_plain_is_due(&d->progress) || d->sample.at_ms - d->json_ms >= JSON_EVERY_MS;

    if (due)
        d->json_ms = d->sample.at_ms;
    return due;
}

static void put_line(struct display *d, struct buf *text)
{
    if (d->form == PROGRESS_JSON ? !json_is_due(d) : !progress_plain_is_due(&d->progress))
        return;
    if (d->form == PROGRESS_JSON)
        progress_print_json(&d->progress, text);
    else
        progress_print_plain(&d->progress, text);
    (void)fprintf(d->out, "%s\n", text->data);
}

static void update(struct display *d)
{
    struct buf text = BUF_INIT(TEXT_MAX);

    progress_update(&d->progress, &d->sample);
    switch (d->form) {
    case PROGRESS_TTY: draw(d, &text); break;
    case PROGRESS_PLAIN:
    case PROGRESS_JSON: put_line(d, &text); break;
    case PROGRESS_AUTO:
    case PROGRESS_NONE: break;
    }
    (void)fflush(d->out);
    buf_release(&text);
}

static void set_why(struct display *d, const char *why)
{
    free(d->why);
    d->why = why != NULL ? xstrdup(why) : NULL;
    d->sample.why = d->why;
}

void display_show(struct display *d, const struct job_view *view, const char *state)
{
    if (state != NULL)
        (void)snprintf(d->state, sizeof(d->state), "%s", state);
    else
        (void)sample_state(view, d->state);
    sample_from_view(view, clock_mono_ms(), d->state, &d->sample);
    set_why(d, state != NULL ? NULL : sample_why(view));
    update(d);
}

void display_state(struct display *d, const char *state)
{
    (void)snprintf(d->state, sizeof(d->state), "%s", state);
    set_why(d, NULL);
    d->sample.at_ms = clock_mono_ms();
    update(d);
}
