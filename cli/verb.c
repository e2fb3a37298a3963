#include "cli/verb.h"

#include "cli/core/json_put.h"
#include "common/base/buf.h"

void verb_print_help(FILE *out, const struct verb *verb)
{
    (void)fprintf(out, "Usage: sheaf %s%s%s\n\n%s\n", verb->name, verb->usage[0] != '\0' ? " " : "",
                  verb->usage, verb->does);
    if (verb->groups != 0) {
        (void)fputs("\nOptions:\n", out);
        options_print_help(out, verb->groups);
    }
    (void)fprintf(out, "\nExit codes: %s\n\nExample:\n  %s\n", verb->exits, verb->example);
}

static void put_json(FILE *out, enum exit_code code, const char *message, const char *hint)
{
    struct buf text = BUF_INIT(8192);

    json_put_raw_fmt(
        &text, "{\"message_type\":\"error\",\"schema\":1,\"exit_code\":%d,\"message\":", (int)code);
    json_put_text(&text, message);
    json_put_raw(&text, ",\"hint\":");
    json_put_text(&text, hint);
    (void)fprintf(out, "%s}\n", text.data);
    (void)fflush(out);
    buf_release(&text);
}

int verb_fail_with(const struct invocation *call, enum exit_code code, const char *message,
                   const char *hint)
{
    if (call->options.progress == PROGRESS_JSON) {
        put_json(call->people, code, message, hint);
        return (int)code;
    }
    struct buf text = BUF_INIT(8192);
    json_put_clean(&text, message);
    (void)fprintf(call->people, "sheaf%s%s: %s\n", call->verb != NULL ? " " : "",
                  call->verb != NULL ? call->verb->name : "", text.data != NULL ? text.data : "");
    buf_release(&text);
    if (hint != NULL)
        (void)fprintf(call->people, "  %s\n", hint);
    (void)fflush(call->people);
    return (int)code;
}

int verb_fail(const struct invocation *call, const struct err *err, const char *hint)
{
    return verb_fail_with(call, (enum exit_code)err_exit_code(err->kind), err->msg, hint);
}

const char *verb_arg(const struct invocation *call, size_t i)
{
    return i < call->args.count ? call->args.items[i] : NULL;
}
