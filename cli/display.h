#ifndef CLI_DISPLAY_H
#define CLI_DISPLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/config/options.h"
#include "common/model/job_view.h"

/** Shows people or programs how far a job is: a live region, plain lines, or JSON. */
struct display;

/**
 * Writes to @out, which is borrowed. PROGRESS_AUTO becomes TTY when @out is a
 * terminal that can move its cursor, else PLAIN. @job is copied. Free with
 * display_free().
 */
struct display *display_new(FILE *out, enum option_progress form, const char *job);

/** Leaves what is shown where it is. NULL is fine. */
void display_free(struct display *d);

/** The form that AUTO became. */
enum option_progress display_form(const struct display *d);

/** Show @view; @state (borrowed) replaces its own state in words unless it is NULL. */
void display_show(struct display *d, const struct job_view *view, const char *state);

/** Nothing new is known but that @state; shows what was seen last. */
void display_state(struct display *d, const char *state);

/** Take the live region away, so that other text can be written. */
void display_hide(struct display *d);

#endif
