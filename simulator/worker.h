#ifndef SIMULATOR_WORKER_H
#define SIMULATOR_WORKER_H

#include <stdbool.h>
#include <stddef.h>

struct sim;

/**
 * The thread that moves batches on: checks inputs, executes, ends. One batch
 * at a time, in the order in which they are due. @arg is the struct sim; it
 * returns NULL once sim->stopping is set and sim->wake was signalled.
 */
void *worker_main(void *arg);

#endif
