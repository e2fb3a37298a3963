#ifndef SIMULATOR_DOWNLOAD_H
#define SIMULATOR_DOWNLOAD_H

struct MHD_Connection;
struct MHD_Response;
struct pauses;
struct reply;

/**
 * The part of a file that @r names, as a response that reads it bit by bit,
 * slowly or only up to a cut if @r says so. Takes r->fd. @pauses outlives it.
 */
struct MHD_Response *download_new(struct reply *r, struct MHD_Connection *conn,
                                  struct pauses *pauses);

#endif
