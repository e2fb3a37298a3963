#include "common/merge/row.h"

#include <string.h>

#include "common/json/result_line.h"
#include "common/json/scan.h"
#include "common/merge/requests.h"

static bool put(struct buf *out, const char *text)
{
    return buf_append(out, text, strlen(text));
}

static bool put_raw(struct buf *out, const char *p, size_t len)
{
    return len == 0 ? put(out, "null") : buf_append(out, p, len);
}

bool row_from_line(struct buf *out, const struct request *request, const struct result_line *line,
                   bool success)
{
    return put(out, "{\"id\":") && put_raw(out, line->id.p, line->id.len) &&
           put(out, ",\"custom_id\":") && put_raw(out, request->id, request->id_len) &&
           put(out, ",\"response\":") && put_raw(out, line->response.p, line->response.len) &&
           put(out, ",\"error\":") && put_raw(out, line->error.p, success ? 0 : line->error.len) &&
           put(out, "}\n");
}

bool row_from_error(struct buf *out, const struct request *request, const char *code,
                    const char *message)
{
    return put(out, "{\"id\":null,\"custom_id\":") && put_raw(out, request->id, request->id_len) &&
           put(out, ",\"response\":null,\"error\":{\"code\":") &&
           json_string_encode(out, code, strlen(code)) && put(out, ",\"message\":") &&
           json_string_encode(out, message, strlen(message)) && put(out, "}}\n");
}
