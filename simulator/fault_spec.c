#include "simulator/fault_spec.h"

#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "simulator/quantity.h"

enum arg_kind {
    ARG_WHEN,     /* nothing, N, N-M, N@every, or a share with a point */
    ARG_ROWS,     /* a share of rows */
    ARG_DURATION, /* 5s */
    ARG_COUNT,    /* 3 */
    ARG_RATE,     /* 100kB, a second */
    ARG_SIGNED,   /* -3 */
    ARG_STATUS,   /* 200 to 599 */
    ARG_MEMBER,   /* a.b */
    ARG_CHOICE,   /* one of some words */
    ARG_STATE,    /* the same, and the word chooses the fault_id */
};

#define WORDS_MAX 7

static const char *const drop_words[WORDS_MAX] = {"close", "reset", "silent", "half"};
static const char *const body_words[WORDS_MAX] = {"json", "flat", "html", "text", "empty", "half"};
static const char *const cut_words[WORDS_MAX] = {"length", "chunked", "close", "stall"};
static const char *const range_words[WORDS_MAX] = {"200", "416", "shifted"};
static const char *const etag_words[WORDS_MAX] = {"steady", "weak", "changing"};
static const char *const redirect_words[WORDS_MAX] = {"same", "https"};
static const char *const state_words[WORDS_MAX] = {"validating", "in_progress", "finalizing",
                                                   "cancelling"};
static const char *const stage_words[WORDS_MAX] = {"head", "before", "after"};
static const char *const route_words[ROUTE_COUNT] = {
    "any",     "uploads", "file-lists", "file-gets", "file-deletes", "downloads",
    "creates", "lists",   "polls",      "cancels",   "models"};

#define BIT(key) (1U << (key))
#define STRUCK   BIT(KEY_WHEN)
#define REQUESTS (STRUCK | BIT(KEY_ROUTE) | BIT(KEY_REUSED))
#define ROWS     (BIT(KEY_ALWAYS) | BIT(KEY_ONCE))
#define BAD_ROWS (ROWS | BIT(KEY_IN_OUTPUT))
#define STATUS_KEYS                                                                  \
    (REQUESTS | BIT(KEY_AT) | BIT(KEY_CODE) | BIT(KEY_MESSAGE) | BIT(KEY_BODY) |     \
     BIT(KEY_RETRY_AFTER) | BIT(KEY_RETRY_AFTER_MS) | BIT(KEY_RETRY_AFTER_SECONDS) | \
     BIT(KEY_SHOULD_RETRY))

#define PLAIN(name, id, arg, keys)               \
    {                                            \
        name, FAULT_##id, arg, keys, NULL, NULL, \
    }
#define WORDS(name, id, arg, keys, words)         \
    {                                             \
        name, FAULT_##id, arg, keys, words, NULL, \
    }
#define ALIAS(name, id, text)                     \
    {                                             \
        name, FAULT_##id, ARG_WHEN, 0, NULL, text \
    }

