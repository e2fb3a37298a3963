#ifndef TOKENS_CALIBRATION_H
#define TOKENS_CALIBRATION_H

#include <stdint.h>

/*
 * Estimates are put right by what the provider says that requests took. Whole numbers in
 * thousandths, so that any language comes to the same result.
 */

/** Sums over requests of one kind (one model, one analysis). {0}: nothing is known. */
struct calibration {
    uint64_t estimated, actual;
};

/** Past this many estimated tokens both sums are halved, so that old answers weigh ever less. */
#define CALIBRATION_WINDOW UINT64_C(16000000)

/** With fewer estimated tokens nothing is put right yet. */
#define CALIBRATION_MIN UINT64_C(1000)

/** What came back is not believed beyond these shares of the estimate: a quarter and four times. */
#define CALIBRATION_PERMILLE_LOW  250
#define CALIBRATION_PERMILLE_HIGH 4000

/** Requests that were estimated at @estimated tokens, as tokens.h does, took @actual. */
void calibration_note(struct calibration *c, uint64_t estimated, uint64_t actual);

/**
 * What to multiply an estimate by, in thousandths: actual * 1000 / estimated, rounded half up,
 * kept within the bounds above; 1000 when too little is known.
 */
unsigned calibration_permille(const struct calibration *c);

/** @tokens put right: times calibration_permille(), divided by 1000, rounded up. */
uint64_t calibration_apply(const struct calibration *c, uint64_t tokens);

/**
 * How far the estimates were off, in thousandths of the actual number, rounded to zero: 50 when
 * they were 5 % too high, negative when too low; 0 when nothing came back yet.
 */
int calibration_error_permille(const struct calibration *c);

#endif
