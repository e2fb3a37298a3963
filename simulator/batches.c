#include "simulator/batches.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/xmem.h"
#include "simulator/folder.h"
#include "simulator/hash.h"
#include "simulator/record.h"
#include "simulator/text.h"

#define META ".json"

/* What is stored: the status goes by its name. */
struct stored {
    char *status;
    struct sim_batch batch;
};

#define FIELD(kind, member)                                  \
    {                                                        \
#member, kind, offsetof(struct stored, batch.member) \
    }
#define TEXT(member)   FIELD(RECORD_TEXT, member)
#define NUMBER(member) FIELD(RECORD_NUMBER, member)
#define FLAG(member)   FIELD(RECORD_FLAG, member)

static const struct record_field fields[] = {
    {"status", RECORD_TEXT, offsetof(struct stored, status)},
    TEXT(id),
    TEXT(input_file_id),
    TEXT(endpoint),
    TEXT(window),
    TEXT(metadata),
    TEXT(model),
    TEXT(errors),
    TEXT(output_id),
    TEXT(error_id),
    NUMBER(seq),
    NUMBER(created),
    NUMBER(in_progress),
    NUMBER(finalizing),
    NUMBER(completed),
    NUMBER(failed),
    NUMBER(expired),
    NUMBER(cancelling),
    NUMBER(cancelled),
    NUMBER(expires),
    NUMBER(total),
    NUMBER(rows_ok),
    NUMBER(rows_bad),
    NUMBER(tokens),
    NUMBER(input_tokens),
    NUMBER(output_tokens),
    NUMBER(output_expires_s),
    FLAG(file_hidden),
    FLAG(auto_delete),
    FLAG(executed),
    FLAG(deleted),
};

const char *batch_status_name(enum batch_status status)
{
    switch (status) {
    case BATCH_VALIDATING: return "validating";
    case BATCH_FAILED: return "failed";
    case BATCH_IN_PROGRESS: return "in_progress";
    case BATCH_FINALIZING: return "finalizing";
    case BATCH_COMPLETED: return "completed";
    case BATCH_EXPIRED: return "expired";
    case BATCH_CANCELLING: return "cancelling";
    case BATCH_CANCELLED: return "cancelled";
    }
    return "?";
}

bool batch_status_is_final(enum batch_status status)
{
    return status == BATCH_FAILED || status == BATCH_COMPLETED || status == BATCH_EXPIRED ||
           status == BATCH_CANCELLED;
}

static bool status_from_name(const char *name, enum batch_status *out)
{
    for (enum batch_status s = BATCH_VALIDATING; s <= BATCH_CANCELLED; s++) {
        if (name != NULL && strcmp(name, batch_status_name(s)) == 0) {
            *out = s;
            return true;
        }
    }
    return false;
}

/* Sheaf gives each wish for a batch a random name; two batches of one name are one too many. */
static uint64_t intent_of(const char *metadata)
{
    struct json_object *root = metadata != NULL ? json_tokener_parse(metadata) : NULL;
    struct json_object *name = NULL;
    uint64_t hash = 0;

    if (json_object_is_type(root, json_type_object) &&
        json_object_object_get_ex(root, "sheaf_bid", &name) && name != NULL) {
        const char *text = json_object_get_string(name);

        hash = hash_fnv(text, strlen(text));
    }
    json_object_put(root);
    return hash;
}

static struct sim_batch *push(struct batches *b, struct sim_batch init)
{
    struct sim_batch *batch = xcalloc(1, sizeof(*batch));

    *batch = init;
    batch->intent = intent_of(init.metadata);
    if (b->count == b->cap) {
        b->cap = b->cap == 0 ? 64 : 2 * b->cap;
        b->list = xrealloc(b->list, b->cap, sizeof(struct sim_batch *));
    }
    b->list[b->count++] = batch;
    if (init.seq >= b->next_seq)
        b->next_seq = init.seq + 1;
    return batch;
}