static const struct {
    const char *name;
    enum fault_id id;
    enum arg_kind arg;
    unsigned keys;            /* the keys it takes */
    const char *const *words; /* ARG_CHOICE, ARG_STATE */
    const char *alias; /* what it stands for, and takes the keys of; its argument is a WHEN */
} names[] = {
    PLAIN("status", STATUS, ARG_STATUS, STATUS_KEYS),
    WORDS("drop", DROP, ARG_CHOICE, REQUESTS | BIT(KEY_AT), drop_words),
    PLAIN("delay", DELAY, ARG_DURATION, REQUESTS | BIT(KEY_AT)),
    PLAIN("set", SET, ARG_MEMBER, REQUESTS | BIT(KEY_TO)),
    PLAIN("omit", OMIT, ARG_MEMBER, REQUESTS),
    PLAIN("rate-headers", RATE_HEADERS, ARG_DURATION, REQUESTS),
    ALIAS("html-502", STATUS, "status=502:body=html"),
    ALIAS("rate-429", STATUS, "status=429:retry-after=1"),
    ALIAS("reject-key", STATUS, "status=401:code=invalid_api_key"),
    ALIAS("lost-upload", DROP, "drop=close:route=uploads:at=after"),
    ALIAS("upload-500", STATUS, "status=500:route=uploads"),
    PLAIN("slow-upload", SLOW_UPLOAD, ARG_RATE, 0),
    PLAIN("expect-ignored", EXPECT_IGNORED, ARG_WHEN, STRUCK),
    PLAIN("file-lag", FILE_LAG, ARG_DURATION, 0),
    PLAIN("file-get-lag", FILE_GET_LAG, ARG_DURATION, 0),
    PLAIN("file-list-lag", FILE_LIST_LAG, ARG_DURATION, 0),
    PLAIN("file-pending", FILE_PENDING, ARG_DURATION, 0),
    PLAIN("file-error", FILE_ERROR, ARG_WHEN, STRUCK),
    ALIAS("lost-create", DROP, "drop=close:route=creates:at=after"),
    ALIAS("create-500", STATUS, "status=500:route=creates:at=after"),
    ALIAS("create-500-refused", STATUS, "status=500:route=creates"),
    ALIAS("insufficient-quota", STATUS, "status=429:code=insufficient_quota:route=creates"),
    PLAIN("late-create", LATE_CREATE, ARG_DURATION, STRUCK),
    PLAIN("batch-get-lag", BATCH_GET_LAG, ARG_DURATION, 0),
    PLAIN("list-lag", LIST_LAG, ARG_DURATION, 0),
    ALIAS("poll-500", STATUS, "status=500:route=polls"),
    PLAIN("poll-404", POLL_404, ARG_COUNT, 0),
    PLAIN("stale", STALE, ARG_WHEN, STRUCK),
    PLAIN("empty-ids", EMPTY_IDS, ARG_COUNT, 0),
    WORDS("stuck", STUCK_VALIDATING, ARG_STATE, STRUCK, state_words),
    PLAIN("batch-failed", BATCH_FAILED, ARG_WHEN,
          STRUCK | BIT(KEY_CODE) | BIT(KEY_MESSAGE) | BIT(KEY_LINE)),
    PLAIN("batch-expired", BATCH_EXPIRED, ARG_WHEN, STRUCK | BIT(KEY_DONE)),
    PLAIN("batch-cancelled", BATCH_CANCELLED, ARG_WHEN, STRUCK | BIT(KEY_DONE)),
    PLAIN("cancel-loses", CANCEL_LOSES, ARG_WHEN, STRUCK),
    PLAIN("only-error-file", ONLY_ERROR_FILE, ARG_WHEN, STRUCK),
    PLAIN("no-files", NO_FILES, ARG_WHEN, STRUCK),
    PLAIN("empty-files", EMPTY_FILES, ARG_WHEN, STRUCK),
    PLAIN("empty-error-file", EMPTY_ERROR_FILE, ARG_WHEN, STRUCK),
    PLAIN("rows-failed", ROWS_FAILED, ARG_ROWS, BAD_ROWS),
    PLAIN("rows-500", ROWS_500, ARG_ROWS, BAD_ROWS),
    PLAIN("rows-429", ROWS_429, ARG_ROWS, BAD_ROWS),
    PLAIN("rows-0", ROWS_0, ARG_ROWS, BAD_ROWS),
    PLAIN("rows-policy", ROWS_POLICY, ARG_ROWS, BAD_ROWS),
    PLAIN("rows-timeout", ROWS_TIMEOUT, ARG_ROWS, BAD_ROWS),
    PLAIN("rows-expired", ROWS_EXPIRED, ARG_ROWS, ROWS),
    PLAIN("rows-cancelled", ROWS_CANCELLED, ARG_ROWS, ROWS),
    PLAIN("rows-missing", ROWS_MISSING, ARG_ROWS, ROWS),
    PLAIN("rows-duplicated", ROWS_DUPLICATED, ARG_ROWS, ROWS),
    PLAIN("rows-alien", ROWS_ALIEN, ARG_ROWS, ROWS),
    PLAIN("rows-torn", ROWS_TORN, ARG_ROWS, ROWS),
    PLAIN("rows-glued", ROWS_GLUED, ARG_ROWS, ROWS),
    PLAIN("rows-string", ROWS_STRING, ARG_ROWS, ROWS),
    PLAIN("rows-big", ROWS_BIG, ARG_ROWS, ROWS),
    PLAIN("crlf", CRLF, ARG_WHEN, STRUCK),
    PLAIN("bom", BOM, ARG_WHEN, STRUCK),
    PLAIN("blank-lines", BLANK_LINES, ARG_WHEN, STRUCK),
    PLAIN("no-final-newline", NO_FINAL_NEWLINE, ARG_WHEN, STRUCK),
    WORDS("cut", CUT, ARG_CHOICE, STRUCK | BIT(KEY_BYTE), cut_words),
    ALIAS("truncate", CUT, "cut=length"),
    PLAIN("wrong-length", WRONG_LENGTH, ARG_SIGNED, STRUCK),
    PLAIN("slow-download", SLOW_DOWNLOAD, ARG_RATE, 0),
    WORDS("range", RANGE, ARG_CHOICE, STRUCK, range_words),
    ALIAS("no-range", RANGE, "range=200"),
    WORDS("etag", ETAG, ARG_CHOICE, STRUCK, etag_words),
    PLAIN("gzip", GZIP, ARG_WHEN, STRUCK),
    PLAIN("redirect", REDIRECT, ARG_COUNT, STRUCK | BIT(KEY_STATUS) | BIT(KEY_TO)),
    PLAIN("content-lag", CONTENT_LAG, ARG_DURATION, 0),
    PLAIN("output-gone", OUTPUT_GONE, ARG_WHEN, STRUCK),
    PLAIN("reorder", REORDER, ARG_WHEN, STRUCK),
    PLAIN("rows-prose", ROWS_PROSE, ARG_ROWS, ROWS),
    PLAIN("rows-wrapped", ROWS_WRAPPED, ARG_ROWS, ROWS),
    PLAIN("rows-fenced", ROWS_FENCED, ARG_ROWS, ROWS),
    PLAIN("rows-loose", ROWS_LOOSE, ARG_ROWS, ROWS),
    PLAIN("rows-cut-off", ROWS_CUT_OFF, ARG_ROWS, ROWS),
    PLAIN("rows-wrong-word", ROWS_WRONG_WORD, ARG_ROWS, ROWS),
    PLAIN("rows-extra-key", ROWS_EXTRA_KEY, ARG_ROWS, ROWS),
    PLAIN("rows-forgotten", ROWS_FORGOTTEN, ARG_ROWS, ROWS),
};

