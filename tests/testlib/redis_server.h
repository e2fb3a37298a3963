#ifndef TESTLIB_REDIS_SERVER_H
#define TESTLIB_REDIS_SERVER_H

#include <stddef.h>
#include <sys/types.h>

/*
 * A private redis-server in a folder of its own under the temporary folder:
 * on a unix socket, without TCP, without persistence, gone with the test. All
 * functions fail the running test when something does not work.
 */
struct redis_server {
    char dir[64];
    char socket[96];   /* path of the unix socket */
    char url[112];     /* "unix:" and that path, for redis_url_parse() and --redis */
    char password[64]; /* "": none; takes effect at the next start */
    const char *aof;   /* NULL: no persistence; else appendfsync's value, e.g. "everysec"; the
                          data then outlives a restart. Takes effect at the next start */
    pid_t pid;         /* 0: not running */
};

/** Make the folder and start; returns when it answers. */
void redis_server_start(struct redis_server *server);

/** The same with a password ("" for none) and appendfsync's value (NULL for no persistence). */
void redis_server_start_with(struct redis_server *server, const char *password, const char *aof);

/** Start again on the same socket and folder, after redis_server_kill(). */
void redis_server_again(struct redis_server *server);

/** SIGKILL, and wait until it is gone. Nothing when it does not run. */
void redis_server_kill(struct redis_server *server);

/** SIGSTOP: takes connections and bytes (the kernel does), never answers. SIGCONT: goes on. */
void redis_server_freeze(struct redis_server *server);
void redis_server_thaw(struct redis_server *server);

/**
 * Send one command made of the blank-separated words of @command over a
 * connection of its own, blocking; the reply as it came from the wire, cut at
 * @size, in @out. NULL @out to ignore it.
 */
void redis_server_ask(const struct redis_server *server, const char *command, char *out,
                      size_t size);

/** Kill it and remove the folder. */
void redis_server_stop(struct redis_server *server);

#endif
