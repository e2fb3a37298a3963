#include "cli/person.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/core/json_put.h"
#include "common/base/buf.h"

#define LINE_MAX_BYTES 2048

enum person_answer person_ask(const struct invocation *call, const char *question)
{
    char line[64];

    if (call->options.yes)
        return PERSON_YES;
    if (!isatty(STDIN_FILENO) || !isatty(fileno(call->people)))
        return PERSON_ABSENT;
    (void)fprintf(call->people, "%s [y/N] ", question);
    (void)fflush(call->people);
    if (fgets(line, sizeof(line), stdin) == NULL)
        return PERSON_NO;
    line[strcspn(line, "\r\n")] = '\0';
    return strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0 ? PERSON_YES : PERSON_NO;
}

int person_confirm(const struct invocation *call, const char *question)
{
    switch (person_ask(call, question)) {
    case PERSON_YES: return EXIT_CODE_OK;
    case PERSON_NO: return verb_fail_with(call, EXIT_CODE_USAGE, "nothing was changed", NULL);
    case PERSON_ABSENT: break;
    }
    return verb_fail_with(call, EXIT_CODE_USAGE, question,
                          "nothing was changed: there is no terminal to ask on; -y says yes");
}

void person_tell(const struct invocation *call, const char *fmt, ...)
{
    struct buf text = BUF_INIT(LINE_MAX_BYTES);
    char line[LINE_MAX_BYTES];
    va_list ap;

    if (call->options.quiet || call->options.progress == PROGRESS_NONE ||
        call->options.progress == PROGRESS_JSON)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    json_put_clean(&text, line); /* names and a provider's words */
    (void)fprintf(call->people, "%s\n", text.data != NULL ? text.data : "");
    (void)fflush(call->people);
    buf_release(&text);
}
