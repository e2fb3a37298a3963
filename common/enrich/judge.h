#ifndef ENRICH_JUDGE_H
#define ENRICH_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/enrich/pair_fold.h"
#include "common/enrich/render.h"
#include "common/json/result_line.h"
#include "common/json/scan.h"
#include "common/model/job_spec.h"

struct block;
struct map_request;
struct reading_row;
struct recipe;
struct sink;

/*
 * What the rounds of a recipe job have answered, block by block (render.h), in step over the
 * map and the merged results of every round: pure, so whoever asks again hears the same. One
 * block's pairs are in memory, and of the answers what fits in a fixed buffer; the others are
 * read again where they lie when somebody wants them.
 */

/** One round: an ordinary job whose requests were rendered. Everything is borrowed. */
struct enrich_round {
    struct sink *sink; /* holds requests.map beside the merged parts */
    const struct job_spec *spec;
    uint32_t parts; /* all merged */
};

struct judge;

/** One result line and what was made of it. Everything is borrowed for the call. */
struct judge_result {
    size_t round;
    const struct map_request *request;
    const struct result_line *line; /* NULL: the job was cancelled before this request */
    struct slice body;              /* of the response, raw JSON; len 0: there is none */
    bool answered;                  /* the provider answered, whatever that was */
    const struct reading_row *rows; /* what it says of each row of the request */
};
typedef void (*judge_result_fn)(void *arg, const struct judge_result *result);

/** One pair with its answer. Borrowed until the next call of the judge. */
struct judged {
    enum pair_verdict verdict;
    bool asked;        /* in some round */
    unsigned repairs;  /* bits: common/recipe/answer.h */
    struct slice json; /* OK, REPAIRED: the answer; DEFAULTED: the default; else len 0 */
    const char *code;  /* DEFAULTED, FAILED: "invalid_answer", "content_filter", ...; else "" */
    const char *why;   /* the same for people */
    struct slice
        raw; /* keep_raw: what the model said, decoded; of a pack only with its first row */
    struct slice response; /* DEFAULTED, FAILED: the provider's, raw JSON; len 0: there is none */
};

/**
 * Over @rounds (copied; what they point at is borrowed), at least one. NULL (with @err) on
 * failure. Free with judge_free().
 */
struct judge *judge_new(const struct recipe *recipe, const struct enrich_round *rounds,
                        size_t count, struct err *err);

/** NULL is fine. */
void judge_free(struct judge *judge);

/** Call @fn for every result line that judge_block() reads from now on. */
void judge_watch(struct judge *judge, judge_result_fn fn, void *arg);

/**
 * The next block of all rounds; *@end: there is none, and the results are at their end as well.
 * ERR_PERMANENT: maps and results do not belong together.
 */
MUST_CHECK bool judge_block(struct judge *judge, bool *end, struct err *err);

/** Of the block: its first row's number, and how many rows it has. */
uint64_t judge_first(const struct judge *judge);
uint32_t judge_rows(const struct judge *judge);

/** ERR_INPUT, which names the rows, unless @rows are those that the block was asked about. */
MUST_CHECK bool judge_check_rows(const struct judge *judge, const struct block *rows,
                                 struct err *err);

/** What follows for a pair of the block. With @closed nothing is open any more. */
enum pair_verdict judge_verdict(const struct judge *judge, uint32_t row, size_t analysis,
                                bool closed);

/** The same with the answer; what is open counts as given up. */
MUST_CHECK bool judge_look(struct judge *judge, uint32_t row, size_t analysis, struct judged *out,
                           struct err *err);

/** What the rounds left open. */
struct enrich_open {
    uint64_t pairs;   /* (row, analysis) to be asked in one more round */
    uint64_t invalid; /* of these: the answer was not valid, and tries are left */
    uint64_t lost;    /* of these: their pack said nothing of them */
};

/**
 * Fold all of @rounds and count. When @out->pairs is 0 the job can be integrated; else one more
 * round asks what judge_choice() says.
 */
MUST_CHECK bool enrich_judge(const struct recipe *recipe, const struct enrich_round *rounds,
                             size_t count, struct enrich_open *out, struct err *err);

/**
 * What the next round asks, for render_new(): of each pair that is open RENDER_ASK_ALONE. Takes the
 * blocks from @judge, which must be new and outlive it.
 */
struct render_choice judge_choice(struct judge *judge);

#endif
