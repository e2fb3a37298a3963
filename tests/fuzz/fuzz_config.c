/*
 * Any bytes as a configuration file: no crash, no leak, and a refusal is
 * always one line of ERR_USAGE that names the file.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/config/config.h"
#include "common/config/options.h"

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
    struct err err = {0};

    settings_defaults(&s);
    if (!config_read_text(&s, "fuzz.yaml", (const char *)data, size, &err)) {
        FUZZ_CHECK(err.kind == ERR_USAGE);
        FUZZ_CHECK(strncmp(err.msg, "fuzz.yaml:", strlen("fuzz.yaml:")) == 0);
        FUZZ_CHECK(strchr(err.msg, '\n') == NULL);
    }
    settings_release(&s);
    return 0;
}
