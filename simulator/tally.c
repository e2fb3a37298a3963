#include "simulator/tally.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/base/xmem.h"
#include "simulator/batches.h"
#include "simulator/text.h"

/* When the batch ended; 0: it lives. */
static int64_t ended(const struct sim_batch *b)
{
    const int64_t times[] = {b->completed, b->failed, b->expired, b->cancelled};
    int64_t last = 0;

    if (!batch_status_is_final(b->status))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        last = times[i] > last ? times[i] : last;
    return last;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* The most that lived at one time. @begins and @ends are sorted here. */
static size_t peak(int64_t *begins, size_t begun, int64_t *ends, size_t end_count)
{
    size_t live = 0;
    size_t most = 0;
    size_t over = 0;

    qsort(begins, begun, sizeof(*begins), by_number);
    qsort(ends, end_count, sizeof(*ends), by_number);
    for (size_t i = 0; i < begun; i++) {
        live++;
        while (over < end_count && ends[over] <= begins[i]) {
            over++;
            live--;
        }
        most = live > most ? live : most;
    }
    return most;
}

static void write_lives(const struct batches *b, int64_t now_ms, struct buf *out)
{
    int64_t *begins = xcalloc(b->count + 1, sizeof(*begins));
    int64_t *ends = xcalloc(b->count + 1, sizeof(*ends));
    size_t begun = 0;
    size_t end_count = 0;
    int64_t live_ms = 0;
    int64_t last = 0;

    for (size_t i = 0; i < b->count; i++) {
        int64_t end = ended(b->list[i]);
        int64_t begin = b->list[i]->created;

        if (begin > now_ms)
            continue;
        begins[begun++] = begin;
        if (end != 0)
            ends[end_count++] = end;
        last = end > last ? end : last;
        live_ms += (end != 0 ? end : now_ms) - begin;
    }
    size_t most = peak(begins, begun, ends, end_count);
    text_f(out,
           ",\"batches_live_peak\":%zu,\"live_ms\":%" PRId64 ",\"first_create_ms\":%" PRId64
           ",\"last_end_ms\":%" PRId64,
           most, live_ms, begun != 0 ? begins[0] : 0, last);
    free(begins);
    free(ends);
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void write_intents(const struct batches *b, struct buf *out)
{
    uint64_t *sorted = xcalloc(b->count + 1, sizeof(*sorted));
    size_t count = 0;
    size_t intents = 0;
    size_t twice = 0;
    size_t run = 0;

    for (size_t i = 0; i < b->count; i++) {
        if (b->list[i]->intent != 0)
            sorted[count++] = b->list[i]->intent;
    }
    qsort(sorted, count, sizeof(*sorted), by_hash);
    for (size_t i = 0; i < count; i++) {
        run = i > 0 && sorted[i] == sorted[i - 1] ? run + 1 : 1;
        intents += run == 1;
        twice += run == 2;
    }
    free(sorted);
    text_f(out, ",\"intents\":%zu,\"intents_created_twice\":%zu", intents, twice);
}

void tally_write(const struct batches *b, int64_t now_ms, struct buf *out)
{
    write_lives(b, now_ms, out);
    write_intents(b, out);
}

void tally_write_batches(const struct batches *b, struct buf *out)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct sim_batch *batch = b->list[i];

        text_f(out, "%s{\"id\":\"%s\",\"status\":\"%s\",\"input_file_id\":", i == 0 ? "" : ",",
               batch->id, batch_status_name(batch->status));
        text_string(out, batch->input_file_id);
        text_f(out,
               ",\"intent_hash\":\"%016" PRIx64 "\",\"executed\":%s,\"total\":%" PRId64
               ",\"created_ms\":%" PRId64 ",\"ended_ms\":%" PRId64 "}",
               batch->intent, batch->executed ? "true" : "false", batch->total, batch->created,
               ended(batch));
    }
}
