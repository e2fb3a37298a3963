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
