/*
 * Any bytes as a configuration file: no crash, no leak, and a refusal is
 * always one line of ERR_USAGE that names the file; so for the profiles in it.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/config/config.h"
#include "common/config/options.h"
#include "common/model/price_table.h"
#include "common/provider/profile.h"

/* Each profile of the file: what is taken can be used. */
static bool load_profiles(const struct tree *tree, struct err *err)
{
    struct provider_profile_box box = {0};

    for (size_t i = 0; i < tree->count; i += 1 + tree_inside(tree, i)) {
        if (!provider_profile_load(tree->nodes[i].key, tree, &box, err))
            return false;
        FUZZ_CHECK(box.profile.limits.max_requests > 0 && box.profile.limits.max_bytes > 0);
        FUZZ_CHECK(box.profile.limits.custom_id_min <= box.profile.limits.custom_id_max);
        FUZZ_CHECK(provider_max_bytes(&box.profile) <= box.profile.limits.max_bytes);
        FUZZ_CHECK(provider_endpoint_for(&box.profile, "/v1/embeddings")[0] == '/');
        FUZZ_CHECK(box.profile.base_url_varies ||
                   provider_check_base_url(&box.profile, NULL, NULL));
        provider_profile_release(&box);
    }
    return true;
}

static bool load_prices(const struct tree *tree, struct err *err)
{
    struct price_table table;

    if (!price_table_load(tree, &table, err))
        return false;
    FUZZ_CHECK(table.fx.usdcny >= 0);
    for (size_t i = 0; i < table.count; i++) {
        FUZZ_CHECK(table.rows[i].input >= 0 && table.rows[i].output >= 0);
        FUZZ_CHECK(table.rows[i].batch_percent <= 100);
    }
    price_table_release(&table);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct options o = {0};
    struct settings s = {
        .program = "fuzz",
        .rows = options_rows,
        .count = options_count,
        .groups = ~0U,
        .target = &o,
        .origins = o.origins,
    };
    const struct config_branch branches[] = {
        {"providers", &o.providers},
        {"prices",    &o.prices   },
        {NULL,        NULL        },
    };
    struct err err = {0};

    settings_defaults(&s);
    if (!config_read_text(&s, "fuzz.yaml", (const char *)data, size, branches, &err) ||
        !load_profiles(&o.providers, &err) || !load_prices(&o.prices, &err)) {
        FUZZ_CHECK(err.kind == ERR_USAGE);
        FUZZ_CHECK(strncmp(err.msg, "fuzz.yaml:", strlen("fuzz.yaml:")) == 0);
        FUZZ_CHECK(strchr(err.msg, '\n') == NULL);
    }
    tree_release(&o.providers);
    tree_release(&o.prices);
    settings_release(&s);
    return 0;
}
