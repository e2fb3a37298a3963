#ifndef MODEL_JOB_SPEC_H
#define MODEL_JOB_SPEC_H

#include <stdbool.h>
#include <stdint.h>

/** Bytes of a job's name without the NUL. */
#define JOB_NAME_MAX 64

/** Bytes of a job's random incarnation without the NUL. */
#define JOB_JI_LEN 12

/**
 * What a job is, fixed when it is opened: stored in Redis and, as job.json, in
 * the sink. The cut of the input into ordinals is a pure function of the input
 * bytes and this. Plain data, owns nothing.
 */
struct job_spec {
    char job[JOB_NAME_MAX + 1];
    char ji[JOB_JI_LEN + 1]; /* random incarnation; names the sink's folder with the job */
    char fingerprint[65]; /* SHA-256 hex of the input's size and content samples, and the model */
    char source[1024];    /* absolute path of the re-readable input; "" when inline */
    char sink[1024];      /* "dir:/abs/path" */
    char provider[32];    /* profile name */
    char base_url[512];   /* without a trailing slash */
    char site[16];        /* id of (provider, base_url): who serves the job */
    char model[256];      /* put into bodies that have none; "" for none */
    char note[256];
    bool inline_payload;   /* lines travel through Redis instead of being re-read */
    uint32_t window_lines; /* limits of the cut */
    uint64_t window_bytes;
    uint64_t max_line_bytes; /* that the provider takes, of one line as it is sent; 0: any */
    uint64_t chunk_bytes;    /* a result chunk ends at the first newline at or after this */
    uint32_t max_attempts;   /* charged failures before a task becomes a dead letter */
};

/** A result chunk's size in new jobs. */
#define JOB_CHUNK_BYTES (4u << 20)

/**
 * The limits of the cut: at most 1,000 lines and 2 MB a window, and at most a
 * quarter of what a batch file may hold, so that windows fill files well.
 * 0 for no limit of that kind.
 */
void job_spec_set_cut(struct job_spec *spec, uint64_t max_requests, uint64_t max_bytes);

/** True when @name can be a job's name: 1..64 bytes, no control characters, none of "/:|", not "."
 * or "..". */
bool job_name_is_valid(const char *name);

/** Make a valid job name of a file's path: its base name, other characters replaced by "-". @out
 * holds JOB_NAME_MAX + 1. */
void job_name_from_path(const char *path, char *out);

/*
 * A job with a recipe is a chain of jobs, its rounds: what came back wrong is asked again in the
 * next one. Round 1 has the job's name, round 2 "NAME.r2", and so on.
 */

/** Bytes of a name that leave room for those of its rounds. */
#define JOB_ROUNDS_NAME_MAX (JOB_NAME_MAX - 5)

/** Highest number of a round. */
#define JOB_ROUND_MAX 999

/** The name of @round (from 1) of @job, of at most JOB_ROUNDS_NAME_MAX bytes. Returns @out. */
const char *job_round_name(const char *job, unsigned round, char out[JOB_NAME_MAX + 1]);

/**
 * The reverse: the number from 2, and what stands before it in @job. 1, with all of @name in @job,
 * for a name that is not so: whether it is a round is only known with the other names.
 */
unsigned job_round_parse(const char *name, char job[JOB_NAME_MAX + 1]);

#endif
