#ifndef ENRICH_PAIR_FOLD_H
#define ENRICH_PAIR_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/recipe/recipe.h"

/*
 * What the rounds of a recipe job say of one pair (row, analysis), folded round by round, and
 * what follows from it. Pure; plain data.
 *
 *     not asked ─► skipped, no row, problem                final
 *     asked     ─► ok, repaired                            final; the newest one counts
 *               ─► invalid      an answer, but not a valid one: on_invalid decides
 *               ─► lost         its pack said nothing of it: asked again alone, whatever on_invalid
 *                               says, and no try is spent: one bad row never spoils its companions
 *               ─► failed       the provider gave no answer: final
 */

enum pair_state {
    PAIR_UNKNOWN = 0, /* no round said anything yet */
    PAIR_SKIPPED,     /* `when` was false */
    PAIR_NO_ROW,      /* the row is no object: nothing can be asked of it or put into it */
    PAIR_PROBLEM,     /* could not be asked: an image is missing, too long, ... */
    PAIR_OK,
    PAIR_REPAIRED,
    PAIR_INVALID,
    PAIR_LOST, /* of a pack that forgot it, could not be read, or failed as a whole */
    PAIR_FAILED,
};

struct pair {
    enum pair_state state;
    uint32_t tries; /* answers that were not valid */
};

/** A round says @said of the pair. True when it is what counts now, false when an older one does.
 */
bool pair_fold(struct pair *pair, enum pair_state said);

/** What the recipe says of an analysis' failures. */
struct pair_rule {
    enum on_invalid on_invalid;
    unsigned tries;    /* answers that may be invalid before it is given up; at least 1 */
    bool has_fallback; /* there is a `default` */
};

enum pair_verdict {
    VERDICT_OK,
    VERDICT_REPAIRED,
    VERDICT_DEFAULTED,
    VERDICT_FAILED,
    VERDICT_SKIPPED,
    VERDICT_OPEN, /* to be asked in the next round */
};

#define PAIR_VERDICTS 6 /* of the above */

/** As `_sheaf` says it: "ok", "repaired", "defaulted", "failed", "skipped"; "open". */
const char *pair_verdict_name(enum pair_verdict verdict);

/** What follows for @pair now. With @closed no round comes after: what is open counts as given up.
 */
enum pair_verdict pair_verdict(const struct pair *pair, const struct pair_rule *rule, bool closed);

/**
 * What the failure of a whole request with error @code says of its rows: PAIR_LOST when it was a
 * pack of several rows and asking them one by one may help, else PAIR_FAILED. It cannot help
 * where the job was cancelled or the model is not served.
 */
enum pair_state pair_of_failure(const char *code, bool pack);

#endif
