/*
 * Exactly once, as a model: one shard, two interchangeable processes, a
 * provider without idempotency keys, a sink whose names are written once, and a
 * Redis that may return to any earlier state.
 *
 *     spin.sh        checks the design and that three seeded errors are found
 *
 * Two generalisations make it stronger than the program. A claim may come at
 * any time, not only when a lease has ended: so clocks, pauses and stopped
 * processes need no modelling. And after each effect outside Redis a process
 * may forget everything (`goto idle`): killed, or its reply lost.
 */
#ifndef FENCE
#define FENCE 1 /* 1: delete the input file before a batch is created again */
#endif
#ifndef NONCE
#define NONCE 1 /* 1: leases are random; 0: a counter in Redis, which goes back with it */
#endif
#ifndef SINK_FIRST
#define SINK_FIRST 1 /* 1: a segment is durable before the checkpoint moves */
#endif
#ifndef ROLLBACKS
#define ROLLBACKS 0
#endif
#ifndef CLAIMS
#define CLAIMS 5 /* fresh leases in one run */
#endif
#define FILES   3
#define REMOTES 3
#define CHUNKS  2
#define ALL     3 /* both chunks, as a bit set */

mtype = {NONE, BUILD, SUBMIT, RUN, FETCH, CLEAN};
mtype = {READY, IN, SETTLED};
mtype = {LIVE, CANCELLED};

/* Redis. One slot, atomic scripts, a log that is cut only between scripts: all of it goes back together. */
mtype shard = READY;
mtype state = NONE;
byte lease = 0, file = 0, remote = 0, checkpoint = 0;

/* The world outside, which never goes back. */
bool file_exists[FILES + 1];
mtype remote_state[REMOTES + 1];
byte remote_file[REMOTES + 1];
bool output_exists[REMOTES + 1];
byte segments[REMOTES + 1];
byte files = 0, remotes = 0, billed = 0, claims = 0, rollbacks = 0;
bool lost = false; /* results were needed and are gone */

#define complete (segments[1] == ALL || segments[2] == ALL || segments[3] == ALL)

inline fresh(n)
{
    claims++;
    if
    :: NONCE -> n = claims
    :: else -> n = lease + 1
    fi
}

/* GET /batches: the live batch of input file f, or 0. */
inline find(r, f)
{
    r = 0;
    if
    :: remotes >= 1 && remote_file[1] == f && remote_state[1] == LIVE -> r = 1
    :: else
    fi;
    if
    :: r == 0 && remotes >= 2 && remote_file[2] == f && remote_state[2] == LIVE -> r = 2
    :: else
    fi;
    if
    :: r == 0 && remotes >= 3 && remote_file[3] == f && remote_state[3] == LIVE -> r = 3
    :: else
    fi
}

/* One script: the lease and the state are compared, then `effect` is written. */
#define FENCED(at, effect) \
    atomic { \
        if \
        :: lease == me && state == at -> effect; ok = true \
        :: else -> ok = false \
        fi \
    }

/* An answer may be lost; a refusal ends the work on this record. */
#define OR_IDLE \
    if \
    :: !ok -> goto idle \
    :: goto idle \
    :: ok \
    fi

