#include "simulator/filter.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "simulator/batches.h"

/* Whether @word (@len bytes) is one of the words in @list, which has commas between. */
static bool list_has(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = list;; p += strspn(p, ",")) {
        size_t n = strcspn(p, ",");

        if (n == len && strncasecmp(p, word, n) == 0)
            return true;
        p += n;
        if (*p == '\0')
            return false;
    }
}

static const char *group_of(enum batch_status status)
{
    switch (status) {
    case BATCH_VALIDATING:
    case BATCH_FINALIZING: return batch_status_name(BATCH_IN_PROGRESS);
    case BATCH_CANCELLING: return batch_status_name(BATCH_CANCELLED);
    case BATCH_FAILED:
    case BATCH_IN_PROGRESS:
    case BATCH_COMPLETED:
    case BATCH_EXPIRED:
    case BATCH_CANCELLED: break;
    }
    return batch_status_name(status);
}

static bool status_fits(const struct filter *f, const struct sim_batch *batch)
{
    const char *word =
        f->status_groups ? group_of(batch->status) : batch_status_name(batch->status);

    return f->status == NULL || list_has(f->status, word);
}

static bool name_fits(const struct filter *f, const struct sim_batch *batch)
{
    struct json_object *value = NULL;

    if (f->name == NULL)
        return true;
    if (batch->metadata == NULL)
        return false;
    struct json_object *metadata = json_tokener_parse(batch->metadata);
    bool fits = json_object_object_get_ex(metadata, "ds_name", &value) &&
                strstr(json_object_get_string(value), f->name) != NULL;
    json_object_put(metadata);
    return fits;
}

static bool search_fits(const struct filter *f, const struct sim_batch *batch, const char *input)
{
    return f->search == NULL || strcasestr(batch->id, f->search) != NULL ||
           (batch->metadata != NULL && strcasestr(batch->metadata, f->search) != NULL) ||
           (input != NULL && strcasestr(input, f->search) != NULL);
}

static bool time_fits(const struct filter *f, const struct sim_batch *batch)
{
    return (f->after_ms == 0 || batch->created > f->after_ms) &&
           (f->before_ms == 0 || batch->created < f->before_ms);
}

static bool id_fits(const struct filter *f, const struct sim_batch *batch)
{
    for (size_t i = 0; i < f->id_count; i++) {
        if (strcmp(f->ids[i], batch->id) == 0)
            return true;
    }
    return f->id_count == 0;
}

bool filter_matches(const struct filter *f, const struct sim_batch *batch, const char *input_name)
{
    return status_fits(f, batch) && id_fits(f, batch) && time_fits(f, batch) &&
           (f->inputs == NULL || list_has(f->inputs, batch->input_file_id)) &&
           name_fits(f, batch) && search_fits(f, batch, input_name);
}

/* One comparison; times are those of the beginning of a second. */
static bool read_comparison(struct filter *f, const char *field, const char *op, const char *value,
                            char *scratch, size_t size)
{
    size_t n = strlen(value);
    char *end;

    if (strcmp(field, "status") == 0 && strcmp(op, "eq") == 0) {
        if (n < 3 || value[0] != '\'' || value[n - 1] != '\'' || n - 1 > size)
            return false;
        (void)snprintf(scratch, size, "%.*s", (int)(n - 2), value + 1);
        f->status = scratch;
        return true;
    }
    long long seconds = strtoll(value, &end, 10);
    if (strcmp(field, "created_at") != 0 || *end != '\0' || seconds <= 0)
        return false;
    int64_t ms = (int64_t)seconds * 1000;
    if (strcmp(op, "gt") == 0)
        f->after_ms = ms + 999;
    else if (strcmp(op, "ge") == 0)
        f->after_ms = ms - 1;
    else if (strcmp(op, "lt") == 0)
        f->before_ms = ms;
    else if (strcmp(op, "le") == 0)
        f->before_ms = ms + 1000;
    else
        return false;
    return true;
}

bool filter_read_azure(struct filter *f, const char *text, char *scratch, size_t size)
{
    char field[32];
    char op[8];
    char value[64];
    int used;

    for (;;) {
        if (sscanf(text, " %31s %7s %63s%n", field, op, value, &used) != 3 ||
            !read_comparison(f, field, op, value, scratch, size))
            return false;
        text += used;
        text += strspn(text, " ");
        if (*text == '\0')
            return true;
        if (strncmp(text, "and ", 4) != 0)
            return false;
        text += 4;
    }
}

static int two_digits(const char *text)
{
    return 10 * (text[0] - '0') + (text[1] - '0');
}

bool filter_read_time(const char *text, int64_t *ms)
{
    struct tm tm = {0};

    if (strlen(text) != 14 || strspn(text, "0123456789") != 14)
        return false;
    tm.tm_year = 100 * two_digits(text) + two_digits(text + 2) - 1900;
    tm.tm_mon = two_digits(text + 4) - 1;
    tm.tm_mday = two_digits(text + 6);
    tm.tm_hour = two_digits(text + 8);
    tm.tm_min = two_digits(text + 10);
    tm.tm_sec = two_digits(text + 12);
    *ms = (int64_t)timegm(&tm) * 1000;
    return true;
}
