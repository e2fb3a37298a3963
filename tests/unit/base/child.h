#ifndef UNIT_BASE_CHILD_H
#define UNIT_BASE_CHILD_H

#include <stddef.h>

/**
 * Run @fn(@arg) in a child process and wait for it. What it wrote to stderr is
 * put into @out, NUL-terminated and cut at @size. Returns the status as
 * waitpid(2) gives it; a child that is stopped is reported as such, then killed.
 */
int child_run(void (*fn)(const char *arg), const char *arg, char *out, size_t size);

#endif
