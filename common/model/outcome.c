#include "common/model/outcome.h"

const char *outcome_name(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_MISSING: return "missing";
    case OUTCOME_FREE: return "free";
    case OUTCOME_RETRY: return "retry";
    case OUTCOME_PERM: return "perm";
    case OUTCOME_OK: return "ok";
    }
    return "?";
}
