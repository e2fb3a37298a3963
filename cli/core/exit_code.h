#ifndef CLI_CORE_EXIT_CODE_H
#define CLI_CORE_EXIT_CODE_H

/**
 * How `sheaf` ends; docs/cli.md has the same table, err_exit_code() gives the code
 * of a failure. Any other code is a failure too.
 */
enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_UNEXPECTED = 1,
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_SOME_FAILED = 3, /* the job has ended, some rows have no result */
    EXIT_CODE_AUTH = 4,
    EXIT_CODE_NO_JOB = 5,
    EXIT_CODE_BUDGET = 6,
    EXIT_CODE_NOT_YET = 7, /* the wait timed out; the job goes on */
    EXIT_CODE_PROVIDER = 8,
    EXIT_CODE_UNAVAILABLE = 9, /* Redis, disk or sink */
    EXIT_CODE_AUDIT = 10,
    EXIT_CODE_INPUT = 11,
    EXIT_CODE_CONFLICT = 12,
    EXIT_CODE_SIGNAL = 128, /* plus the signal's number */
};

#endif
