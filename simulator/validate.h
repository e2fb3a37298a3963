#ifndef SIMULATOR_VALIDATE_H
#define SIMULATOR_VALIDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"

struct err;

/* What a batch's input was found to be. */
struct verdict {
    struct buf errors; /* JSON objects with commas between; empty: it is fine */
    unsigned listed;
    uint64_t total;   /* requests */
    uint64_t tokens;  /* estimated prompt tokens */
    struct buf model; /* of the first line, JSON text between the quotes */
};

#define VALIDATE_ERRORS_MAX 100

void verdict_init(struct verdict *v);
void verdict_release(struct verdict *v);

/** Add one error object. @line 0 gives null, @param NULL too. @message is JSON text without quotes.
 */
void verdict_add(struct verdict *v, const char *code, const char *param, uint64_t line,
                 const char *message);

/** Tokens of a prompt, as the simulator counts them: a quarter of the body's bytes, rounded up. */
uint64_t validate_tokens(size_t body_bytes);

/** Check the batch input @fd (read from where it stands) as the API does after a create. */
MUST_CHECK bool validate_batch(int fd, const char *endpoint, uint64_t max_requests,
                               struct verdict *out, struct err *err);

/** Whether the first line that is not blank is a JSON object; a file of blank lines passes, an
 * empty one does not. */
MUST_CHECK bool validate_first_line(int fd);

/**
 * Zhipu's check at upload. False with the API's code ("1210", "1214") and a
 * message about the first bad line.
 */
MUST_CHECK bool validate_zhipu_upload(int fd, const char **code, struct err *err);

#endif
