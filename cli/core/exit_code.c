#include "cli/core/exit_code.h"

enum exit_code exit_code_of(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE: return EXIT_CODE_OK;
    case ERR_TEMPORARY: return EXIT_CODE_UNAVAILABLE; /* what the cli itself talks to is Redis */
    case ERR_PERMANENT:
    case ERR_INTERNAL: return EXIT_CODE_UNEXPECTED;
    case ERR_USAGE: return EXIT_CODE_USAGE;
    case ERR_AUTH: return EXIT_CODE_AUTH;
    case ERR_NO_JOB: return EXIT_CODE_NO_JOB;
    case ERR_UNAVAILABLE: return EXIT_CODE_UNAVAILABLE;
    case ERR_INPUT: return EXIT_CODE_INPUT;
    case ERR_CONFLICT: return EXIT_CODE_CONFLICT;
    }
    return EXIT_CODE_UNEXPECTED;
}
