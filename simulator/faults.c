#include "simulator/faults.h"

#include <string.h>

#include "common/base/err.h"
#include "simulator/hash.h"
#include "simulator/quantity.h"

enum arg_kind {
    ARG_WHEN,     /* nothing, N, N@every, or a share with a point */
    ARG_ROWS,     /* a share of rows, ":always" may follow */
    ARG_DURATION, /* 5s */
    ARG_COUNT,    /* 3 */
    ARG_RATE,     /* 100kB, a second */
};

static const struct {
    const char *name;
    enum arg_kind arg;
} kinds[FAULT_ID_COUNT] = {
    [FAULT_LOST_CREATE] = {"lost-create",        ARG_WHEN    },
    [FAULT_CREATE_500] = {"create-500",         ARG_WHEN    },
    [FAULT_CREATE_500_REFUSED] = {"create-500-refused", ARG_WHEN    },
    [FAULT_LOST_UPLOAD] = {"lost-upload",        ARG_WHEN    },
    [FAULT_UPLOAD_500] = {"upload-500",         ARG_WHEN    },
    [FAULT_POLL_500] = {"poll-500",           ARG_WHEN    },
    [FAULT_HTML_502] = {"html-502",           ARG_WHEN    },
    [FAULT_RATE_429] = {"rate-429",           ARG_WHEN    },
    [FAULT_REJECT_KEY] = {"reject-key",         ARG_WHEN    },
    [FAULT_INSUFFICIENT_QUOTA] = {"insufficient-quota", ARG_WHEN    },
    [FAULT_TRUNCATE] = {"truncate",           ARG_WHEN    },
    [FAULT_SLOW_DOWNLOAD] = {"slow-download",      ARG_RATE    },
    [FAULT_NO_RANGE] = {"no-range",           ARG_WHEN    },
    [FAULT_POLL_404] = {"poll-404",           ARG_COUNT   },
    [FAULT_EMPTY_IDS] = {"empty-ids",          ARG_COUNT   },
    [FAULT_FILE_LAG] = {"file-lag",           ARG_DURATION},
    [FAULT_LIST_LAG] = {"list-lag",           ARG_DURATION},
    [FAULT_BATCH_FAILED] = {"batch-failed",       ARG_WHEN    },
    [FAULT_BATCH_EXPIRED] = {"batch-expired",      ARG_WHEN    },
    [FAULT_ONLY_ERROR_FILE] = {"only-error-file",    ARG_WHEN    },
    [FAULT_ROWS_FAILED] = {"rows-failed",        ARG_ROWS    },
    [FAULT_ROWS_500] = {"rows-500",           ARG_ROWS    },
    [FAULT_ROWS_MISSING] = {"rows-missing",       ARG_ROWS    },
    [FAULT_ROWS_DUPLICATED] = {"rows-duplicated",    ARG_ROWS    },
    [FAULT_ROWS_EXPIRED] = {"rows-expired",       ARG_ROWS    },
    [FAULT_ROWS_ALIEN] = {"rows-alien",         ARG_ROWS    },
};

static bool parse_when(const char *arg, struct fault *out)
{
    static const char every[] = "@every";
    char number[24];
    const char *at = strchr(arg, '@');
    size_t n = at != NULL ? (size_t)(at - arg) : strlen(arg);

    if (arg[0] == '\0') {
        out->when = WHEN_ALWAYS;
        return true;
    }
    if (strchr(arg, '.') != NULL) {
        out->when = WHEN_SHARE;
        return quantity_share(arg, &out->share);
    }
    if (n >= sizeof(number) || (at != NULL && strcmp(at, every) != 0))
        return false;
    memcpy(number, arg, n);
    number[n] = '\0';
    out->when = at != NULL ? WHEN_EVERY : WHEN_NTH;
    return quantity_count(number, &out->number) && out->number > 0;
}

static bool parse_rows(const char *arg, struct fault *out)
{
    char share[32];
    const char *colon = strchr(arg, ':');
    size_t n = colon != NULL ? (size_t)(colon - arg) : strlen(arg);

    if (n >= sizeof(share) || (colon != NULL && strcmp(colon, ":always") != 0))
        return false;
    memcpy(share, arg, n);
    share[n] = '\0';
    out->always = colon != NULL;
    out->when = WHEN_SHARE;
    return quantity_share(share, &out->share);
}

static bool parse_duration(const char *arg, struct fault *out)
{
    int64_t ms;

    if (!quantity_duration(arg, &ms))
        return false;
    out->number = (uint64_t)ms;
    return true;
}

static bool parse_arg(enum arg_kind kind, const char *arg, struct fault *out)
{
    switch (kind) {
    case ARG_WHEN: return parse_when(arg, out);
    case ARG_ROWS: return parse_rows(arg, out);
    case ARG_DURATION: return parse_duration(arg, out);
    case ARG_COUNT: return quantity_count(arg, &out->number);
    case ARG_RATE: return quantity_size(arg, &out->number) && out->number > 0;
    }
    return false;
}

static bool find_kind(const char *name, size_t len, enum fault_id *id)
{
    for (enum fault_id i = 0; i < FAULT_ID_COUNT; i++) {
        if (strlen(kinds[i].name) == len && memcmp(kinds[i].name, name, len) == 0) {
            *id = i;
            return true;
        }
    }
    return false;
}

bool faults_arm(struct faults *f, const char *spec, struct err *err)
{
    size_t len = strcspn(spec, "=");
    const char *arg = spec[len] == '=' ? spec + len + 1 : "";
    struct fault fault = {.armed = true};
    enum fault_id id;

    if (strcmp(spec, "clear") == 0) {
        memset(f->of, 0, sizeof(f->of));
        return true;
    }
    if (!find_kind(spec, len, &id))
        return err_set(err, ERR_USAGE, "no fault is called '%.*s'", (int)(len < 100 ? len : 100),
                       spec);
    if (strcmp(arg, "off") == 0) {
        f->of[id] = (struct fault){0};
        return true;
    }
    if (!parse_arg(kinds[id].arg, arg, &fault))
        return err_set(err, ERR_USAGE, "fault %s: cannot use the argument '%.100s'", kinds[id].name,
                       arg);
    f->of[id] = fault;
    return true;
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

bool faults_strike(struct faults *f, enum fault_id id)
{
    struct fault *fault = &f->of[id];

    if (!fault->armed)
        return false;
    fault->seen++;
    switch (fault->when) {
    case WHEN_ALWAYS: return true;
    case WHEN_NTH: return fault->seen == fault->number;
    case WHEN_EVERY: return fault->seen % fault->number == 0;
    case WHEN_SHARE: return hash_unit(hash_mix(hash_mix(f->seed, id), fault->seen)) < fault->share;
    }
    return false;
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
    uint64_t try = fault->always ? 0 : failures;
    return hash_unit(hash_mix(hash_mix(f->seed, id), hash_mix(body, try))) < fault->share;
}
