#include "cli/account.h"

#include <stdlib.h>
#include <string.h>

bool account_find(const struct options *o, struct account *out, struct err *err)
{
    struct provider_profile_box box = {0};
    char *key = NULL;

    if (!provider_profile_load(o->provider, &o->providers, &box, err))
        return false;
    bool ok = options_api_key(o, box.profile.key_names, &key, err);
    if (ok) {
        provider_site_id(&box.profile, o->base_url, out->site);
        provider_account_id(out->site, key, o->account, out->id);
        explicit_bzero(key, strlen(key));
        free(key);
    }
    provider_profile_release(&box);
    return ok;
}

/* Only the account that made it can go on with it. What is only to be tidied up may stay. */
static bool needs_its_account(const struct batch_view *b)
{
    return b->account[0] != '\0' && b->state != BATCH_CLEAN && !b->is_empty;
}

bool account_check(const struct account *account, const struct job_view *view, struct err *err)
{
    const struct batch_view *other = NULL;
    size_t count = 0;

    for (size_t i = 0; i < view->batches_view_count; i++) {
        const struct batch_view *b = &view->batches_view[i];

        if (!needs_its_account(b) || strcmp(b->account, account->id) == 0)
            continue;
        if (other == NULL)
            other = b;
        count += strcmp(b->account, other->account) == 0;
    }
    return other == NULL ||
           err_set(err, ERR_CONFLICT,
                   "job \"%s\" has %zu %s of account %s, and the key at hand is of account %s; "
                   "use its key, or, when it is a new key of the same account, --account %s",
                   view->job, count, count == 1 ? "batch" : "batches", other->account, account->id,
                   other->account);
}
