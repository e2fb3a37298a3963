#include "cli/core/resubmit_filter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/model/ordinal.h"

#define CAUSE_MAX 96
#define UNSENT    "invalid_request_line"

void resubmit_filter_release(struct resubmit_filter *f)
{
    for (size_t i = 0; i < f->code_count; i++)
        free(f->codes[i]);
    free(f->codes);
    free(f->ranges);
    *f = (struct resubmit_filter){0};
}

/* The next item of a list, without the space around it. *@list is left behind its comma, or NULL.
 */
static char *next_item(const char **list)
{
    const char *from = *list + strspn(*list, " \t");
    size_t len = strcspn(from, ",");
    const char *behind = from + len;

    *list = *behind == ',' ? behind + 1 : NULL;
    while (len > 0 && (from[len - 1] == ' ' || from[len - 1] == '\t'))
        len--;
    char *item = xcalloc(len + 1, 1);
    memcpy(item, from, len);
    return item;
}

static bool check_code(const char *code, struct err *err)
{
    if (code[0] == '\0')
        return err_set(err, ERR_USAGE, "--code: there is an empty code");
    if (strcmp(code, UNSENT) == 0)
        return err_set(err, ERR_USAGE,
                       "--code " UNSENT ": these lines cannot be sent; correct them in the "
                       "input, and send it as a new job");
    return true;
}

bool resubmit_filter_add_codes(struct resubmit_filter *f, const char *list, struct err *err)
{
    while (list != NULL) {
        char *code = next_item(&list);

        if (!check_code(code, err)) {
            free(code);
            return false;
        }
        f->codes = xrealloc(f->codes, f->code_count + 1, sizeof(*f->codes));
        f->codes[f->code_count++] = code;
    }
    return true;
}

static bool parse_window(const char **p, uint32_t *out)
{
    uint64_t n = 0;
    const char *start = *p;

    while (**p >= '0' && **p <= '9' && n <= ORDINAL_MAX_WINDOW)
        n = n * 10 + (uint64_t)(*(*p)++ - '0');
    *out = (uint32_t)n;
    return *p > start && n <= ORDINAL_MAX_WINDOW;
}

static bool parse_range(const char *item, uint32_t *from, uint32_t *to)
{
    if (!parse_window(&item, from))
        return false;
    *to = *from;
    if (*item == '-') {
        item++;
        if (!parse_window(&item, to))
            return false;
    }
    return *item == '\0' && *from <= *to;
}

bool resubmit_filter_add_shards(struct resubmit_filter *f, const char *list, struct err *err)
{
    while (list != NULL) {
        char *item = next_item(&list);
        uint32_t from;
        uint32_t to;
        bool ok = parse_range(item, &from, &to);

        if (!ok)
            err_set(err, ERR_USAGE, "--shard \"%s\": not a number, or two like 3-7", item);
        free(item);
        if (!ok)
            return false;
        f->ranges = xrealloc(f->ranges, f->range_count + 1, sizeof(*f->ranges));
        f->ranges[f->range_count].from = from;
        f->ranges[f->range_count++].to = to;
    }
    return true;
}

/* A cause is named as failure_cause_name() does: "400 content_filter", "500", "job_cancelled". */
static bool is_cause(const char *wanted, int64_t status, const char *code)
{
    char text[CAUSE_MAX];

    if (strcmp(wanted, code) == 0)
        return true;
    if (status <= 0)
        return code[0] == '\0' && strcmp(wanted, "unknown") == 0;
    (void)snprintf(text, sizeof(text), "%" PRId64, status);
    if (strcmp(wanted, text) == 0)
        return true;
    (void)snprintf(text, sizeof(text), "%" PRId64 " %.70s", status, code);
    return strcmp(wanted, text) == 0;
}

bool resubmit_filter_fits(void *arg, uint32_t window, int64_t status, const char *code)
{
    const struct resubmit_filter *f = arg;
    bool fits = f->code_count == 0;

    for (size_t i = 0; !fits && i < f->code_count; i++)
        fits = is_cause(f->codes[i], status, code);
    if (!fits || f->range_count == 0)
        return fits;
    for (size_t i = 0; i < f->range_count; i++) {
        if (window >= f->ranges[i].from && window <= f->ranges[i].to)
            return true;
    }
    return false;
}
