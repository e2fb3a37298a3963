#ifndef CLI_CORE_LIMITS_PRINT_H
#define CLI_CORE_LIMITS_PRINT_H

#include "common/base/buf.h"
#include "common/provider/profile.h"

/* The limits of a provider as `sheaf doctor` shows them. Pure. */

/** What holds here, and where it differs what the built-in profile says. */
struct limits_view {
    const char *profile;               /* name */
    const struct provider_limits *now; /* with what sheaf.yaml says, at the address that is used */
    const struct provider_limits
        *profile_limits; /* as built in; NULL: a profile of the user's own */
};

/** A table for people: one line a limit. */
void limits_print_text(const struct limits_view *view, struct buf *out);

/**
 * One JSON object of objects {"value":N,"profile":N}: times in milliseconds, null for no limit, or
 * none published.
 */
void limits_print_json(const struct limits_view *view, struct buf *out);

#endif
