#include "simulator/faults.h"

#include <string.h>

#include "common/base/err.h"
#include "simulator/fault_spec.h"
#include "simulator/hash.h"

static void disarm(struct faults *f, uint8_t row)
{
    size_t kept = 0;

    for (size_t i = 0; i < FAULT_ID_COUNT; i++) {
        if (f->of[i].armed && f->of[i].name == row)
            f->of[i] = (struct fault){0};
    }
    for (size_t i = 0; i < f->routed_count; i++) {
        if (f->routed[i].name != row)
            f->routed[kept++] = f->routed[i];
    }
    f->routed_count = kept;
}

static bool place(struct faults *f, const struct fault *fault, struct err *err)
{
    if (fault->id >= FAULT_ROUTED_COUNT) {
        f->of[fault->id] = *fault;
        return true;
    }
    for (size_t i = 0; i < f->routed_count; i++) {
        const struct fault *old = &f->routed[i];

        if (old->name == fault->name && old->length == fault->length &&
            memcmp(old->spec, fault->spec, fault->length) == 0) {
            f->routed[i] = *fault;
            return true;
        }
    }
    if (f->routed_count == FAULTS_ROUTED_MAX)
        return err_set(err, ERR_USAGE, "more than %d faults around requests", FAULTS_ROUTED_MAX);
    f->routed[f->routed_count++] = *fault;
    return true;
}

bool faults_arm(struct faults *f, const char *spec, struct err *err)
{
    struct fault fault;
    uint8_t row;
    size_t len;

    if (strcmp(spec, "clear") == 0) {
        *f = (struct faults){.seed = f->seed};
        return true;
    }
    if (!fault_spec_name(spec, &row, &len, err))
        return false;
    if (strcmp(spec + len, "=off") == 0) {
        disarm(f, row);
        return true;
    }
    return fault_spec_read(spec, &fault, err) && place(f, &fault, err);
}

bool faults_arm_lines(struct faults *f, char *text, struct err *err)
{
    char *rest = NULL;

    for (char *spec = strtok_r(text, "\r\n", &rest); spec != NULL;
         spec = strtok_r(NULL, "\r\n", &rest)) {
        if (spec[strspn(spec, " \t")] != '\0' && !faults_arm(f, spec, err))
            return false;
    }
    return true;
}

static bool strike(uint64_t seed, struct fault *fault)
{
    fault->seen++;
    switch (fault->when) {
    case WHEN_ALWAYS: return true;
    case WHEN_SPAN: return fault->seen >= fault->from && fault->seen <= fault->to;
    case WHEN_EVERY: return fault->seen % fault->from == 0;
    case WHEN_SHARE:
        seed = hash_mix(seed, hash_fnv(fault->spec, fault->length));
        return hash_unit(hash_mix(seed, fault->seen)) < fault->share;
    }
    return false;
}

bool faults_strike(struct faults *f, enum fault_id id)
{
    return f->of[id].armed && strike(f->seed, &f->of[id]);
}

size_t faults_meet(struct faults *f, const struct fault_occasion *o,
                   struct fault out[FAULTS_ROUTED_MAX])
{
    size_t struck = 0;

    for (size_t i = 0; i < f->routed_count; i++) {
        struct fault *fault = &f->routed[i];

        if (fault->at != o->at || (fault->route != ROUTE_ANY && fault->route != o->route) ||
            (fault_text(fault, KEY_REUSED) != NULL && !o->reused))
            continue;
        if (strike(f->seed, fault))
            out[struck++] = *fault;
    }
    return struck;
}

uint64_t faults_number(const struct faults *f, enum fault_id id)
{
    return f->of[id].armed ? f->of[id].number : 0;
}

bool faults_strike_row(const struct faults *f, enum fault_id id, uint64_t body, uint32_t failures)
{
    const struct fault *fault = &f->of[id];

    if (!fault->armed)
        return false;
    if (fault_text(fault, KEY_ONCE) != NULL && failures > 0)
        return false;
    uint64_t try = fault_text(fault, KEY_ALWAYS) != NULL ? 0 : failures;
    return hash_unit(hash_mix(hash_mix(f->seed, id), hash_mix(body, try))) < fault->share;
}
