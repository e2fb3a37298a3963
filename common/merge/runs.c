#include "common/merge/runs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/xmem.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define PASS_BUFFER_BYTES (128u << 10)

/* One sorted file: published (@name) or the outcome of an intermediate pass (@fd). */
struct run {
    char *name;
    int fd; /* -1 when it has a name, or was handed to the reader */
    uint64_t first, last, records;
    struct segment_reader *reader; /* NULL before it is reached and after its end */
    struct record head;            /* its next record, while it is open */
    size_t order;                  /* makes equal heads come in a fixed order */
};

/* An intermediate pass: some runs, read as a stream of their own, into a file. */
struct pass {
    struct runs *from;
    struct segment_writer *writer;
    struct segment_batch *batches; /* of all of them, each once */
    uint32_t batch_count;
    struct run *into;
    char buffer[PASS_BUFFER_BYTES];
    size_t used;
};

struct runs {
    struct sink *sink;
    uint32_t part;
    struct run **items; /* sorted by @first once reading begins */
    size_t count, cap;
    size_t reached; /* items before this one were opened */
    struct run *heap[RUNS_OPEN];
    size_t open;
    bool sorted, given; /* @given: the top of the heap was handed out */
    size_t orders;
    struct pass *pass; /* under way, or NULL */
};

struct runs *runs_new(struct sink *sink, uint32_t part)
{
    struct runs *runs = xcalloc(1, sizeof(*runs));

    runs->sink = sink;
    runs->part = part;
    return runs;
}

static void run_free(struct run *run)
{
    if (run == NULL)
        return;
    segment_reader_free(run->reader);
    if (run->fd >= 0)
        (void)close(run->fd);
    free(run->name);
    free(run);
}

static void free_items(struct runs *runs)
{
    for (size_t i = 0; i < runs->count; i++)
        run_free(runs->items[i]);
    free(runs->items);
    free(runs);
}

static void pass_free(struct pass *pass)
{
    if (pass == NULL)
        return;
    free_items(pass->from); /* it never has a pass of its own */
    segment_writer_free(pass->writer);
    free(pass->batches);
    run_free(pass->into);
    free(pass);
}

void runs_free(struct runs *runs)
{
    if (runs == NULL)
        return;
    pass_free(runs->pass);
    free_items(runs);
}

static void append(struct runs *runs, struct run *run)
{
    if (runs->count == runs->cap) {
        runs->cap = runs->cap == 0 ? 64 : runs->cap * 2;
        runs->items = xrealloc(runs->items, runs->cap, sizeof(struct run *));
    }
    run->order = runs->orders++;
    runs->items[runs->count++] = run;
}

static struct segment_reader *open_run(struct runs *runs, struct run *run, struct err *err)
{
    int fd = run->fd;

    if (run->name != NULL) {
        fd = sink_open_read(runs->sink, run->name, err);
        return fd < 0 ? NULL : segment_reader_new(fd, run->name, err);
    }
    run->fd = -1;
    if (lseek(fd, 0, SEEK_SET) != 0) {
        err_set(err, ERR_UNAVAILABLE, "temporary file: %s", strerror(errno));
        (void)close(fd);
        return NULL;
    }
    return segment_reader_new(fd, "temporary file", err);
}

bool runs_add(struct runs *runs, const char *name, struct segment_batch *batch, struct err *err)
{
    struct run *run = xcalloc(1, sizeof(*run));
    struct segment_reader *reader;

    run->name = xstrdup(name);
    run->fd = -1;
    reader = open_run(runs, run, err);
    if (reader == NULL) {
        run_free(run);
        return false;
    }
    const struct segment_header *h = segment_reader_header(reader);
    bool right = h->part == runs->part;
    *batch = h->batches[0];
    run->first = h->first;
    run->last = h->last;
    run->records = h->records;
    segment_reader_free(reader);
    if (!right) {
        run_free(run);
        return err_set(err, ERR_PERMANENT, "segment %s is of another part", name);
    }
    if (run->records == 0)
        run_free(run);
    else
        append(runs, run);
    return true;
}

