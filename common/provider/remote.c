#include "common/provider/remote.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/provider/pick.h"

/* The largest page that any provider documents (files of OpenAI). */
#define PAGE_ITEMS_MAX 10000

/* What providers call their states. American and British, past and present. */
static const struct {
    const char *word;
    enum remote_status status;
} words[] = {
    {"validating",             REMOTE_VALIDATING},
    {"queued",                 REMOTE_QUEUED    },
    {"in_queue",               REMOTE_QUEUED    },
    {"pending",                REMOTE_QUEUED    },
    {"in_progress",            REMOTE_RUNNING   },
    {"running",                REMOTE_RUNNING   },
    {"progress",               REMOTE_RUNNING   },
    {"updating",               REMOTE_RUNNING   },
    {"paused",                 REMOTE_RUNNING   },
    {"finalizing",             REMOTE_FINALIZING},
    {"cancelling",             REMOTE_CANCELLING},
    {"canceling",              REMOTE_CANCELLING},
    {"cancellation_requested", REMOTE_CANCELLING},
    {"completed",              REMOTE_COMPLETED },
    {"success",                REMOTE_COMPLETED },
    {"succeeded",              REMOTE_COMPLETED },
    {"partially_succeeded",    REMOTE_COMPLETED },
    {"ended",                  REMOTE_COMPLETED },
    {"expired",                REMOTE_EXPIRED   },
    {"timeout_exceeded",       REMOTE_EXPIRED   },
    {"cancelled",              REMOTE_CANCELLED },
    {"canceled",               REMOTE_CANCELLED },
    {"failed",                 REMOTE_FAILED    },
};

enum remote_status remote_status_parse(const char *word)
{
    static const char prefix[] = "JOB_STATE_";

    if (strncasecmp(word, prefix, sizeof(prefix) - 1) == 0)
        word += sizeof(prefix) - 1;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasecmp(words[i].word, word) == 0)
            return words[i].status;
    }
    return REMOTE_UNKNOWN;
}

static const struct {
    const char *word;
    enum remote_file_status status;
} file_words[] = {
    {"pending",    REMOTE_FILE_PENDING  },
    {"uploading",  REMOTE_FILE_PENDING  },
    {"running",    REMOTE_FILE_PENDING  },
    {"processing", REMOTE_FILE_PENDING  },
    {"validating", REMOTE_FILE_PENDING  },
    {"uploaded",   REMOTE_FILE_UPLOADED },
    {"processed",  REMOTE_FILE_PROCESSED},
    {"success",    REMOTE_FILE_PROCESSED},
    {"ready",      REMOTE_FILE_PROCESSED},
    {"active",     REMOTE_FILE_PROCESSED},
    {"error",      REMOTE_FILE_ERROR    },
    {"failed",     REMOTE_FILE_ERROR    },
    {"deleting",   REMOTE_FILE_ERROR    },
    {"deleted",    REMOTE_FILE_ERROR    },
};

enum remote_file_status remote_file_status_parse(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(file_words); i++) {
        if (strcasecmp(file_words[i].word, word) == 0)
            return file_words[i].status;
    }
    return REMOTE_FILE_UNKNOWN;
}

const char *remote_file_status_name(enum remote_file_status status)
{
    switch (status) {
    case REMOTE_FILE_UNKNOWN: return "unknown";
    case REMOTE_FILE_PENDING: return "pending";
    case REMOTE_FILE_UPLOADED: return "uploaded";
    case REMOTE_FILE_PROCESSED: return "processed";
    case REMOTE_FILE_ERROR: return "error";
    }
    return "?";
}

const char *remote_status_name(enum remote_status status)
{
    switch (status) {
    case REMOTE_VALIDATING: return "validating";
    case REMOTE_QUEUED: return "queued";
    case REMOTE_RUNNING: return "running";
    case REMOTE_FINALIZING: return "finalizing";
    case REMOTE_CANCELLING: return "cancelling";
    case REMOTE_COMPLETED: return "completed";
    case REMOTE_EXPIRED: return "expired";
    case REMOTE_CANCELLED: return "cancelled";
    case REMOTE_FAILED: return "failed";
    case REMOTE_UNKNOWN: return "unknown";
    }
    return "?";
}

bool remote_status_is_terminal(enum remote_status status)
{
    return status == REMOTE_COMPLETED || status == REMOTE_EXPIRED || status == REMOTE_CANCELLED ||
           status == REMOTE_FAILED;
}

int64_t remote_time_from_number(int64_t number)
{
    if (number <= 0)
        return 0;
    /* As seconds, 1e11 is the year 5138; as milliseconds it is 1973. */
    return number > INT64_C(100000000000) ? number : number * 1000;
}

