#include "tests/testlib/unit.h"

#include "tests/unit/base/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void be_the_child(int fd, void (*fn)(const char *arg), const char *arg)
{
    /* The reader has the signals it asks about: no handler of cmocka's, no core file. */
    (void)signal(SIGABRT, SIG_DFL);
    if (dup2(fd, STDERR_FILENO) < 0)
        _exit(99);
    fn(arg);
    (void)fflush(NULL);
    _exit(0);
}

int child_run(void (*fn)(const char *arg), const char *arg, char *out, size_t size)
{
    FILE *file = tmpfile();
    int status = 0;

    assert_non_null(file);
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        be_the_child(fileno(file), fn, arg);

    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    if (WIFSTOPPED(status)) {
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    rewind(file);
    size_t n = fread(out, 1, size - 1, file);
    out[n] = '\0';
    (void)fclose(file);
    return status;
}
