#ifndef SIMULATOR_REPLY_H
#define SIMULATOR_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "simulator/options.h"

#define REPLY_HEADERS_MAX 12

/* How an answer ends. */
enum reply_end {
    REPLY_WHOLE,
    REPLY_CLOSE,  /* the connection is closed without it */
    REPLY_RESET,  /* the connection is reset without it */
    REPLY_SILENT, /* it never comes */
    REPLY_HALF,   /* half of its body comes, then the connection is closed */
};

/* How the bytes of a file are framed. */
enum reply_form { REPLY_SIZED, REPLY_CHUNKED, REPLY_UNTIL_CLOSE };

/* What a request is answered with. */
struct reply {
    unsigned status;  /* HTTP status */
    const char *type; /* content type; a literal */
    struct buf body;  /* when @fd is -1 */
    unsigned retry_after_s;
    enum reply_end end;
    bool soft; /* Zhipu: code and message of an error stand at the top level */
    struct reply_header {
        const char *name; /* a literal */
        char *value;      /* owned */
    } headers[REPLY_HEADERS_MAX];
    size_t header_count;
    /* a part of a file instead of @body */
    int fd; /* owned */
    uint64_t offset, length, total;
    uint64_t shift;  /* the bytes are read from here on, those before it at the end */
    uint64_t longer; /* Content-Length says so many more than there are */
    enum reply_form form;
    bool stall;    /* at the cut: silence, instead of an end */
    uint64_t cut;  /* break off after so many bytes; UINT64_MAX: do not */
    uint64_t rate; /* bytes a second; 0: as fast as can be */
    bool partial;  /* say Content-Range */
    bool ranges;   /* say Accept-Ranges */
};

void reply_init(struct reply *r);
void reply_release(struct reply *r);

/** Forget all that was to be answered. */
void reply_clear(struct reply *r);

/** An empty JSON answer with this status; append to @body. */
struct buf *reply_json(struct reply *r, unsigned status);

/** Say the header @name (borrowed) once, with this value; past REPLY_HEADERS_MAX it is left out. */
void reply_header(struct reply *r, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);

/** A header that says a duration as x-ratelimit-reset-* have it: "6m0s", "1s", "20ms". */
void reply_header_duration(struct reply *r, const char *name, uint64_t ms);

/* An error as each dialect has it. Texts are borrowed for the call. */
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
void reply_problem(struct reply *r, const struct dialect *dialect, struct problem p,
                   const char *fmt, ...) PRINTF_LIKE(4, 5);

#endif
