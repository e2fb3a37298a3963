#ifndef CLI_PERSON_H
#define CLI_PERSON_H

#include "cli/verb.h"

/** What somebody said to a question. */
enum person_answer {
    PERSON_YES,
    PERSON_NO,
    PERSON_ABSENT, /* there is no terminal to ask on */
};

/**
 * Ask @question (without the "[y/N]") where people are told things; -y answers
 * it. Blocks. Only y and yes mean yes.
 */
enum person_answer person_ask(const struct invocation *call, const char *question);

/**
 * The same for a verb that goes on with yes only: EXIT_CODE_OK, else the verb
 * has been told off with EXIT_CODE_USAGE.
 */
int person_confirm(const struct invocation *call, const char *question);

/** Tell people one line of what was done, unless they want quiet. */
void person_tell(const struct invocation *call, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
