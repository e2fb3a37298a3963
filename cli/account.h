#ifndef CLI_ACCOUNT_H
#define CLI_ACCOUNT_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/config/options.h"
#include "common/model/job_view.h"
#include "common/provider/profile.h"

/** Who serves, and whose account the key at hand is of. Plain data. */
struct account {
    char site[PROVIDER_ID_LEN + 1];
    char id[PROVIDER_ID_LEN + 1];
};

/**
 * Of the provider, the address, the key and the account that @o speaks of. ERR_USAGE for a
 * provider that is not known, ERR_AUTH when there is no key. The key is not kept.
 */
MUST_CHECK bool account_find(const struct options *o, struct account *out, struct err *err);

/**
 * Whether @account can go on with the job: batches are seen by the account that made them only.
 * ERR_CONFLICT, naming the other account, when it has batches that are more than leftovers.
 */
MUST_CHECK bool account_check(const struct account *account, const struct job_view *view,
                              struct err *err);

#endif