proctype Process()
{
    byte me, f, r, c;
    mtype seen;
    bool ok;
idle:
    atomic { me = 0; f = 0; r = 0; c = 0; ok = false; seen = 0 }
    if
    :: atomic { shard == READY && state == NONE && claims < CLAIMS -> /* pack */
                fresh(me); lease = me; shard = IN; state = BUILD; file = 0; remote = 0; checkpoint = 0 };
       goto build
    :: atomic { state != NONE && claims < CLAIMS -> /* claim */
                fresh(me); lease = me; seen = state; f = file; r = remote; c = checkpoint };
       if
       :: seen == BUILD -> goto build
       :: seen == SUBMIT -> goto resolve
       :: seen == RUN -> goto poll
       :: seen == FETCH -> goto fetch
       :: seen == CLEAN -> goto clean
       fi
    :: atomic { shard == SETTLED && state == NONE -> goto end }
    :: claims == CLAIMS -> goto end
    fi;

build: /* POST /files, then the intent */
    if
    :: atomic { files < FILES -> files++; f = files; file_exists[f] = true }
    :: files == FILES -> goto end
    fi;
    if
    :: goto idle
    :: skip
    fi;
    FENCED(BUILD, state = SUBMIT; file = f);
    if
    :: !ok -> file_exists[f] = false; goto idle /* nobody ever saw this file */
    :: ok -> goto idle
    :: ok
    fi;

create: /* POST /batches: the provider looks at the file */
    atomic {
        if
        :: file_exists[f] && remotes < REMOTES ->
           remotes++; r = remotes; remote_file[r] = f; remote_state[r] = LIVE; output_exists[r] = true; billed++
        :: else -> r = 0
        fi
    };
    if
    :: goto idle
    :: r != 0
    fi;
    FENCED(SUBMIT, state = RUN; remote = r);
    OR_IDLE;
    goto poll;

resolve: /* a create may have been sent */
    atomic { find(r, f) };
    if
    :: r != 0 -> goto adopt
    :: else
    fi;
#if FENCE
    file_exists[f] = false;
    if
    :: goto idle
    :: skip
    fi;
    atomic { find(r, f) };
    if
    :: r != 0 -> goto adopt
    :: else
    fi;
    FENCED(SUBMIT, state = BUILD; file = 0);
    if
    :: !ok -> goto idle
    :: ok -> goto build
    fi;
#else
    goto create;
#endif

adopt:
    FENCED(SUBMIT, state = RUN; remote = r);
    OR_IDLE;

poll:
    if
    :: remote_state[r] == LIVE -> FENCED(RUN, state = FETCH; checkpoint = 0; c = 0)
    :: remote_state[r] == CANCELLED -> FENCED(RUN, state = NONE; shard = READY); goto idle
    fi;
    OR_IDLE;

fetch:
    do
    :: c < CHUNKS ->
#if SINK_FIRST
       atomic { /* put-if-absent: what is there already is the same */
           if
           :: segments[r] & (1 << c) -> skip
           :: else ->
              if
              :: output_exists[r] -> segments[r] = segments[r] | (1 << c)
              :: else -> lost = true; goto end
              fi
           fi
       };
       if
       :: goto idle
       :: skip
       fi;
#endif
       atomic {
           if
           :: lease == me && state == FETCH && checkpoint == c -> checkpoint = c + 1; ok = true
           :: else -> ok = false
           fi
       };
       OR_IDLE;
#if !SINK_FIRST
       atomic {
           if
           :: output_exists[r] -> segments[r] = segments[r] | (1 << c)
           :: else
           fi
       };
#endif
       c++
    :: c == CHUNKS -> break
    od;
    atomic { /* done */
        if
        :: lease == me && state == FETCH && checkpoint == CHUNKS -> shard = SETTLED; state = CLEAN; ok = true
        :: else -> ok = false
        fi
    };
    OR_IDLE;

clean: /* DELETE the files, then drop */
    output_exists[r] = false;
    file_exists[f] = false;
    if
    :: goto idle
    :: skip
    fi;
    FENCED(CLEAN, state = NONE);
    goto idle;
end:
    skip
}

/* Redis goes back to a state it was in. */
proctype Rollback()
{
    mtype shard0, state0;
    byte lease0, file0, remote0, checkpoint0;

    do
    :: rollbacks < ROLLBACKS ->
       atomic { shard0 = shard; state0 = state; lease0 = lease; file0 = file; remote0 = remote; checkpoint0 = checkpoint };
       atomic { shard = shard0; state = state0; lease = lease0; file = file0; remote = remote0; checkpoint = checkpoint0;
                rollbacks++ }
    :: break
    od
}

/* Cancels what no record can come to point at. */
proctype Reaper()
{
    byte r = 1;

    do
    :: atomic { r <= remotes && remote_state[r] == LIVE && remote_file[r] != file && remote != r && segments[r] != ALL ->
                remote_state[r] = CANCELLED; r++ }
    :: atomic { r <= remotes -> r++ }
    :: atomic { r > remotes -> goto end }
    od;
end:
    skip
}

init
{
    atomic {
        run Process();
        run Process();
        run Rollback();
        run Reaper()
    }
}

/* Settled in Redis means that the sink has all of one remote batch, whatever Redis forgot in between. */
ltl settled { [] (shard == SETTLED -> complete) }
/* Cleaning up never takes results that are still needed. */
ltl nothing_lost { [] (!lost) }
/* As long as Redis forgets nothing, one batch is billed. */
ltl billed_once { [] (rollbacks == 0 -> billed <= 1) }
/* Must be violated: it says that no run gets to the end. */
ltl never_ends { [] (!(shard == SETTLED && state == NONE && rollbacks == ROLLBACKS && billed >= 1)) }
