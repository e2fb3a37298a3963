#ifndef SIMULATOR_SERVER_H
#define SIMULATOR_SERVER_H

#include <stdint.h>

#include "common/base/attr.h"

struct err;
struct server; /* opaque: the HTTP side, on a thread of its own */
struct sim;

/** How often server_tick() wants to be called. */
#define SERVER_TICK_MS 20

/** Listen on the address of sim->opt. @sim is borrowed. NULL with @err. */
struct server *server_start(struct sim *sim, struct err *err);

/** The port it listens on. */
uint16_t server_port(const struct server *server);

/** The port of the content server; 0 when there is none. */
uint16_t server_content_port(const struct server *server);

/** Let slow downloads go on that have waited long enough. Any one thread. */
void server_tick(struct server *server);

/** Break off what is under way and free. NULL is fine. */
void server_stop(struct server *server);

#endif