/* "Z", "+08:00" or "-0530" as seconds; false for anything else. */
static bool zone_parse(const char *text, int64_t *seconds)
{
    int sign = text[0] == '-' ? -1 : 1;
    struct tm tm = {0};
    const char *end = NULL;

    *seconds = 0;
    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0 || text[0] == '\0')
        return true;
    if (text[0] != '+' && text[0] != '-')
        return false;
    end = strptime(text + 1, "%H:%M", &tm);
    if (end == NULL)
        end = strptime(text + 1, "%H%M", &tm);
    *seconds = sign * (tm.tm_hour * INT64_C(3600) + tm.tm_min * INT64_C(60));
    return end != NULL && *end == '\0';
}

int64_t remote_time_from_text(const char *text)
{
    struct tm tm = {0};
    int64_t zone_s = 0;
    int64_t fraction_ms = 0;
    const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    if (p == NULL)
        p = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
    if (p == NULL)
        return 0;
    if (*p == '.') {
        int64_t unit = 100;

        for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
            fraction_ms += (*p - '0') * unit;
    }
    if (!zone_parse(p, &zone_s))
        return 0;
    return ((int64_t)timegm(&tm) - zone_s) * 1000 + fraction_ms;
}

static int64_t read_time(struct json_object *obj, const char *name)
{
    int64_t number = 0;
    const char *text = doc_string(obj, name);

    if (pick_number(obj, name, &number))
        return remote_time_from_number(number);
    return text != NULL ? remote_time_from_text(text) : 0;
}

/* An id becomes part of a path: "." and ".." would name another resource. */
static bool read_id(struct json_object *obj, const char *name, char *out, size_t size)
{
    if (pick_id(obj, name, out, size) && strspn(out, ".") < strlen(out))
        return true;
    out[0] = '\0';
    return false;
}

static void read_error(struct json_object *value, struct remote_error *out)
{
    *out = (struct remote_error){.line = -1};
    if (pick_text(value, NULL, out->message, sizeof(out->message)))
        return;
    (void)pick_text(value, "code", out->code, sizeof(out->code));
    (void)pick_text(value, "message", out->message, sizeof(out->message));
    (void)pick_text(value, "param", out->param, sizeof(out->param));
    if (!pick_number(value, "line", &out->line) || out->line < 1)
        out->line = -1;
}

/* null | {"data":[...]} | [...] | {"code",...} | "text": at most @cap into @out; how many there
 * are. */
static size_t read_errors(struct json_object *value, struct remote_error *out, size_t cap)
{
    struct json_object *list = doc_member(value, "data");

    if (list == NULL)
        list = value;
    if (list == NULL)
        return 0;
    if (doc_kind(list, NULL) != JSON_ARRAY) {
        struct remote_error only;

        read_error(list, &only);
        if (only.code[0] == '\0' && only.message[0] == '\0')
            return 0;
        out[0] = only;
        return 1;
    }
    size_t total = doc_count(list, NULL);
    for (size_t i = 0; i < total && i < cap; i++)
        read_error(doc_at(list, NULL, i), &out[i]);
    return total;
}

/* "errors"; together.ai says it all in the text "error" (together-python, types/batch.py). */
static struct json_object *errors_of(struct json_object *batch)
{
    struct json_object *errors = doc_member(batch, "errors");

    return errors != NULL ? errors : doc_member(batch, "error");
}

size_t remote_errors_parse(const char *json, size_t len, struct remote_error *out, size_t cap)
{
    struct json_object *document = NULL;
    size_t total = 0;

    if (cap == 0 || !doc_parse(json, len, &document, NULL))
        return 0;
    struct json_object *batch = document;
    if (doc_kind(batch, "job") == JSON_OBJECT)
        batch = doc_member(batch, "job");
    total = read_errors(errors_of(batch), out, cap);
    doc_free(document);
    return total < cap ? total : cap;
}

/* {"total","completed","failed"}, or a plain total with the others beside it. */
static void read_counts(struct json_object *batch, struct remote_batch *out)
{
    bool nested = doc_kind(batch, "request_counts") == JSON_OBJECT;
    struct json_object *from = nested ? doc_member(batch, "request_counts") : batch;
    int64_t *const fields[] = {&out->total, &out->completed, &out->failed};
    static const char *const names[] = {"total", "completed", "failed"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!pick_number(from, names[i], fields[i]) || *fields[i] < 0)
            *fields[i] = -1;
    }
    if (out->total < 0 && (!pick_number(batch, "request_counts", &out->total) || out->total < 0))
        out->total = -1;
}

