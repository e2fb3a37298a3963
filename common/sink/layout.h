#ifndef SINK_LAYOUT_H
#define SINK_LAYOUT_H

#include <stdint.h>

/*
 * The names in a job's folder. Numbers are padded, so lists sort.
 *
 *     job.json                        the job's specification
 *     cancelled.json                  the job was cancelled: it may end before its input does
 *     idx/0000003                     where part 3 starts in the source
 *     ids/0000123                     original ids of window 123 of an inline job
 *     part-0000003/<file>.<off>.seg   results of part 3 in one chunk of a remote file
 *     part-0000003/<bid>.end          evidence of part 3 that batch <bid> has ended
 *     req/0000123                     lines of window 123 of an inline job, to be sent again
 *     in/0000003.json                 the files that part 3 was merged from: fixed for good
 *     out/0000003.jsonl               merged successes of part 3
 *     dead/0000003.jsonl              the rest of part 3
 *     bad/0000003                     which rows these are, and when they failed
 *     rep/0000003.json                counts of part 3: the mark that it is merged
 *     gen-2                           rows that resubmission 2 sends again
 *     in.g2/ out.g2/ dead.g2/ ...     parts as they are merged after resubmission 2
 *     cancelled.g2.json               resubmission 2 was cancelled
 *     recipe.json                     what is asked about the rows, of a job with a recipe
 *     requests.map                    which rows its requests are about
 *     ended.g2                        resubmission 2 was brought to its end, OUTPUT included, by
 *                                     the command that worked on it on one host
 */

/** Room for any name and its NUL. */
#define LAYOUT_NAME_MAX 128

#define LAYOUT_JOB        "job.json"
#define LAYOUT_CANCELLED  "cancelled.json"
#define LAYOUT_IDX        "idx"
#define LAYOUT_IDS        "ids"
#define LAYOUT_REQ        "req"
#define LAYOUT_IN         "in"
#define LAYOUT_OUT        "out"
#define LAYOUT_DEAD       "dead"
#define LAYOUT_BAD        "bad"
#define LAYOUT_REP        "rep"
#define LAYOUT_GENERATION "gen-"
#define LAYOUT_RECIPE     "recipe.json"
#define LAYOUT_MAP        "requests.map"

/* Each writes into @out and returns it. */

const char *layout_index(char out[LAYOUT_NAME_MAX], uint32_t part);
const char *layout_ids(char out[LAYOUT_NAME_MAX], uint32_t window);
const char *layout_requests(char out[LAYOUT_NAME_MAX], uint32_t window);
const char *layout_part(char out[LAYOUT_NAME_MAX], uint32_t part);

/** @number from 1. */
const char *layout_generation(char out[LAYOUT_NAME_MAX], uint32_t number);

/** The mark that the job was cancelled in @generation: only the newest one counts. */
const char *layout_cancelled(char out[LAYOUT_NAME_MAX], uint32_t generation);

/** The mark that resubmission @generation has ended on one host, with OUTPUT written. */
const char *layout_ended(char out[LAYOUT_NAME_MAX], uint32_t generation);

/** @remote_file is the provider's id of the file, hashed before it becomes a name. */
const char *layout_segment(char out[LAYOUT_NAME_MAX], uint32_t part, const char *remote_file,
                           uint64_t offset);
const char *layout_end(char out[LAYOUT_NAME_MAX], uint32_t part, const char *bid);

/* A part's merged files in @generation; 0: the first run. */

const char *layout_inputs(char out[LAYOUT_NAME_MAX], uint32_t part, uint32_t generation);
const char *layout_out(char out[LAYOUT_NAME_MAX], uint32_t part, uint32_t generation);
const char *layout_dead(char out[LAYOUT_NAME_MAX], uint32_t part, uint32_t generation);
const char *layout_bad(char out[LAYOUT_NAME_MAX], uint32_t part, uint32_t generation);
const char *layout_report(char out[LAYOUT_NAME_MAX], uint32_t part, uint32_t generation);

#endif
