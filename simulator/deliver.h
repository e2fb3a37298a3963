#ifndef SIMULATOR_DELIVER_H
#define SIMULATOR_DELIVER_H

#include <microhttpd.h>

struct pauses;
struct request;

/**
 * Send rq->reply, or do to the connection what it says instead. The result is
 * what the library's handler returns; it may call the handler again.
 */
enum MHD_Result deliver(struct request *rq, struct pauses *pauses);

#endif