static int compare_first(const void *a, const void *b)
{
    const struct run *x = *(struct run *const *)a;
    const struct run *y = *(struct run *const *)b;

    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void sort(struct runs *runs)
{
    if (runs->count != 0)
        qsort(runs->items, runs->count, sizeof(struct run *), compare_first);
    runs->sorted = true;
}

/* The first ordinal at which more than RUNS_OPEN runs are needed; false: there is none. */
static bool find_crowd(const struct runs *runs, uint64_t *at)
{
    uint64_t *lasts = xcalloc(runs->count + 1, sizeof(*lasts));
    size_t over = 0;
    bool found = false;

    for (size_t i = 0; i < runs->count; i++)
        lasts[i] = runs->items[i]->last;
    qsort(lasts, runs->count, sizeof(*lasts), compare_u64);
    for (size_t i = 0; !found && i < runs->count; i++) {
        while (lasts[over] < runs->items[i]->first)
            over++;
        found = i + 1 - over > RUNS_OPEN;
        if (found)
            *at = runs->items[i]->first;
    }
    free(lasts);
    return found;
}

/* Move RUNS_OPEN runs that are needed at @at into @from; what they cover into @into. */
static void move_crowd(struct runs *runs, uint64_t at, struct runs *from, struct run *into)
{
    size_t kept = 0;

    into->first = UINT64_MAX;
    for (size_t i = 0; i < runs->count; i++) {
        struct run *run = runs->items[i];

        if (from->count == RUNS_OPEN || run->first > at || run->last < at) {
            runs->items[kept++] = run;
            continue;
        }
        append(from, run);
        into->records += run->records;
        into->first = run->first < into->first ? run->first : into->first;
        into->last = run->last > into->last ? run->last : into->last;
    }
    runs->count = kept;
    sort(from);
}

static uint32_t batch_index(struct pass *pass, const struct segment_batch *batch)
{
    for (uint32_t i = pass->batch_count; i-- > 0;) {
        if (strcmp(pass->batches[i].bid, batch->bid) == 0 &&
            pass->batches[i].created_ms == batch->created_ms)
            return i;
    }
    pass->batches = xrealloc(pass->batches, pass->batch_count + 1, sizeof(*pass->batches));
    pass->batches[pass->batch_count] = *batch;
    return pass->batch_count++;
}

static bool collect_batches(struct pass *pass, struct err *err)
{
    for (size_t i = 0; i < pass->from->count; i++) {
        struct run *run = pass->from->items[i];

        run->reader = open_run(pass->from, run, err);
        if (run->reader == NULL)
            return false;
        const struct segment_header *h = segment_reader_header(run->reader);
        for (uint32_t k = 0; k < h->batch_count; k++)
            (void)batch_index(pass, &h->batches[k]);
        if (run->name != NULL) { /* opened again when it is reached */
            segment_reader_free(run->reader);
            run->reader = NULL;
        }
    }
    return true;
}

static bool pass_flush(struct pass *pass, struct err *err)
{
    const char *p = pass->buffer;
    size_t len = pass->used;

    pass->used = 0;
    while (len > 0) {
        ssize_t n = write(pass->into->fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_UNAVAILABLE, "cannot write a temporary file in %s: %s",
                           sink_path(pass->from->sink), strerror(errno));
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool pass_write(void *arg, const void *bytes, size_t len, struct err *err)
{
    struct pass *pass = arg;
    const char *p = bytes;

    while (len > 0) {
        size_t n = PASS_BUFFER_BYTES - pass->used;

        n = n < len ? n : len;
        memcpy(pass->buffer + pass->used, p, n);
        pass->used += n;
        p += n;
        len -= n;
        if (pass->used == PASS_BUFFER_BYTES && !pass_flush(pass, err))
            return false;
    }
    return true;
}

static bool pass_begin(struct runs *runs, uint64_t at, struct err *err)
{
    struct pass *pass = xcalloc(1, sizeof(*pass));

    runs->pass = pass;
    pass->into = xcalloc(1, sizeof(*pass->into));
    pass->from = runs_new(runs->sink, runs->part);
    pass->into->fd = sink_temporary(runs->sink, err);
    if (pass->into->fd < 0)
        return false;
    move_crowd(runs, at, pass->from, pass->into);
    if (!collect_batches(pass, err))
        return false;

    struct segment_header header = {
        .part = runs->part,
        .first = pass->into->first,
        .last = pass->into->last,
        .records = pass->into->records,
        .batch_count = pass->batch_count,
        .batches = pass->batches,
    };
    pass->writer = segment_writer_new(&header, pass_write, pass, err);
    return pass->writer != NULL;
}

static bool pass_end(struct runs *runs, struct err *err)
{
    struct pass *pass = runs->pass;

    if (!segment_writer_finish(pass->writer, err) || !pass_flush(pass, err))
        return false;
    append(runs, pass->into);
    pass->into = NULL;
    pass_free(pass);
    runs->pass = NULL;
    return true;
}

/* Copy at most @max_records; the pass is over when runs->pass is NULL. */
static bool pass_step(struct runs *runs, size_t max_records, struct err *err)
{
    struct pass *pass = runs->pass;

    for (size_t i = 0; i < max_records; i++) {
        struct run_record in;
        enum segment_read read = runs_next(pass->from, &in, err);

        if (read == SEGMENT_END)
            return pass_end(runs, err);
        if (read == SEGMENT_FAILED || !runs_line(pass->from, &in.record.line, err))
            return false;
        in.record.batch = batch_index(pass, in.batch);
        if (!segment_writer_add(pass->writer, &in.record, err))
            return false;
    }
    return true;
}

bool runs_prepare(struct runs *runs, size_t max_records, bool *done, struct err *err)
{
    uint64_t at;

    *done = false;
    if (runs->pass != NULL)
        return pass_step(runs, max_records, err);
    sort(runs);
    if (find_crowd(runs, &at))
        return pass_begin(runs, at, err);
    *done = true;
    return true;
}

static bool comes_before(const struct run *a, const struct run *b)
{
    if (a->head.ordinal != b->head.ordinal)
        return a->head.ordinal < b->head.ordinal;
    return a->order < b->order;
}

static void swap(struct run **a, struct run **b)
{
    struct run *t = *a;

    *a = *b;
    *b = t;
}

static void sift_down(struct runs *runs)
{
    struct run **heap = runs->heap;

    for (size_t i = 0;;) {
        size_t child = 2 * i + 1;

        if (child >= runs->open)
            return;
        if (child + 1 < runs->open && comes_before(heap[child + 1], heap[child]))
            child++;
        if (!comes_before(heap[child], heap[i]))
            return;
        swap(&heap[child], &heap[i]);
        i = child;
    }
}

static void push(struct runs *runs, struct run *run)
{
    size_t i = runs->open++;

    runs->heap[i] = run;
    while (i > 0 && comes_before(runs->heap[i], runs->heap[(i - 1) / 2])) {
        swap(&runs->heap[i], &runs->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

/* Move the top of the heap on; it leaves when its segment ends. */
static bool advance_top(struct runs *runs, struct err *err)
{
    struct run *run = runs->heap[0];

    switch (segment_reader_next(run->reader, &run->head, err)) {
    case SEGMENT_RECORD: break;
    case SEGMENT_FAILED: return false;
    case SEGMENT_END:
        segment_reader_free(run->reader);
        run->reader = NULL;
        runs->heap[0] = runs->heap[--runs->open];
        break;
    }
    sift_down(runs);
    return true;
}

static bool open_next(struct runs *runs, struct err *err)
{
    struct run *run = runs->items[runs->reached];

    if (runs->open == RUNS_OPEN)
        return err_set(err, ERR_INTERNAL, "merge: more than %d segments overlap", RUNS_OPEN);
    if (run->reader == NULL)
        run->reader = open_run(runs, run, err);
    if (run->reader == NULL)
        return false;
    switch (segment_reader_next(run->reader, &run->head, err)) {
    case SEGMENT_RECORD: break;
    case SEGMENT_FAILED: return false;
    case SEGMENT_END: return err_set(err, ERR_INTERNAL, "merge: %s has shrunk", run->name);
    }
    runs->reached++;
    push(runs, run);
    return true;
}

enum segment_read runs_next(struct runs *runs, struct run_record *out, struct err *err)
{
    if (runs->given && !advance_top(runs, err))
        return SEGMENT_FAILED;
    runs->given = false;
    while (runs->reached < runs->count &&
           (runs->open == 0 || runs->items[runs->reached]->first <= runs->heap[0]->head.ordinal)) {
        if (!open_next(runs, err))
            return SEGMENT_FAILED;
    }
    if (runs->open == 0)
        return SEGMENT_END;

    const struct run *top = runs->heap[0];
    out->record = top->head;
    out->batch = &segment_reader_header(top->reader)->batches[top->head.batch];
    runs->given = true;
    return SEGMENT_RECORD;
}

bool runs_line(struct runs *runs, const char **line, struct err *err)
{
    return segment_reader_line(runs->heap[0]->reader, line, err);
}
