#include "tests/testlib/unit.h"

#include "tests/testlib/redis_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"

enum { START_LIMIT_MS = 20000, REPLY_BYTES = 65536 };

/* In the child. The server dies with the test program, however that dies. */
static void exec_server(const struct redis_server *server)
{
    const char *argv[32] = {"redis-server",
                            "--port",
                            "0",
                            "--unixsocket",
                            server->socket,
                            "--dir",
                            server->dir,
                            "--save",
                            "",
                            "--daemonize",
                            "no",
                            "--logfile",
                            "log",
                            "--enable-debug-command",
                            "yes"};
    int argc = 15;

    if (server->aof != NULL) {
        argv[argc++] = "--appendonly";
        argv[argc++] = "yes";
        argv[argc++] = "--appendfsync";
        argv[argc++] = server->aof;
    }
    if (server->password[0] != '\0') {
        argv[argc++] = "--requirepass";
        argv[argc++] = server->password;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(argv[0], (char **)(uintptr_t)argv);
    _exit(127);
}

static int dial(const struct redis_server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", server->socket);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* False when there is no server to talk to. */
static bool converse(const struct redis_server *server, const char *command, char *out, size_t size)
{
    char text[REPLY_BYTES];
    int fd = dial(server);
    size_t len = 0;
    ssize_t n = 0;
    int head = 0;

    if (fd < 0)
        return false;
    if (server->password[0] != '\0')
        head = dprintf(fd, "AUTH %s\r\n", server->password) > 0 ? 5 : 0;
    (void)dprintf(fd, "%s\r\nQUIT\r\n", command); /* QUIT: the server closes behind the reply */
    while (len < sizeof(text) - 1 && (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)n;
    close(fd);
    text[len] = '\0';
    if (len >= (size_t)head + 5 && strcmp(text + len - 5, "+OK\r\n") == 0)
        text[len - 5] = '\0';
    if (out != NULL)
        (void)snprintf(out, size, "%s", len >= (size_t)head ? text + head : "");
    return true;
}

static bool answers(const struct redis_server *server)
{
    char reply[64] = "";

    return converse(server, "PING", reply, sizeof(reply)) && strncmp(reply, "+PONG", 5) == 0;
}

void redis_server_again(struct redis_server *server)
{
    int64_t give_up_ms = clock_mono_ms() + START_LIMIT_MS;

    assert_int_equal(server->pid, 0);
    (void)unlink(server->socket);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0)
        exec_server(server);
    while (!answers(server)) {
        if (clock_mono_ms() > give_up_ms || waitpid(server->pid, NULL, WNOHANG) != 0)
            fail_msg("redis-server does not start; see %s/log", server->dir);
        usleep(5000);
    }
}

void redis_server_start_with(struct redis_server *server, const char *password, const char *aof)
{
    const char *tmp = getenv("TMPDIR");

    *server = (struct redis_server){.aof = aof};
    (void)snprintf(server->password, sizeof(server->password), "%s", password);
    if (tmp == NULL || strlen(tmp) > sizeof(server->dir) - 20)
        tmp = "/tmp";
    (void)snprintf(server->dir, sizeof(server->dir), "%s/sheaf-redis-XXXXXX", tmp);
    assert_non_null(mkdtemp(server->dir));
    (void)snprintf(server->socket, sizeof(server->socket), "%s/redis.sock", server->dir);
    (void)snprintf(server->url, sizeof(server->url), "unix:%s", server->socket);
    redis_server_again(server);
}

void redis_server_start(struct redis_server *server)
{
    redis_server_start_with(server, "", NULL);
}

void redis_server_kill(struct redis_server *server)
{
    if (server->pid == 0)
        return;
    kill(server->pid, SIGKILL);
    assert_int_equal(waitpid(server->pid, NULL, 0), server->pid);
    server->pid = 0;
}

void redis_server_freeze(struct redis_server *server)
{
    assert_int_equal(kill(server->pid, SIGSTOP), 0);
    assert_int_equal(waitpid(server->pid, NULL, WUNTRACED), server->pid);
}

void redis_server_thaw(struct redis_server *server)
{
    assert_int_equal(kill(server->pid, SIGCONT), 0);
}

void redis_server_ask(const struct redis_server *server, const char *command, char *out,
                      size_t size)
{
    if (!converse(server, command, out, size))
        fail_msg("cannot reach %s", server->socket);
}

void redis_server_stop(struct redis_server *server)
{
    char command[96];

    redis_server_kill(server);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", server->dir);
    if (server->dir[0] != '\0')
        assert_int_equal(system(command), 0);
    server->dir[0] = '\0';
}
