#ifndef SIMULATOR_ROUTES_H
#define SIMULATOR_ROUTES_H

#include <stdbool.h>

#include "common/base/buf.h"

struct request;
struct sim_file;
struct sim;

/** Find the route of a request that starts, from its method and path. */
void routes_find(struct request *rq);

/** Whether the route takes a multipart upload. */
bool routes_takes_upload(const struct request *rq);

/** The head of a request is there. False when it is answered already. */
bool routes_head(struct request *rq);

/** The request is complete: fill its reply. False: call again at rq->until_ms. */
bool routes_answer(struct request *rq);

/** How often each route was asked, as JSON members. Needs the lock. */
void routes_write_counts(const struct sim *sim, struct buf *out);

/* The handlers, by file. Each fills the reply and takes the lock as it needs it. */

void route_files_create(struct request *rq);
void route_files_list(struct request *rq);
void route_files_get(struct request *rq);
void route_files_delete(struct request *rq);
void route_files_content(struct request *rq);

void route_batches_create(struct request *rq);
void route_batches_list(struct request *rq);
void route_batches_get(struct request *rq);
void route_batches_cancel(struct request *rq);
void route_batches_delete(struct request *rq);

/**
 * The file of the request's path as far as it can be seen; NULL, with the
 * request answered, when there is none. Needs the lock.
 */
struct sim_file *route_file_asked(struct request *rq);

/** A download at the content server, where no key is wanted. */
void route_content(struct request *rq);

void route_models(struct request *rq);

void route_admin_ledger(struct request *rq);
void route_admin_faults(struct request *rq);
void route_admin_state(struct request *rq);

#endif
