#include "common/enrich/pair_fold.h"

#include <stddef.h>
#include <string.h>

#include "common/base/attr.h"

const char *pair_verdict_name(enum pair_verdict verdict)
{
    switch (verdict) {
    case VERDICT_OK: return "ok";
    case VERDICT_REPAIRED: return "repaired";
    case VERDICT_DEFAULTED: return "defaulted";
    case VERDICT_FAILED: return "failed";
    case VERDICT_SKIPPED: return "skipped";
    case VERDICT_OPEN: return "open";
    }
    return "?";
}

static bool is_valid(enum pair_state state)
{
    return state == PAIR_OK || state == PAIR_REPAIRED;
}

bool pair_fold(struct pair *pair, enum pair_state said)
{
    pair->tries += said == PAIR_INVALID;
    if (is_valid(pair->state) && !is_valid(said))
        return false;
    pair->state = said;
    return true;
}

static enum pair_verdict given_up(const struct pair_rule *rule)
{
    return rule->has_fallback ? VERDICT_DEFAULTED : VERDICT_FAILED;
}

enum pair_verdict pair_verdict(const struct pair *pair, const struct pair_rule *rule, bool closed)
{
    switch (pair->state) {
    case PAIR_SKIPPED: return VERDICT_SKIPPED;
    case PAIR_NO_ROW: return VERDICT_FAILED;
    case PAIR_OK: return VERDICT_OK;
    case PAIR_REPAIRED: return VERDICT_REPAIRED;
    case PAIR_UNKNOWN:
    case PAIR_LOST: return closed ? given_up(rule) : VERDICT_OPEN;
    case PAIR_INVALID:
        if (!closed && rule->on_invalid == ON_INVALID_RETRY && pair->tries < rule->tries)
            return VERDICT_OPEN;
        return given_up(rule);
    case PAIR_PROBLEM:
    case PAIR_FAILED: return given_up(rule);
    }
    return VERDICT_FAILED;
}

enum pair_state pair_of_failure(const char *code, bool pack)
{
    static const char *const final[] = {"job_cancelled", "model_unsupported"};

    for (size_t i = 0; i < ARRAY_LEN(final); i++)
        if (strcmp(code, final[i]) == 0)
            return PAIR_FAILED;
    return pack ? PAIR_LOST : PAIR_FAILED;
}
