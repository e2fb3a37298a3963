#include "simulator/wire.h"

#include <microhttpd.h>
#include <sys/socket.h>

static int socket_of(struct MHD_Connection *conn)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);

    return info != NULL ? info->connect_fd : -1;
}

void wire_reset(struct MHD_Connection *conn)
{
    /* To disconnect a stream socket this way sends RST at once; closing it would first send FIN. */
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

    (void)connect(socket_of(conn), &nowhere, sizeof(nowhere));
}

bool wire_is_closed(struct MHD_Connection *conn)
{
    char byte;

    return recv(socket_of(conn), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

bool wire_has_bytes(struct MHD_Connection *conn)
{
    char byte;

    return recv(socket_of(conn), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}
