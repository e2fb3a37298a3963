#include "coordinator/core/reap_plan.h"

#include <string.h>

static const char prefix[] = "sheaf-";
static const char suffix[] = ".jsonl";

/* @len characters as id_random() makes them. */
static bool take_id(const char **text, char *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = (*text)[i];

        if ((c < '0' || c > '9') && (c < 'a' || c > 'z'))
            return false;
        out[i] = c;
    }
    out[len] = '\0';
    *text += len;
    return true;
}

bool reap_name_parse(const char *filename, struct reap_name *name)
{
    struct reap_name n;
    const char *at = filename;

    if (strncmp(at, prefix, sizeof(prefix) - 1) != 0)
        return false;
    at += sizeof(prefix) - 1;
    if (!take_id(&at, n.ji, JOB_JI_LEN) || *at++ != '-' || !take_id(&at, n.bid, BATCH_ID_LEN) ||
        strcmp(at, suffix) != 0)
        return false;
    *name = n;
    return true;
}

const char *reap_verdict_name(enum reap_verdict verdict)
{
    switch (verdict) {
    case REAP_FOREIGN: return "foreign";
    case REAP_KEEP: return "keep";
    case REAP_WAIT: return "wait";
    case REAP_TAKE: return "take";
    }
    return "?";
}

enum reap_verdict reap_file_verdict(const struct reap_facts *f)
{
    if (!f->job_known)
        return REAP_FOREIGN;
    if (f->record_exists && (f->is_its_file || f->state == BATCH_BUILD))
        return REAP_KEEP;
    if (f->job_ended)
        return REAP_TAKE;
    if (f->since_ms != 0 && f->now_ms - f->since_ms >= f->grace_ms)
        return REAP_TAKE;
    return REAP_WAIT;
}

static size_t add(struct reap_op *ops, size_t n, enum reap_op_kind kind, const char *id)
{
    if (id[0] == '\0')
        return n;
    ops[n] = (struct reap_op){.kind = kind, .id = id};
    return n + 1;
}

bool reap_plan(const char *file, const struct reap_batch *batches, size_t count,
               struct reap_op *ops, size_t *op_count)
{
    bool all_ended = true;
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        const struct reap_batch *b = &batches[i];

        if (remote_status_is_terminal(b->status)) {
            n = add(ops, n, REAP_DELETE, b->output);
            n = add(ops, n, REAP_DELETE, b->error);
            continue;
        }
        all_ended = false;
        if (b->status != REMOTE_CANCELLING)
            n = add(ops, n, REAP_CANCEL, b->id);
    }
    if (all_ended)
        n = add(ops, n, REAP_DELETE, file);
    *op_count = n;
    return all_ended;
}

int64_t reap_next_ms(const struct reap_rest *rest, int64_t grace_ms)
{
    if (rest->live)
        return grace_ms < REAP_LIVE_MS ? grace_ms : REAP_LIVE_MS;
    if (rest->waiting || (rest->foreign && rest->shaken))
        return grace_ms;
    return grace_ms * REAP_GRACES_APART;
}
