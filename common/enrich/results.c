#include "common/enrich/results.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/enrich/result_file.h"
#include "common/sink/generation.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

/* Files that stay open for reading again: a block's results are in few parts. */
#define OPEN_FILES 8

/* One of them. */
struct open_file {
    int fd; /* -1: none */
    uint32_t part;
    bool dead;
};

struct results {
    struct sink *sink;
    uint32_t parts;
    struct generations *generations;
    struct result_file *files[2]; /* [dead] of the part we are in */
    uint32_t part;                /* the next one */
    struct result_file *gave;     /* whose line was given out: it moves on first */

    struct open_file open[OPEN_FILES];
    size_t oldest; /* of them */
};

struct results *results_open(struct sink *sink, uint32_t parts, struct err *err)
{
    struct generations *generations = generations_load(sink, err);

    if (generations == NULL)
        return NULL;
    struct results *r = xcalloc(1, sizeof(*r));
    r->sink = sink;
    r->parts = parts;
    r->generations = generations;
    r->files[false] = result_file_new();
    r->files[true] = result_file_new();
    for (size_t i = 0; i < OPEN_FILES; i++)
        r->open[i].fd = -1;
    return r;
}

void results_close(struct results *r)
{
    if (r == NULL)
        return;
    result_file_free(r->files[false]);
    result_file_free(r->files[true]);
    for (size_t i = 0; i < OPEN_FILES; i++) {
        if (r->open[i].fd >= 0)
            (void)close(r->open[i].fd);
    }
    generations_free(r->generations);
    free(r);
}

static const char *name_of(const struct results *r, uint32_t part, bool dead,
                           char out[LAYOUT_NAME_MAX])
{
    uint32_t generation = generations_of_part(r->generations, part, GENERATION_ANY);

    return dead ? layout_dead(out, part, generation) : layout_out(out, part, generation);
}

static bool open_half(struct results *r, bool dead, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    int fd = sink_open_read(r->sink, name_of(r, r->part, dead, name), err);

    return fd >= 0 && result_file_open(r->files[dead], fd, name, err);
}

/* The next line of the part's file. */
static const struct result_line *peek(const struct results *r, bool dead, struct result *out)
{
    const struct result_line *line =
        result_file_line(r->files[dead], &out->line, &out->place.offset);

    if (line != NULL) {
        out->place.len = (uint32_t)out->line.len + 1;
        out->place.dead = dead;
        out->place.part = r->part - 1;
    }
    return line;
}

/* Pass over what was given out, and over parts that are at their end. */
static bool go_on(struct results *r, struct err *err)
{
    struct result ignored;

    if (r->gave != NULL && !result_file_next(r->gave, err))
        return false;
    r->gave = NULL;
    while (peek(r, false, &ignored) == NULL && peek(r, true, &ignored) == NULL &&
           r->part < r->parts) {
        if (!open_half(r, false, err) || !open_half(r, true, err))
            return false;
        r->part++;
    }
    return true;
}

static bool take(struct results *r, bool dead, const char *custom_id, struct result *out)
{
    struct result here = {.found = true, .ok = !dead};
    const struct result_line *line = peek(r, dead, &here);

    if (line == NULL || strcmp(line->custom_id, custom_id) != 0)
        return false;
    here.fields = *line;
    *out = here;
    r->gave = r->files[dead];
    return true;
}

static const char *id_at(const struct results *r, bool dead)
{
    struct result ignored;
    const struct result_line *line = peek(r, dead, &ignored);

    return line == NULL ? "nothing" : line->custom_id;
}

static bool is_at_end(const struct results *r)
{
    struct result ignored;

    return r->part == r->parts && peek(r, false, &ignored) == NULL &&
           peek(r, true, &ignored) == NULL;
}

static bool does_not_fit(const struct results *r, const char *what, struct err *err)
{
    return err_set(err, ERR_PERMANENT,
                   "%s: the results of part %" PRIu32 " do not fit the map of the round: %s, "
                   "there is %s among the results and %s among the failures",
                   sink_path(r->sink), r->part == 0 ? 0 : r->part - 1, what, id_at(r, false),
                   id_at(r, true));
}

bool results_next(struct results *r, const char *custom_id, struct result *out, struct err *err)
{
    char what[RESULT_ID_SIZE + 32];

    if (!go_on(r, err))
        return false;
    if (take(r, false, custom_id, out) || take(r, true, custom_id, out))
        return true;
    if (is_at_end(r)) {
        *out = (struct result){0};
        return true;
    }
    (void)snprintf(what, sizeof(what), "instead of %s", custom_id);
    return does_not_fit(r, what, err);
}

bool results_end(struct results *r, struct err *err)
{
    if (!go_on(r, err))
        return false;
    return is_at_end(r) || does_not_fit(r, "behind its last request", err);
}

/* A file descriptor to read the place's file with; it stays ours. */
static int open_place(struct results *r, const struct result_place *place, struct err *err)
{
    char name[LAYOUT_NAME_MAX];

    for (size_t i = 0; i < OPEN_FILES; i++) {
        const struct open_file *file = &r->open[i];

        if (file->fd >= 0 && file->part == place->part && file->dead == place->dead)
            return file->fd;
    }
    int fd = sink_open_read(r->sink, name_of(r, place->part, place->dead, name), err);
    if (fd < 0)
        return -1;
    struct open_file *slot = &r->open[r->oldest];
    r->oldest = (r->oldest + 1) % OPEN_FILES;
    if (slot->fd >= 0)
        (void)close(slot->fd);
    *slot = (struct open_file){.fd = fd, .part = place->part, .dead = place->dead};
    return fd;
}

static bool read_at(int fd, char *out, size_t len, uint64_t offset)
{
    while (len > 0) {
        ssize_t n = pread(fd, out, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO;
        if (n <= 0)
            return false;
        out += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

bool results_reread(struct results *r, const struct result_place *place, struct buf *out,
                    struct err *err)
{
    int fd = open_place(r, place, err);

    if (fd < 0)
        return false;
    buf_clear(out);
    if (place->len == 0 || !buf_reserve(out, place->len))
        return err_set(err, ERR_INTERNAL, "a result of %" PRIu32 " bytes cannot be read again",
                       place->len);
    if (!read_at(fd, out->data, place->len, place->offset))
        return err_set(err, ERR_UNAVAILABLE, "cannot read %s again: %s", sink_path(r->sink),
                       strerror(errno));
    out->len = place->len - 1;
    out->data[out->len] = '\0';
    return true;
}
