#ifndef SIMULATOR_REPLY_H
#define SIMULATOR_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "simulator/options.h"

/* What a request is answered with. */
struct reply {
    unsigned status;  /* HTTP status */
    const char *type; /* content type; a literal */
    struct buf body;  /* when @fd is -1 */
    unsigned retry_after_s;
    bool hang_up; /* close the connection without an answer */
    /* a part of a file instead of @body */
    int fd; /* owned */
    uint64_t offset, length, total;
    uint64_t cut;  /* break off after so many bytes; UINT64_MAX: do not */
    uint64_t rate; /* bytes a second; 0: as fast as can be */
    bool partial;  /* say Content-Range */
    bool ranges;   /* say Accept-Ranges */
};

void reply_init(struct reply *r);
void reply_release(struct reply *r);

/** An empty JSON answer with this status; append to @body. */
struct buf *reply_json(struct reply *r, unsigned status);

/* An error as each profile has it. Texts are borrowed for the call. */
struct problem {
    unsigned status;
    const char *param;      /* NULL: null */
    const char *code;       /* NULL: null */
    const char *zhipu_code; /* NULL: "1210" for 4xx, "500" for 5xx */
};

static inline struct problem problem(unsigned status, const char *param, const char *code,
                                     const char *zhipu_code)
{
    return (struct problem){status, param, code, zhipu_code};
}

/** Answer with @p and a message. */
void reply_problem(struct reply *r, enum profile profile, struct problem p, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

#endif
