#ifndef ENRICH_ENRICH_REPORT_H
#define ENRICH_ENRICH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/enrich/answer_fields.h"
#include "common/enrich/judge.h"
#include "common/merge/report.h"
#include "common/model/price_table.h"
#include "common/model/usage.h"
#include "common/recipe/repair.h"

struct tally;

/*
 * What a recipe job did: of each analysis how many rows have what, why answers were not valid,
 * what the answers say, and what it cost. Everything is counted while the rounds are judged; the
 * tables of texts are cut, so that memory does not depend on the rows.
 */

/** What the money is counted with. Borrowed. */
struct enrich_money {
    const struct price_table *prices; /* NULL: the built-in ones */
    const char *provider;             /* whose: name of its profile */
};

/** Requests of one analysis that one model answered, and their cost. */
struct enrich_spend {
    char *model;
    uint64_t requests;  /* that have a result */
    uint64_t unmetered; /* of these: a success whose `usage` is missing */
    struct usage usage;
    struct usage wasted;      /* of these: for rows that the answer was not valid for, or forgot */
    bool priced;              /* else what follows is not known */
    struct price_quote quote; /* of the Batch API */
    int64_t nano, wasted_nano;
};

/** One analysis. */
struct enrich_analysis {
    char *name, *output;
    uint64_t verdicts[PAIR_VERDICTS]; /* rows by enum pair_verdict; their sum is all rows */
    uint64_t asked;                   /* rows that were asked at least once */
    uint64_t requests;                /* in all rounds */
    uint64_t answers;                 /* rows' answers that came, in all rounds */
    uint64_t invalid;                 /* of these: not valid */
    uint64_t lost;                    /* times that a row's pack said nothing of it */
    uint64_t failures;                /* times that the provider failed a row's request */
    uint64_t repairs[REPAIR_COUNT];   /* rows by enum repair */
    uint64_t estimated;               /* input tokens as estimated, of requests with a usage */
    uint64_t metered;                 /* of the same, as the provider counted */
    struct tally *whys;               /* why answers were not valid, or lost */
    struct tally *codes;              /* of rows that failed or have the default */
    struct answer_fields fields;      /* what the valid answers say, defaults not among them */
    struct enrich_spend *spend;
    size_t spend_count;
};

/** enrich_report_release() frees. */
struct enrich_report {
    uint64_t rows;         /* of the input */
    uint64_t invalid_rows; /* of these: no object */
    uint64_t written;      /* rows of OUTPUT; 0 when none was written */
    size_t rounds;
    struct enrich_analysis *analyses;
    size_t count;
    struct report jobs; /* the rounds' own reports, added; @out and @dead are the files written */
    struct price_fx fx; /* the rate that other currencies are shown with; usdcny 0: none */
};

void enrich_report_release(struct enrich_report *report);

/** (row, analysis) that failed: the job ends with 3 when there is one. */
uint64_t enrich_report_failed(const struct enrich_report *report);

/** Share of rows that have an answer of the model's, in thousandths, rounded down. */
unsigned enrich_report_coverage(const struct enrich_report *report, size_t analysis);

/**
 * What the results cost, by the price of what was asked; *@wasted: of this, for rows that the
 * answer was not valid for. False: not known, some model has no price. What was billed beside the
 * results (duplicates) is in the rounds' own reports.
 */
bool enrich_report_cost(const struct enrich_report *report, char currency[MONEY_CURRENCY_SIZE],
                        int64_t *nano, int64_t *wasted);

/** Of one analysis, for people: "¥0.32", "?" where a price is missing, "" where nothing was asked.
 */
const char *enrich_analysis_cost(const struct enrich_analysis *analysis, char out[MONEY_TEXT_MAX]);

/* Counting: while the rounds are judged. */

/** Start empty, for judge_watch(enrich_report_result, @out). */
void enrich_report_begin(const struct recipe *recipe, struct enrich_report *out);
void enrich_report_result(void *report, const struct judge_result *result);

/** Count one pair; a row is counted with its first analysis. */
void enrich_report_pair(struct enrich_report *report, size_t analysis, const struct judged *judged);

/** After the last row: the rounds' reports and the prices. @money may be NULL. */
MUST_CHECK bool enrich_report_end(struct enrich_report *report, const struct enrich_round *rounds,
                                  size_t count, const struct enrich_money *money, struct err *err);

/**
 * The report of rounds whose rows are not at hand, and of a job that has not been integrated: what
 * is open counts as open, or with @closed as given up. @money may be NULL.
 */
MUST_CHECK bool enrich_report_collect(const struct recipe *recipe,
                                      const struct enrich_round *rounds, size_t count, bool closed,
                                      const struct enrich_money *money, struct enrich_report *out,
                                      struct err *err);

/**
 * As a JSON document: all members of report_write_json() and `recipe` (docs/files.md). @spec is
 * round 1's. False past the limit of @out.
 */
MUST_CHECK bool enrich_report_write_json(const struct enrich_report *report,
                                         const struct job_spec *spec,
                                         const struct report_times *times,
                                         const struct report_paths *paths, struct buf *out);

/** The same for people: lines of text. */
MUST_CHECK bool enrich_report_write_text(const struct enrich_report *report,
                                         const struct job_spec *spec,
                                         const struct report_times *times, struct buf *out);

#endif