/* What a create put into the metadata; others may have added theirs. */
static void read_bid(struct json_object *batch, struct remote_batch *out)
{
    static const char before[] = "sheaf-";
    char name[sizeof(before) + sizeof(out->metadata_bid)];

    if (pick_id(batch, "metadata.sheaf_bid", out->metadata_bid, sizeof(out->metadata_bid)))
        return;
    if (pick_id(batch, "metadata.ds_name", name, sizeof(name)) &&
        strncmp(name, before, sizeof(before) - 1) == 0)
        pick_cut(out->metadata_bid, sizeof(out->metadata_bid), name + sizeof(before) - 1,
                 strlen(name) - (sizeof(before) - 1));
}

static bool read_batch(struct json_object *value, struct remote_batch *out, struct err *err)
{
    if (doc_kind(value, "job") == JSON_OBJECT)
        value = doc_member(value, "job");
    if (!read_id(value, "id", out->id, sizeof(out->id)))
        return err_set(err, ERR_PERMANENT, "a batch without a usable id");
    (void)pick_text(value, "status", out->status_text, sizeof(out->status_text));
    out->status = remote_status_parse(out->status_text);
    (void)read_id(value, "input_file_id", out->input_file_id, sizeof(out->input_file_id));
    (void)read_id(value, "output_file_id", out->output_file_id, sizeof(out->output_file_id));
    (void)read_id(value, "error_file_id", out->error_file_id, sizeof(out->error_file_id));
    out->created_unix_ms = read_time(value, "created_at");
    read_counts(value, out);
    out->errors_total = read_errors(errors_of(value), out->errors, REMOTE_ERRORS_MAX);
    out->error_count =
        out->errors_total < REMOTE_ERRORS_MAX ? out->errors_total : REMOTE_ERRORS_MAX;
    read_bid(value, out);
    return true;
}

static bool read_file(struct json_object *value, struct remote_file *out, struct err *err)
{
    char word[32];

    if (!read_id(value, "id", out->id, sizeof(out->id)))
        return err_set(err, ERR_PERMANENT, "a file without a usable id");
    if (!pick_number(value, "bytes", &out->bytes) || out->bytes < 0)
        out->bytes = -1;
    /* Zhipu documents "filename" and sends "fileName". */
    if (!pick_text(value, "filename", out->filename, sizeof(out->filename)))
        (void)pick_text(value, "fileName", out->filename, sizeof(out->filename));
    (void)pick_text(value, "status", word, sizeof(word));
    out->status = remote_file_status_parse(word);
    (void)pick_text(value, "status_details", out->status_details, sizeof(out->status_details));
    out->created_unix_ms = read_time(value, "created_at");
    return true;
}

static struct json_object *parse(const char *json, size_t len, struct err *err)
{
    struct json_object *doc = NULL;

    if (doc_parse(json, len, &doc, err))
        return doc;
    err_wrap(err, "the provider's answer");
    return NULL;
}

bool remote_batch_parse(const char *json, size_t len, struct remote_batch *out, struct err *err)
{
    struct remote_batch batch = {0};
    struct json_object *doc = parse(json, len, err);
    bool ok = doc != NULL && read_batch(doc, &batch, err);

    if (ok)
        *out = batch;
    doc_free(doc);
    return ok;
}

bool remote_file_parse(const char *json, size_t len, struct remote_file *out, struct err *err)
{
    struct remote_file file = {0};
    struct json_object *doc = parse(json, len, err);
    bool ok = doc != NULL && read_file(doc, &file, err);

    if (ok)
        *out = file;
    doc_free(doc);
    return ok;
}

/* The array of a listing; NULL when there is none. */
static struct json_object *page_items(struct json_object *doc)
{
    static const char *const names[] = {NULL, "data", "value"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (doc_kind(doc, names[i]) == JSON_ARRAY)
            return doc_member(doc, names[i]);
    }
    return NULL;
}

/*
 * Whether there is more, and the cursor for it; @last is the last item's id.
 * Groq has "paging" with the cursor in it, or null where nothing follows.
 */
