#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "cli/core/checkup.h"
#include "common/config/options.h"
#include "common/provider/profile.h"

/*
 * The measurements of `sheaf doctor`. Each adds what it found and never fails;
 * they block, for some seconds at most.
 */

/** Ask the Redis at @url, which may hold a password, for its state and its time. */
void doctor_redis(struct checkup *c, const char *url);

/** Whether `run` finds a redis-server, and which. */
void doctor_redis_server(struct checkup *c);

/**
 * The key, the account, the address, and one call that costs nothing: a list of models;
 * its answer has the provider's time.
 */
void doctor_provider(struct checkup *c, const struct options *o,
                     const struct provider_profile *profile);

/** Folders that are written to, and what this process may open. */
void doctor_host(struct checkup *c, const struct options *o);

#endif
