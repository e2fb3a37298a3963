#ifndef TESTS_UNIT_ENRICH_ENRICH_WORLD_H
#define TESTS_UNIT_ENRICH_ENRICH_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/enrich/integrate.h"
#include "common/enrich/judge.h"
#include "common/model/job_spec.h"
#include "common/recipe/recipe.h"
#include "tests/testlib/scratch.h"

#define ENRICH_ROUNDS_MAX 6

/* A recipe, rows, and the rounds that were answered so far, in a folder of the test's own. */
struct enrich_world {
    char path[SCRATCH_PATH_MAX];
    char rows[SCRATCH_PATH_MAX + 32];
    char output[SCRATCH_PATH_MAX + 32];
    struct recipe recipe;
    struct job_spec specs[ENRICH_ROUNDS_MAX];
    struct enrich_round rounds[ENRICH_ROUNDS_MAX];
    size_t count;
    struct buf asked; /* the custom_ids of the newest round, each with a space behind it */
};

/* What a request is answered with. */
struct enrich_said {
    const char *id;   /* custom_id; NULL: every other one */
    const char *text; /* of the model; NULL without a code: cancelled, it and all behind it */
    const char *code; /* not NULL: the provider failed it with this */
};

void enrich_world_make(struct enrich_world *w, const char *recipe, const char *rows_name,
                       const char *rows);
void enrich_world_free(struct enrich_world *w);

/* Render the next round, have it answered (the first of @said that fits), and keep its results. */
void enrich_world_round(struct enrich_world *w, const struct enrich_said *said, size_t count);

/* Fail the test unless the newest round asked these: "a_0000 a_0001 ". */
void enrich_world_assert_asked(const struct enrich_world *w, const char *ids);

struct enrich_open enrich_world_judge(const struct enrich_world *w);

/* Integrate into w->output; the caller releases *report. */
bool enrich_world_integrate(struct enrich_world *w, bool closed, struct enrich_report *report,
                            bool *adopted, struct err *err);

/* A file as text; "" when it is not there. The caller releases it. */
struct buf enrich_world_read(const char *path);

/* Fail the test unless the file whose name ends in @suffix instead of ".jsonl" is @text. */
void enrich_world_assert_file(const struct enrich_world *w, const char *suffix, const char *text);

void enrich_world_write(const char *path, const char *text);

#endif
