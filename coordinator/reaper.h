#ifndef COORDINATOR_REAPER_H
#define COORDINATOR_REAPER_H

#include <stdint.h>

struct daemon;

/**
 * Removes from the provider what no record knows: files whose upload was not
 * answered, batches (and their files) that Redis has forgotten. Looks soon after
 * the start, when Redis lost data, then from time to time; one process at a
 * time. Never holds up a job: what fails is left to a later look.
 */
struct reaper;

/** Borrows @daemon. Free with reaper_free(). */
struct reaper *reaper_new(struct daemon *daemon);

/** Stops what is under way. NULL is fine. */
void reaper_free(struct reaper *reaper);

/** Redis was rolled back: look now. */
void reaper_wake(struct reaper *reaper);

/**
 * This process ends: one more look for what ended jobs left, so that nothing
 * stays behind a job that ran alone. Runs @done(@arg) once, later, within some
 * seconds; then the reaper rests.
 */
void reaper_last_look(struct reaper *reaper, void (*done)(void *arg), void *arg);

#endif
