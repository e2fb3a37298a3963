#ifndef SIMULATOR_VALIDATE_H
#define SIMULATOR_VALIDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "simulator/dialect.h"

struct err;
struct line;

/* What a batch's input was found to be. */
struct verdict {
    struct buf errors; /* JSON objects with commas between; empty: it is fine */
    bool fails;        /* the batch can't be executed */
    unsigned listed;
    uint64_t total;   /* requests that can be executed */
    uint64_t tokens;  /* estimated prompt tokens */
    struct buf model; /* of the first line, JSON text between the quotes */
};

#define VALIDATE_ERRORS_MAX 100

void verdict_init(struct verdict *v);
void verdict_release(struct verdict *v);

/** Add one error object and fail. @line 0 gives null, @param NULL too. @message is JSON text
 * without quotes.
 */
void verdict_add(struct verdict *v, const char *code, const char *param, uint64_t line,
                 const char *message);

/** Tokens of a prompt, as the simulator counts them: a quarter of the body's bytes, rounded up. */
uint64_t validate_tokens(size_t body_bytes);

/* What the input of one batch has to be like. Borrowed. */
struct validate_rules {
    const struct dialect_lines *lines;
    const char *endpoint;
    uint64_t max_requests;
    uint64_t max_bytes; /* 0: no limit beside the file's */
};

/** The rules for a batch of @endpoint in a file of at most @max_requests lines. */
struct validate_rules validate_rules(const struct dialect_lines *lines, const char *endpoint,
                                     uint64_t max_requests);

/** Check the batch input @fd (read from where it stands) as the API does after a create. */
MUST_CHECK bool validate_batch(int fd, const struct validate_rules *rules, struct verdict *out,
                               struct err *err);

/** The only model that does not exist. */
#define VALIDATE_UNKNOWN_MODEL "no-such-model"

/** Whether a line can be executed, as far as it alone decides that. */
bool validate_line(const struct validate_rules *rules, const struct line *line);

#endif