static bool load_one(const char *name, void *arg, struct err *err)
{
    struct batches *b = arg;
    struct stored stored = {0};
    char path[FOLDER_PATH_MAX];
    const char *dot = strrchr(name, '.');

    if (dot == NULL || strcmp(dot, META) != 0)
        return true;
    folder_path(b->folder, "batches", name, "", path);
    if (!record_read(fields, ARRAY_LEN(fields), path, &stored, err))
        return false;
    if (!status_from_name(stored.status, &stored.batch.status) || stored.batch.id == NULL ||
        stored.batch.input_file_id == NULL || stored.batch.endpoint == NULL) {
        record_release(fields, ARRAY_LEN(fields), &stored);
        return err_set(err, ERR_PERMANENT, "%s: incomplete", path);
    }
    free(stored.status);
    /* what was being executed is stored as in_progress still: the worker takes it up again */
    stored.batch.cancel_asked = stored.batch.status == BATCH_CANCELLING;
    (void)push(b, stored.batch);
    return true;
}

static int by_seq(const void *a, const void *b)
{
    const struct sim_batch *x = *(struct sim_batch *const *)a;
    const struct sim_batch *y = *(struct sim_batch *const *)b;

    return (x->seq > y->seq) - (x->seq < y->seq);
}

bool batches_load(struct batches *b, struct err *err)
{
    if (!folder_each(b->folder, "batches", load_one, b, err))
        return false;
    if (b->count != 0)
        qsort(b->list, b->count, sizeof(struct sim_batch *), by_seq);
    return true;
}

static void release_texts(struct sim_batch *batch)
{
    struct stored stored = {.batch = *batch};

    record_release(fields, ARRAY_LEN(fields), &stored);
}

void batches_release(struct batches *b)
{
    for (size_t i = 0; i < b->count; i++) {
        release_texts(b->list[i]);
        free(b->list[i]);
    }
    free(b->list);
    *b = (struct batches){0};
}

struct sim_batch *batches_find(const struct batches *b, const char *id)
{
    for (size_t i = b->count; i > 0; i--) {
        if (strcmp(b->list[i - 1]->id, id) == 0)
            return b->list[i - 1]->deleted ? NULL : b->list[i - 1];
    }
    return NULL;
}

bool batches_save(const struct batches *b, const struct sim_batch *batch, struct err *err)
{
    struct stored stored = {xstrdup(batch_status_name(batch->status)), *batch};
    char path[FOLDER_PATH_MAX];
    struct buf text = TEXT_INIT;

    record_write(fields, ARRAY_LEN(fields), &stored, &text);
    folder_path(b->folder, "batches", batch->id, META, path);
    bool ok = folder_replace(path, text.data, text.len, err);
    buf_release(&text);
    free(stored.status);
    return ok;
}

struct sim_batch *batches_add(struct batches *b, struct sim_batch init, struct err *err)
{
    init.seq = b->next_seq;
    if (!batches_save(b, &init, err)) {
        release_texts(&init);
        return NULL;
    }
    return push(b, init);
}

size_t batches_live(const struct batches *b)
{
    size_t live = 0;

    for (size_t i = 0; i < b->count; i++)
        live += !batch_status_is_final(b->list[i]->status);
    return live;
}

static int by_input(const void *a, const void *b)
{
    const struct sim_batch *x = *(struct sim_batch *const *)a;
    const struct sim_batch *y = *(struct sim_batch *const *)b;

    return strcmp(x->input_file_id, y->input_file_id);
}

struct batches_uses batches_uses(const struct batches *b)
{
    struct batches_uses uses = {0};
    struct sim_batch **sorted;
    size_t created = 0;
    size_t executed = 0;

    if (b->count == 0)
        return uses;
    sorted = xcalloc(b->count, sizeof(struct sim_batch *));
    memcpy(sorted, b->list, b->count * sizeof(struct sim_batch *));
    qsort(sorted, b->count, sizeof(struct sim_batch *), by_input);
    for (size_t i = 0; i < b->count; i++) {
        if (i == 0 || by_input(&sorted[i - 1], &sorted[i]) != 0) {
            created = executed = 0;
            uses.files++;
        }
        uses.created_twice += ++created == 2;
        executed += sorted[i]->executed;
        uses.executed_twice += sorted[i]->executed && executed == 2;
    }
    free(sorted);
    return uses;
}