_Static_assert(ARRAY_LEN(names) < UINT8_MAX, "fault.name is a byte");

enum value_kind {
    VALUE_NONE, /* the key stands alone */
    VALUE_TEXT,
    VALUE_REST, /* where JSON is wanted, all that follows, colons included */
    VALUE_COUNT,
    VALUE_SHARE,
    VALUE_STATUS,
    VALUE_BODY,
    VALUE_WHEN,
    VALUE_ROUTE,
    VALUE_STAGE,
};

static const struct {
    const char *name;
    enum value_kind value;
} keys[KEY_COUNT] = {
    [KEY_WHEN] = {"when",                VALUE_WHEN  },
    [KEY_ROUTE] = {"route",               VALUE_ROUTE },
    [KEY_AT] = {"at",                  VALUE_STAGE },
    [KEY_REUSED] = {"reused",              VALUE_NONE  },
    [KEY_ALWAYS] = {"always",              VALUE_NONE  },
    [KEY_ONCE] = {"once",                VALUE_NONE  },
    [KEY_IN_OUTPUT] = {"in-output",           VALUE_NONE  },
    [KEY_STATUS] = {"status",              VALUE_STATUS},
    [KEY_CODE] = {"code",                VALUE_TEXT  },
    [KEY_MESSAGE] = {"message",             VALUE_TEXT  },
    [KEY_BODY] = {"body",                VALUE_BODY  },
    [KEY_RETRY_AFTER] = {"retry-after",         VALUE_TEXT  },
    [KEY_RETRY_AFTER_MS] = {"retry-after-ms",      VALUE_TEXT  },
    [KEY_RETRY_AFTER_SECONDS] = {"retry-after-seconds", VALUE_COUNT },
    [KEY_SHOULD_RETRY] = {"should-retry",        VALUE_TEXT  },
    [KEY_TO] = {"to",                  VALUE_REST  },
    [KEY_BYTE] = {"byte",                VALUE_COUNT },
    [KEY_LINE] = {"line",                VALUE_COUNT },
    [KEY_DONE] = {"done",                VALUE_SHARE },
};

/* Copy @n bytes of @text as a string of its own and read a positive number from it. */
static bool positive(const char *text, size_t n, uint64_t *out)
{
    char digits[24];

    if (n >= sizeof(digits))
        return false;
    memcpy(digits, text, n);
    digits[n] = '\0';
    return quantity_count(digits, out) && *out > 0;
}

static bool parse_when(const char *arg, struct fault *out)
{
    size_t n = strcspn(arg, "@-");

    out->when = WHEN_SPAN;
    if (arg[0] == '\0') {
        out->when = WHEN_ALWAYS;
        return true;
    }
    if (strchr(arg, '.') != NULL) {
        out->when = WHEN_SHARE;
        return quantity_share(arg, &out->share);
    }
    if (!positive(arg, n, &out->from))
        return false;
    out->to = out->from;
    if (arg[n] == '-')
        return positive(arg + n + 1, strlen(arg + n + 1), &out->to) && out->to >= out->from;
    if (arg[n] == '@')
        out->when = WHEN_EVERY;
    return arg[n] == '\0' || strcmp(arg + n, "@every") == 0;
}

