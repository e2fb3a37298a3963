#ifndef ENRICH_ANSWER_FIELDS_H
#define ENRICH_ANSWER_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json/scan.h"

struct tally;

/*
 * What the answers of an analysis say: each answer taken apart into its scalars, counted by where
 * they stand. {"polarity": 3} counts 3 at "polarity"; ["体育", "财经"] counts both at "[]";
 * {"topics": [{"name": "体育"}]} counts at "topics[].name"; an empty list or object counts as [] or
 * {} where it stands.
 */

/** Different places that are counted; answers with more are not answers to one question. */
#define ANSWER_FIELDS_MAX 64

/** Room for a place's path and its NUL, and a word before it. */
#define ANSWER_FIELD_PATH_MAX 272

/** Deeper values are not looked at. */
#define ANSWER_FIELDS_DEPTH 8

/** Different values of one place that are counted by themselves. */
#define ANSWER_FIELD_VALUES 1000

/** One place. */
struct enrich_field {
    char *path;       /* "" for the answer itself */
    uint64_t values;  /* scalars that stood there */
    uint64_t numbers; /* of these */
    bool whole;       /* all of these numbers are integers */
    double min, max;  /* of these */
    double sum;       /* of these, each by 2^-64: no sum of so many is beyond a double */
    /* The key of a string is "s" and its text, that of any other value "v" and its JSON. */
    struct tally *tally;
};

/** Zero-initialise; answer_fields_release() frees. */
struct answer_fields {
    struct enrich_field *items; /* in the order in which they came */
    size_t count;
    bool more; /* some values are at places beyond the first ones, or too deep */
};

/** Of a field's numbers, at least one: finite, between the least and the greatest. */
double enrich_field_mean(const struct enrich_field *field);

/** Count one answer: one JSON value, valid. */
void answer_fields_add(struct answer_fields *fields, const struct slice *answer);

void answer_fields_release(struct answer_fields *fields);

#endif
