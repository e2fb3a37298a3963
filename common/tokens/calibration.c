#include "common/tokens/calibration.h"

#include <limits.h>
#include <stdbool.h>

/* Sums stay below this, so that a thousand times one of them fits. */
#define SUM_MAX (UINT64_MAX / 2000)

static void add(uint64_t *sum, uint64_t more)
{
    *sum = more > SUM_MAX - *sum ? SUM_MAX : *sum + more;
}

void calibration_note(struct calibration *c, uint64_t estimated, uint64_t actual)
{
    add(&c->estimated, estimated);
    add(&c->actual, actual);
    while (c->estimated > CALIBRATION_WINDOW) {
        c->estimated /= 2;
        c->actual /= 2;
    }
}

unsigned calibration_permille(const struct calibration *c)
{
    if (c->estimated < CALIBRATION_MIN)
        return 1000;
    uint64_t permille = (c->actual * 1000 + c->estimated / 2) / c->estimated;
    if (permille < CALIBRATION_PERMILLE_LOW)
        return CALIBRATION_PERMILLE_LOW;
    return permille > CALIBRATION_PERMILLE_HIGH ? CALIBRATION_PERMILLE_HIGH : (unsigned)permille;
}

uint64_t calibration_apply(const struct calibration *c, uint64_t tokens)
{
    uint64_t permille = calibration_permille(c);

    if (tokens > (UINT64_MAX - 999) / permille)
        return UINT64_MAX;
    return (tokens * permille + 999) / 1000;
}

int calibration_error_permille(const struct calibration *c)
{
    bool high = c->estimated > c->actual;
    uint64_t off = high ? c->estimated - c->actual : c->actual - c->estimated;

    if (c->actual == 0)
        return 0;
    uint64_t permille = off * 1000 / c->actual;
    int error = permille > INT_MAX ? INT_MAX : (int)permille;
    return high ? error : -error;
}