static bool page_next(struct json_object *doc, size_t count, size_t limit, const char *last,
                      bool *has_more, char next[128], struct err *err)
{
    bool full = doc_kind(doc, NULL) == JSON_OBJECT && count > 0 && count >= limit;

    next[0] = '\0';
    if (doc_kind(doc, "paging") == JSON_OBJECT) {
        *has_more = pick_id(doc, "paging.next_cursor", next, 128);
        if (*has_more || doc_string(doc, "paging.next_cursor") == NULL)
            return true;
        return err_set(err, ERR_PERMANENT, "a listing whose cursor is too long");
    }
    *has_more = doc_bool(doc, "has_more", full);
    if (!*has_more || pick_id(doc, "last_id", next, 128))
        return true;
    pick_cut(next, 128, last, strlen(last));
    if (next[0] == '\0')
        return err_set(err, ERR_PERMANENT, "a listing says there is more but not where");
    return true;
}

/* Parse a listing: the document, owned by the caller, and its array of @count items. */
static struct json_object *page_parse(const char *json, size_t len, struct json_object **items,
                                      size_t *count, struct err *err)
{
    struct json_object *doc = parse(json, len, err);

    if (doc == NULL)
        return NULL;
    *items = page_items(doc);
    *count = doc_count(*items, NULL);
    if (*items != NULL && *count <= PAGE_ITEMS_MAX)
        return doc;
    err_set(err, ERR_PERMANENT,
            *items == NULL ? "the answer is not a listing" : "a listing with too many items");
    doc_free(doc);
    return NULL;
}

/* How one item is read into an element of a page's array. */
typedef bool (*read_item_fn)(struct json_object *value, void *item, struct err *err);

static bool read_batch_item(struct json_object *value, void *item, struct err *err)
{
    return read_batch(value, item, err);
}

static bool read_file_item(struct json_object *value, void *item, struct err *err)
{
    return read_file(value, item, err);
}

/* A page whatever is on it. */
struct page {
    char *items; /* owned */
    size_t count;
    bool has_more;
    char next[128];
};

/* @size: of one item; its id is its first member. */
static bool page_read(const char *json, size_t len, size_t limit, size_t size, read_item_fn read,
                      struct page *page, struct err *err)
{
    struct json_object *items = NULL;
    size_t count = 0;
    struct json_object *doc = page_parse(json, len, &items, &count, err);
    bool ok = doc != NULL;

    *page = (struct page){.items = xcalloc(count + 1, size)};
    for (; ok && page->count < count; page->count++)
        ok = read(doc_at(items, NULL, page->count), page->items + page->count * size, err);
    ok = ok && page_next(doc, count, limit, count > 0 ? page->items + (count - 1) * size : "",
                         &page->has_more, page->next, err);
    if (!ok)
        free(page->items);
    doc_free(doc);
    return ok;
}

_Static_assert(offsetof(struct remote_batch, id) == 0, "page_read() takes the id from there");
_Static_assert(offsetof(struct remote_file, id) == 0, "page_read() takes the id from there");

bool remote_batch_page_parse(const char *json, size_t len, size_t limit,
                             struct remote_batch_page *out, struct err *err)
{
    struct page page;

    if (!page_read(json, len, limit, sizeof(*out->items), read_batch_item, &page, err))
        return false;
    *out = (struct remote_batch_page){.count = page.count, .has_more = page.has_more};
    out->items = (struct remote_batch *)(void *)page.items;
    memcpy(out->next, page.next, sizeof(out->next));
    return true;
}

bool remote_file_page_parse(const char *json, size_t len, size_t limit,
                            struct remote_file_page *out, struct err *err)
{
    struct page page;

    if (!page_read(json, len, limit, sizeof(*out->items), read_file_item, &page, err))
        return false;
    *out = (struct remote_file_page){.count = page.count, .has_more = page.has_more};
    out->items = (struct remote_file *)(void *)page.items;
    memcpy(out->next, page.next, sizeof(out->next));
    return true;
}

void remote_batch_page_release(struct remote_batch_page *page)
{
    free(page->items);
    *page = (struct remote_batch_page){0};
}

void remote_file_page_release(struct remote_file_page *page)
{
    free(page->items);
    *page = (struct remote_file_page){0};
}

enum provider_class remote_batch_failure(const struct remote_batch *batch)
{
    enum provider_class found = PROVIDER_UNKNOWN;

    if (batch->status != REMOTE_FAILED)
        return PROVIDER_NONE;
    for (size_t i = 0; i < batch->error_count; i++) {
        const struct remote_error *e = &batch->errors[i];
        enum provider_class class = provider_classify(PROVIDER_OP_VALIDATION, HTTP_ANSWERED, 400,
                                                      e->code, e->message, e->line);

        /* These two mean that the input may be good: nothing else counts then. */
        if (class == PROVIDER_QUOTA_ENQUEUED || class == PROVIDER_NOT_FOUND)
            return class;
        if (found == PROVIDER_UNKNOWN)
            found = class;
    }
    return found;
}
