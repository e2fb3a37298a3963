#include "common/daemon/refusal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/json/scan.h"

/* False past the limit of @out: what is there already is kept. */
static bool put_entry(struct buf *out, const struct remote_error *e, bool first)
{
    struct buf entry = BUF_INIT(8192);
    bool ok = buf_printf(&entry, "%s{\"code\":", first ? "" : ",") &&
              json_string_encode(&entry, e->code, strlen(e->code)) &&
              buf_printf(&entry, ",\"message\":") &&
              json_string_encode(&entry, e->message, strlen(e->message)) &&
              buf_printf(&entry, ",\"param\":") &&
              json_string_encode(&entry, e->param, strlen(e->param)) &&
              (e->line < 1 || buf_printf(&entry, ",\"line\":%lld", (long long)e->line)) &&
              buf_printf(&entry, "}") && buf_append(out, entry.data, entry.len);

    buf_release(&entry);
    return ok;
}

static void put_all(struct buf *out, const struct remote_error *errors, size_t count, bool named)
{
    bool first = true;

    /* Room for the end is taken from the entries'. */
    out->max -= 8;
    if (!buf_printf(out, "{\"errors\":["))
        log_fatal("no room for a refusal");
    for (size_t i = 0; i < count; i++) {
        if (named && errors[i].line < 1)
            continue;
        if (!put_entry(out, &errors[i], first))
            break;
        first = false;
    }
    out->max += 8;
    if (!buf_printf(out, "]}"))
        log_fatal("no room for a refusal");
}

void refusal_of_error(const struct provider_error *error, struct buf *out)
{
    struct remote_error e = {.line = error->line};

    (void)snprintf(e.code, sizeof(e.code), "%s",
                   error->code[0] != '\0' ? error->code : provider_class_name(error->class));
    (void)snprintf(e.message, sizeof(e.message), "%s", error->message);
    put_all(out, &e, 1, false);
}

void refusal_of_batch(const struct remote_batch *batch, struct buf *out)
{
    struct remote_error *errors = xcalloc(REFUSAL_LINES_MAX, sizeof(*errors));
    size_t count = batch->json == NULL ? 0
                                       : remote_errors_parse(batch->json, batch->json_len, errors,
                                                             REFUSAL_LINES_MAX);
    bool named = false;

    for (size_t i = 0; i < count && !named; i++)
        named = errors[i].line >= 1;
    put_all(out, errors, named || count == 0 ? count : 1, named);
    free(errors);
}
