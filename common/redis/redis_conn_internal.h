#ifndef REDIS_REDIS_CONN_INTERNAL_H
#define REDIS_REDIS_CONN_INTERNAL_H

#include <stdbool.h>
#include <sys/queue.h>

#include "common/redis/redis_conn.h"

/* What the rest of this folder may ask of a connection. */

/** Something that must go when the connection goes. */
struct redis_dependent {
    LIST_ENTRY(redis_dependent) entry;
    void (*drop)(struct redis_dependent *dependent); /* detaches itself, calls nobody back */
};

void redis_conn_attach(struct redis_conn *conn, struct redis_dependent *dependent);
void redis_conn_detach(struct redis_dependent *dependent);

/** True when a server may have seen it. */
bool redis_command_was_sent(const struct redis_command *command);

#endif
