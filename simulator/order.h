#ifndef SIMULATOR_ORDER_H
#define SIMULATOR_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"

struct json_object;
struct request;

/* The body of a POST /batches, checked. Texts are borrowed from @root. */
struct order {
    struct json_object *root;
    const char *input_file_id;
    const char *endpoint;
    const char *window;   /* NULL when not given */
    unsigned window_h;    /* 0: without an end */
    const char *metadata; /* JSON text, NULL when not given */
    int64_t output_expires_s;
    bool auto_delete;
};

/** False, with the request answered, when the body can't be used. Free with order_release(). */
MUST_CHECK bool order_read(struct order *order, struct request *rq);

void order_release(struct order *order);

#endif
