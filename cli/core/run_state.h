#ifndef CLI_CORE_RUN_STATE_H
#define CLI_CORE_RUN_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/core/exit_code.h"
#include "common/model/job_view.h"

/*
 * What `sheaf run` does next, from what it sees. Pure: times are passed in
 * (monotonic milliseconds unless they say otherwise).
 */

/** A finished job's remote files are tidied up for at most this long. */
#define RUN_TIDY_MS 10000

/** An input cut to its end, in a job that stays open this long: Redis was rolled back. */
#define RUN_OPEN_MS 3000

/** A process that ended this often in a row for reasons of its own will not get better. */
#define RUN_MAX_DEATHS 10

enum run_sight {
    RUN_SIGHT_NONE,   /* Redis gives no answer */
    RUN_SIGHT_NO_JOB, /* it answers, and knows no such job */
    RUN_SIGHT_JOB,
    RUN_SIGHT_BROKEN, /* it answers with an error of its own */
};

enum run_producer {
    RUN_PRODUCER_WORKS,
    RUN_PRODUCER_DONE, /* all of the input is in Redis */
};

/** The child that is worst off. */
struct run_failure {
    const char *name; /* NULL: none; "sheaf-producer" */
    int code;         /* its exit code, or minus the signal that ended it */
    unsigned deaths;  /* in a row */
    unsigned faults;  /* those of them that were its own */
    int64_t since_ms; /* of the first of them */
    const char *said; /* its last words; "" */
};

struct run_facts {
    int64_t now_ms;
    int64_t redis_down_ms; /* for how long, 0: it is up */
    const char *redis_why; /* "" */
    bool redis_refuses;    /* the password or the database: waiting does not help */
    enum run_sight sight;
    const char *sight_why;       /* of RUN_SIGHT_BROKEN */
    const struct job_view *view; /* of RUN_SIGHT_JOB */
    enum run_producer producer;
    bool is_opened;       /* a hold by its cap is of this run: the cap was given by it */
    bool gives_cap;       /* the command takes --max-cost */
    int64_t spent_before; /* nano-units that earlier rounds of the job cost */
    struct run_failure failure;
    int64_t give_up_ms;
};

/** What has to be remembered between two looks. Zeroed at first. */
struct run_state {
    int64_t final_ms; /* since when the job has ended */
    int64_t held_ms;  /* since when it is held by the cap of an earlier run, its input being cut */
    int64_t open_ms;  /* since when it is open though the producer is done */
};

enum run_step {
    RUN_GO_ON,
    RUN_CUT_AGAIN, /* start the producer again: Redis has lost the job, or a part of it */
    RUN_FINISHED,  /* publish the output */
    RUN_STOP,      /* end with @code, saying @message */
};

struct run_verdict {
    enum run_step step;
    enum exit_code code;
    char message[512];
    const char *hint; /* what to do; NULL: the same command goes on */
    char advice[256]; /* in place of @hint, when it has numbers; "" */
};

/** Exit codes by which a child says that starting it again does not help. */
bool run_state_is_refusal(int code);

/** Look once: update @state and fill @verdict. */
void run_state_look(struct run_state *state, const struct run_facts *facts,
                    struct run_verdict *verdict);

#endif
