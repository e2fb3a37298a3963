#ifndef COORDINATOR_STAGE_H
#define COORDINATOR_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/daemon/daemon.h"
#include "common/daemon/task.h"

/*
 * One batch on its way to the provider, and the stages of that way, a file each.
 *
 *   BUILD   build   members ─► windows one by one ─┐
 *           upload  a turn ─► POST /files ─────────┘
 *   SUBMIT  create  without an intent: (is the file ready?) ─► a turn ─► intent ─► POST /batches ─►
 * RUN resolve with one: search the list ─┬─ found: RUN ├─ not yet certain: put off └─ fence, search
 * again, BUILD
 *
 * A stage that fails asks submission_failed() what is to be done.
 */

struct batch_file;
struct loop_timer;
struct reaper;

struct submission {
    struct task task;      /* first */
    struct reaper *reaper; /* borrowed */
    struct member *members;
    size_t member_count, next_member;
    struct batch_file *file;
    struct loop_timer *turn;           /* so that the loop turns in between, or our turn comes */
    void (*next)(struct submission *); /* what it starts, ... */
    int64_t turn_mono_ms;              /* ... and when */
    enum protocol_rate rate;           /* of what the turn is */
    int64_t moved_mono_ms;             /* when the intent was asked for */
    int64_t retry_ms;                  /* after a search for the uploaded file in vain */
    char found[REMOTE_ID_MAX + 1];     /* by the search, "" for nothing */
    int64_t found_created_ms;
    unsigned pages;
    bool pending; /* the provider is checking the file that was uploaded */
    bool fenced;  /* the input file was deleted in this search */
};

/** Do @next when the loop has turned, in @wait_ms. The lease is kept meanwhile. */
void submission_soon(struct submission *s, int64_t wait_ms, void (*next)(struct submission *));

/**
 * Wait for a turn to make calls of this kind, then do @next. A turn that is too far away puts the
 * record off.
 */
void submission_turn(struct submission *s, enum protocol_rate rate,
                     void (*next)(struct submission *));

/** Do what common/provider/retry.h says about @error at @step (upload, file_ready or create). */
void submission_failed(struct submission *s, enum retry_step step,
                       const struct provider_error *error);

/** BUILD: begin. Ends with submission_upload(). */
void submission_build(struct submission *s);

/** BUILD: s->file is complete: upload it. Ends with submission_create(). */
void submission_upload(struct submission *s);

/** BUILD: it may have been stored: look in the list, and if it is not there try in @retry_ms. */
void submission_find_upload(struct submission *s, int64_t retry_ms);

/** SUBMIT without an intent: create from the file that the record has. */
void submission_create(struct submission *s);

/** The same, where the file may not be ready yet. */
void submission_create_if_ready(struct submission *s);

/** A file that is not usable, in the shape of a refusal: still being checked (class NONE), or bad.
 */
void submission_file_error(const struct remote_file *file, struct provider_error *out);

/** SUBMIT, and a create may have been sent: find out. */
void submission_resolve(struct submission *s);

/** The remote batch is known: RUN. */
void submission_runs(struct submission *s, const char *remote, int64_t created_ms,
                     const char *status, const char *cause);

/** Its file is gone, or surely nothing was created from it: upload it again. */
void submission_rebuild(struct submission *s, const char *cause, bool is_failure);

#endif
