#include "worker/bad_lines.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/daemon/refusal.h"
#include "common/json/scan.h"
#include "common/model/ordinal.h"
#include "common/provider/remote.h"
#include "worker/core/tally.h"

static bool write_line(const struct remote_error *e, uint64_t ordinal, const char *ji,
                       struct buf *out)
{
    const char *code = e->code[0] != '\0' ? e->code : "invalid_request";
    char id[WIRE_ID_LEN + 1];

    ordinal_format(ordinal, ji, id);
    return buf_printf(
               out,
               "{\"id\":null,\"custom_id\":\"%s\",\"response\":null,\"error\":{\"code\":", id) &&
           json_string_encode(out, code, strlen(code)) && buf_printf(out, ",\"message\":") &&
           json_string_encode(out, e->message, strlen(e->message)) &&
           buf_printf(out, ",\"param\":") && json_string_encode(out, e->param, strlen(e->param)) &&
           buf_printf(out, "}}\n");
}

bool bad_lines_write(const char *refusal, const struct member *members, size_t count,
                     const char *ji, struct buf *out, struct remote_error *whole)
{
    struct remote_error *errors = xcalloc(REFUSAL_LINES_MAX, sizeof(*errors));
    size_t n = remote_errors_parse(refusal, strlen(refusal), errors, REFUSAL_LINES_MAX);
    uint64_t ordinal;
    bool named = false;
    bool ok = true;

    for (size_t i = 0; ok && i < n; i++) {
        named = named || errors[i].line >= 1;
        if (tally_file_line(members, count, errors[i].line, &ordinal))
            ok = write_line(&errors[i], ordinal, ji, out);
    }
    if (ok && n > 0 && !named)
        *whole = errors[0];
    free(errors);
    return ok;
}