static bool parse_duration(const char *arg, uint64_t *out)
{
    int64_t ms;

    if (!quantity_duration(arg, &ms))
        return false;
    *out = (uint64_t)ms;
    return true;
}

static bool parse_signed(const char *arg, int64_t *out)
{
    bool minus = arg[0] == '-';
    uint64_t n;

    if (!positive(arg + minus, strlen(arg + minus), &n))
        return false;
    *out = minus ? -(int64_t)n : (int64_t)n;
    return true;
}

static bool parse_status(const char *arg, uint64_t *out)
{
    return quantity_count(arg, out) && *out >= 200 && *out <= 599;
}

/* Which of the words @arg is. */
static bool parse_word(const char *const *words, size_t max, const char *arg, unsigned *out)
{
    for (unsigned i = 0; i < max && words[i] != NULL; i++) {
        if (strcmp(words[i], arg) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool parse_arg(size_t row, const char *arg, struct fault *out)
{
    switch (names[row].arg) {
    case ARG_WHEN: return parse_when(arg, out);
    case ARG_ROWS: out->when = WHEN_SHARE; return quantity_share(arg, &out->share);
    case ARG_DURATION: return parse_duration(arg, &out->number);
    case ARG_COUNT: return quantity_count(arg, &out->number);
    case ARG_RATE: return quantity_size(arg, &out->number) && out->number > 0;
    case ARG_SIGNED: return parse_signed(arg, &out->by);
    case ARG_STATUS: return parse_status(arg, &out->number);
    case ARG_MEMBER: return arg[0] != '\0';
    case ARG_CHOICE: return parse_word(names[row].words, WORDS_MAX, arg, &out->choice);
    case ARG_STATE:
        if (!parse_word(names[row].words, WORDS_MAX, arg, &out->choice))
            return false;
        out->id = (enum fault_id)(out->id + out->choice);
        return true;
    }
    return false;
}

/* A stage that @fault can't act at is refused: a delay has only "before" to choose. */
static bool parse_stage(const char *value, struct fault *fault)
{
    unsigned word;

    if (!parse_word(stage_words, WORDS_MAX, value, &word))
        return false;
    fault->at = (enum fault_stage)word;
    return fault->id != FAULT_DELAY || fault->at == STAGE_BEFORE;
}

static bool parse_value(enum fault_key key, const char *value, struct fault *fault)
{
    uint64_t number;
    unsigned word;
    double share;

    switch (keys[key].value) {
    case VALUE_NONE: return value[0] == '\0';
    case VALUE_TEXT:
    case VALUE_REST: return value[0] != '\0';
    case VALUE_COUNT: return quantity_count(value, &number);
    case VALUE_SHARE: return quantity_share(value, &share);
    case VALUE_STATUS: return parse_status(value, &number);
    case VALUE_BODY: return parse_word(body_words, WORDS_MAX, value, &word);
    case VALUE_WHEN: return value[0] != '\0' && parse_when(value, fault);
    case VALUE_STAGE: return parse_stage(value, fault);
    case VALUE_ROUTE:
        if (!parse_word(route_words, ROUTE_COUNT, value, &word))
            return false;
        fault->route = (enum fault_route)word;
        return true;
    }
    return false;
}

/* What two keys together must fulfil. */
static bool is_whole(const struct fault *fault)
{
    const char *to = fault_text(fault, KEY_TO);
    unsigned word;

    if (fault->id == FAULT_SET)
        return to != NULL;
    if (fault->id == FAULT_REDIRECT)
        return fault->number > 0 &&
               (to == NULL || parse_word(redirect_words, WORDS_MAX, to, &word));
    return true;
}

static bool find_key(const char *name, size_t len, unsigned allowed, enum fault_key *out)
{
    for (enum fault_key key = 0; key < KEY_COUNT; key++) {
        if ((allowed & BIT(key)) != 0 && strlen(keys[key].name) == len &&
            memcmp(keys[key].name, name, len) == 0) {
            *out = key;
            return true;
        }
    }
    return false;
}

/* Cut the part at @at off, read it, and step to the next; false when it is no good. */
static bool take_key(struct fault *fault, size_t row, char **at, struct err *err)
{
    char *part = *at;
    size_t len = strcspn(part, "=:");
    bool has_value = part[len] == '=';
    enum fault_key key;

    if (!find_key(part, len, names[row].keys, &key))
        return err_set(err, ERR_USAGE, "fault %s: does not take '%.*s'", names[row].name,
                       (int)(len < 100 ? len : 100), part);
    char *value = part + len + has_value;
    bool rest = keys[key].value == VALUE_REST && fault->id == FAULT_SET;
    char *end = value + (rest ? strlen(value) : strcspn(value, ":"));
    *at = *end == '\0' ? end : end + 1;
    *end = '\0';
    fault->keys[key] = (uint8_t)(value - fault->spec);
    if (!parse_value(key, value, fault) || has_value != (keys[key].value != VALUE_NONE))
        return err_set(err, ERR_USAGE, "fault %s: cannot use '%.100s' as its '%s'", names[row].name,
                       value, keys[key].name);
    return true;
}

static bool find_name(const char *spec, size_t *row, struct err *err)
{
    size_t len = strcspn(spec, "=:");

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strlen(names[i].name) == len && memcmp(names[i].name, spec, len) == 0) {
            *row = i;
            return true;
        }
    }
    return err_set(err, ERR_USAGE, "no fault is called '%.*s'", (int)(len < 100 ? len : 100), spec);
}

static enum fault_stage stage_of(enum fault_id id)
{
    if (id == FAULT_SET || id == FAULT_OMIT)
        return STAGE_AFTER;
    return id == FAULT_DELAY || id == FAULT_RATE_HEADERS ? STAGE_ANSWER : STAGE_BEFORE;
}

/* Read fault->spec, which names a fault that is no alias. */
static bool parse(struct fault *fault, struct err *err)
{
    size_t row;

    if (!find_name(fault->spec, &row, err))
        return false;
    if (fault->spec[fault->length - 1] == ':')
        return err_set(err, ERR_USAGE, "fault %s: a key is missing at the end", names[row].name);
    fault->name = (uint8_t)row;
    fault->id = names[row].id;
    fault->at = stage_of(fault->id);
    char *arg = fault->spec + strcspn(fault->spec, "=:");
    char *at = arg + strcspn(arg, ":");
    bool more = *at == ':';
    *at = '\0';
    at += more;
    const char *value = arg + (*arg == '=');
    if (!parse_arg(row, value, fault))
        return err_set(err, ERR_USAGE, "fault %s: cannot use the argument '%.100s'",
                       names[row].name, value);
    *arg = '\0';
    fault->arg = (uint8_t)(value - fault->spec);
    while (more && at < fault->spec + fault->length) {
        if (!take_key(fault, row, &at, err))
            return false;
    }
    return is_whole(fault) ||
           err_set(err, ERR_USAGE, "fault %s: 'to' is not what it needs", names[row].name);
}

/* fault->spec with the alias of @row replaced by what it stands for. */
static bool expand(struct fault *fault, size_t row, const char *spec, struct err *err)
{
    size_t len = strlen(names[row].name);
    const char *rest = spec + len;
    const char *when = rest[0] == '=' && rest[1] != '\0' && rest[1] != ':' ? ":when" : "";
    const char *alias = names[row].alias;
    int n;

    if (alias == NULL)
        n = snprintf(fault->spec, sizeof(fault->spec), "%s", spec);
    else
        n = snprintf(fault->spec, sizeof(fault->spec), "%s%s%s", alias, when,
                     rest + (rest[0] == '=' && when[0] == '\0'));
    if (n < 0 || (size_t)n >= sizeof(fault->spec))
        return err_set(err, ERR_USAGE, "fault %s: longer than %zu bytes", names[row].name,
                       sizeof(fault->spec) - 1);
    fault->length = (uint8_t)n;
    return true;
}

bool fault_spec_name(const char *spec, uint8_t *row, size_t *len, struct err *err)
{
    size_t found;

    if (!find_name(spec, &found, err))
        return false;
    *row = (uint8_t)found;
    *len = strlen(names[found].name);
    return true;
}

bool fault_spec_read(const char *spec, struct fault *out, struct err *err)
{
    struct fault fault = {.armed = true};
    size_t row;

    if (!find_name(spec, &row, err) || !expand(&fault, row, spec, err) || !parse(&fault, err))
        return false;
    fault.name = (uint8_t)row;
    *out = fault;
    return true;
}

const char *fault_text(const struct fault *fault, enum fault_key key)
{
    return fault->keys[key] != 0 ? fault->spec + fault->keys[key] : NULL;
}

uint64_t fault_count(const struct fault *fault, enum fault_key key, uint64_t preset)
{
    const char *text = fault_text(fault, key);
    uint64_t number;

    return text != NULL && quantity_count(text, &number) ? number : preset;
}

const char *fault_arg(const struct fault *fault)
{
    return fault->spec + fault->arg;
}
