#ifndef SIMULATOR_WIRE_H
#define SIMULATOR_WIRE_H

#include <stdbool.h>

struct MHD_Connection;

/* What is done to a connection behind the HTTP library's back. */

/** Reset it: the client sees ECONNRESET. The library must be told to close it. */
void wire_reset(struct MHD_Connection *conn);

/** Whether the client has closed it, or its half. */
bool wire_is_closed(struct MHD_Connection *conn);

/** Whether bytes wait to be read. */
bool wire_has_bytes(struct MHD_Connection *conn);

#endif
