#include "tests/testlib/unit.h"

#include "tests/unit/input/input_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64];
static char path[160];

int input_files_setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/sheaf-input-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

int input_files_teardown(void **state)
{
    char command[96];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

const char *input_path(const char *name)
{
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

const char *input_file(const char *name, const char *bytes, size_t len)
{
    int fd = open(input_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        assert_true(n > 0);
        bytes += n;
        len -= (size_t)n;
    }
    assert_int_equal(close(fd), 0);
    return path;
}
