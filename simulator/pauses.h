#ifndef SIMULATOR_PAUSES_H
#define SIMULATOR_PAUSES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Connection;

/* Connections that wait for their next bytes. Used by the HTTP thread and the main thread. */
struct pauses {
    pthread_mutex_t lock;
    struct pause {
        struct MHD_Connection *conn;
        int64_t until_ms; /* monotonic */
    } * list;
    size_t count, cap;
    bool closed; /* no more pauses: the server stops */
};

void pauses_init(struct pauses *p);
void pauses_release(struct pauses *p);

/** Suspend @conn until then; false, with nothing done, when the server stops. HTTP thread. */
bool pauses_add(struct pauses *p, struct MHD_Connection *conn, int64_t until_ms);

/** Resume those whose time has come. */
void pauses_wake(struct pauses *p, int64_t now_ms);

/** Resume all and let no more in. */
void pauses_close(struct pauses *p);

#endif
