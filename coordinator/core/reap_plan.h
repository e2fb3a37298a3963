#ifndef COORDINATOR_CORE_REAP_PLAN_H
#define COORDINATOR_CORE_REAP_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/model/batch.h"
#include "common/provider/remote.h"

/*
 * What is nobody's at a provider. Pure.
 *
 * Several Redis servers may share one account, so a file is ours only when its
 * name, "sheaf-JI-BID.jsonl", tells the incarnation of a job that we know. The
 * input file is the anchor of everything else: a batch is looked at when its
 * input file is an orphan, and the file goes last.
 *
 * The provider is read first, the record second: a record can only come to
 * mean a file that was stored since it is in BUILD (coordinator/core/adopt.h),
 * and one in BUILD keeps all files of its name. So what a record elsewhere does
 * not mean then, none ever will.
 */

/** Who a file belongs to, by its name. */
struct reap_name {
    char ji[JOB_JI_LEN + 1];
    char bid[BATCH_ID_LEN + 1];
};

/** False when @filename is not one that we give. */
bool reap_name_parse(const char *filename, struct reap_name *name);

enum reap_verdict {
    REAP_FOREIGN, /* of no job that we know: leave it alone */
    REAP_KEEP,    /* in use, or somebody else's to delete */
    REAP_WAIT,    /* nobody's, but not for long enough */
    REAP_TAKE,    /* nobody's */
};

/** "foreign", ... for logs. */
const char *reap_verdict_name(enum reap_verdict verdict);

/** One file, when it was seen at the provider and its record was read after that. */
struct reap_facts {
    bool job_known;         /* a job of ours has the incarnation ... */
    bool job_ended;         /* ... and nothing of it is under way any more */
    bool record_exists;     /* of the batch ... */
    enum batch_state state; /* ... and where it is */
    bool is_its_file;       /* the record means this very file */
    int64_t since_ms;       /* when a round saw it first; 0: this one */
    int64_t now_ms;
    int64_t grace_ms;
};

/** A batch being built may just be uploading it; all else that no record means is an orphan. */
enum reap_verdict reap_file_verdict(const struct reap_facts *facts);

/** A batch made of an orphan file. */
struct reap_batch {
    char id[REMOTE_ID_MAX + 1];
    enum remote_status status;
    char output[REMOTE_ID_MAX + 1]; /* "": none; so for the next */
    char error[REMOTE_ID_MAX + 1];
};

enum reap_op_kind { REAP_CANCEL, REAP_DELETE };

/** One call; @id is borrowed from what it was planned for. */
struct reap_op {
    enum reap_op_kind kind;
    const char *id; /* of the batch, of the file */
};

/** Most operations for @n batches of one file. */
#define REAP_OPS_MAX(n) (2 * (n) + 1)

/**
 * What to do, in order, about an orphan @file and the @count batches made of
 * it: cancel what lives, delete the results of what has ended, and, when all
 * have ended, the file. True then; false: look again later.
 */
bool reap_plan(const char *file, const struct reap_batch *batches, size_t count,
               struct reap_op *ops, size_t *op_count);

/** What a round leaves. */
struct reap_rest {
    bool live;    /* cancelled batches that have not ended, or a call that failed */
    bool waiting; /* REAP_WAIT was said */
    bool foreign; /* REAP_FOREIGN was said ... */
    bool shaken;  /* ... and Redis lately lost data: their job may be opened anew */
};

/** Rounds are this many graces apart when there is nothing to wait for. */
#define REAP_GRACES_APART 6

/** Longest time to the next look at a batch that was cancelled. */
#define REAP_LIVE_MS 30000

/** Time to the next round, ms. */
int64_t reap_next_ms(const struct reap_rest *rest, int64_t grace_ms);

#endif
