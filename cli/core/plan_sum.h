#ifndef CLI_PLAN_SUM_H
#define CLI_PLAN_SUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/core/plan_spread.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/model/money.h"
#include "common/model/price_table.h"
#include "common/provider/profile.h"

/*
 * What a job will be, before it is one: requests, batches, tokens and money, added up while the
 * input is read. Pure. Everything that grows with the input is a number.
 */

/** Lines or rows that cannot be sent and are told one by one; the rest is counted. */
#define PLAN_PROBLEMS_MAX 10

/** How far the estimate of a job's input tokens may be off, in percent: what budgets reserve. */
#define PLAN_MARGIN_PERCENT 15

/** An answer without a ceiling is reckoned with as so many tokens, as budgets do. */
#define PLAN_OPEN_OUTPUT 1024

/** What requests take. */
struct plan_count {
    uint64_t requests;
    uint64_t bytes;      /* of their lines in batch files, at most */
    uint64_t longest;    /* line */
    uint64_t tokens;     /* of input, estimated */
    uint64_t max_output; /* sum of the ceilings of their answers */
    uint64_t open_ended; /* requests whose answer has no ceiling */
};

/** Money for it at list prices, nano-units of one currency. */
struct plan_price {
    bool known; /* false: the price of a model is not, or it is too much; nothing else counts */
    char currency[MONEY_CURRENCY_SIZE]; /* "" of nothing */
    int64_t input;                      /* in batches: what is asked */
    int64_t batch;                      /* in batches, with answers as long as they may be */
    int64_t realtime;                   /* the same without the Batch API */
    int64_t reserved; /* @batch with PLAN_MARGIN_PERCENT more input: what a budget sets aside */
};

/** Requests of one endpoint and model: a batch file holds no other. */
struct plan_lane {
    char *endpoint; /* owned */
    char *model;    /* owned */
    struct plan_count count;
    uint64_t max_requests, max_bytes; /* of a batch file; 0: no limit */

    uint64_t batches; /* at least so many */
    struct plan_price price;
};

/** One analysis of a recipe: its requests without an image [0] and with one [1]. */
struct plan_analysis {
    const char *name, *url, *models[2]; /* borrowed */
    struct plan_count count[2];
    uint64_t rows;     /* that are asked about */
    uint64_t skipped;  /* `when` does not hold */
    uint64_t problems; /* rows of its own that cannot be asked about */
    uint64_t packs;    /* requests with several rows */
    struct plan_spread spread;
    struct plan_price price;
};

/** What cannot be sent. */
struct plan_at {
    const char *file;     /* of a folder of texts, else NULL */
    uint64_t line;        /* from 1 */
    const char *analysis; /* NULL: all of the line */
};

/** A line or row that cannot be sent. */
struct plan_problem {
    struct plan_at at; /* its file is @file, its analysis is borrowed */
    const char *code;  /* static; NULL: none */
    char *file, *why;  /* owned */
};

struct plan {
    const char *input;  /* borrowed, as the rest that is const */
    const char *recipe; /* NULL: the input has requests */
    const struct provider_profile *profile;
    const struct provider_limits *limits; /* as they hold at the address that is used */
    uint64_t max_requests, max_bytes;     /* of a batch file, as the user says; 0: as the profile */
    const struct price_table *prices;

    uint64_t rows;     /* of a recipe's input */
    uint64_t bad_rows; /* of these: no JSON object, or too long */
    uint64_t invalid;  /* lines that are no requests, or rows and (row, analysis) that cannot be
                          asked about */
    struct plan_problem problems[PLAN_PROBLEMS_MAX]; /* the first of @invalid */
    size_t problem_count;

    struct plan_lane *lanes;
    size_t lane_count;
    struct plan_analysis *analyses;
    size_t analysis_count;

    char cap_currency[MONEY_CURRENCY_SIZE]; /* of --max-cost; "": none */
    int64_t cap;

    struct plan_count total; /* and what follows: by plan_finish() */
    uint64_t batches;
    struct plan_price price;
    const char *unpriced; /* a model without a price; NULL: all have one */
};

/** Free what it owns. */
void plan_release(struct plan *plan);

/** Add @more to @sum. */
void plan_count_add(struct plan_count *sum, const struct plan_count *more);

/** The lane of @endpoint and @model, new if need be. Lives until the next new one. */
struct plan_lane *plan_lane_for(struct plan *plan, const char *endpoint, const char *model);

/** Count a problem, and keep it while there is room. @file and @why are copied. */
void plan_problem_add(struct plan *plan, const struct plan_at *at, const char *code,
                      const char *why);

/** Batches, prices and sums. With analyses their requests are put into lanes first. */
void plan_finish(struct plan *plan);

/** Whether what it costs is surely below the cap, maybe, or surely not. */
enum plan_cap {
    PLAN_CAP_NONE,    /* there is none */
    PLAN_CAP_UNKNOWN, /* a price or the rate of exchange is not known: it would be refused */
    PLAN_CAP_ENOUGH,  /* also with the margin */
    PLAN_CAP_TIGHT,   /* the job may have to wait for a higher one */
    PLAN_CAP_TOO_LOW, /* what is asked alone costs more */
};

/** "none", "unknown", "enough", "tight", "too_low". */
const char *plan_cap_name(enum plan_cap cap);

/** Of a finished plan. */
enum plan_cap plan_cap(const struct plan *plan);

/** Number @i of the @PLAN_PROMPTS prompts that are shown, and its analysis; NULL: there are fewer.
 */
const struct plan_sample *plan_prompt(const struct plan *plan, size_t i, const char **analysis);

#endif
