#ifndef PROTOCOL_PROTOCOL_SCRIPTS_H
#define PROTOCOL_PROTOCOL_SCRIPTS_H

/** The scripts, in the order of CMakeLists.txt. */
enum protocol_script {
    SCRIPT_JOB_OPEN,
    SCRIPT_SHARD_PUT,
    SCRIPT_JOB_SEAL,
    SCRIPT_JOB_LANES,
    SCRIPT_JOB_SPENT,
    SCRIPT_PACK,
    SCRIPT_CLAIM,
    SCRIPT_RENEW,
    SCRIPT_ADVANCE,
    SCRIPT_MEMBERS,
    SCRIPT_PAYLOAD,
    SCRIPT_CHUNK,
    SCRIPT_DONE,
    SCRIPT_DROP,
    SCRIPT_PART_DONE,
    SCRIPT_REOPEN,
    SCRIPT_GENERATION,
    SCRIPT_JOB_HOLD,
    SCRIPT_JOB_RESUME,
    SCRIPT_JOB_NOTE,
    SCRIPT_JOB_CANCEL,
    SCRIPT_JOB_UNPACK,
    SCRIPT_JOB_PURGE,
    SCRIPT_LANE_LEARN,
    SCRIPT_SITE_NOTE,
    SCRIPT_ACCOUNT_NOTE,
    SCRIPT_RATE_TAKE,
    SCRIPT_RATE_HOLD,
    SCRIPT_JOB_VIEW,
    SCRIPT_JOB_LIST,
    SCRIPT_REAP_CLAIM,
    SCRIPT_REAP_LOOK,
    SCRIPT_REAP_DONE,
    PROTOCOL_SCRIPTS, /* how many */
};

/** A script's name and its whole text, _lib.lua in front. */
struct protocol_source {
    const char *name;
    const char *text;
};

/** Made at build time from lua/. */
extern const struct protocol_source protocol_sources[PROTOCOL_SCRIPTS];

#endif
