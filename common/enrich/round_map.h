#ifndef ENRICH_ROUND_MAP_H
#define ENRICH_ROUND_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/digest/sha256.h"
#include "common/enrich/render.h"

struct buf;

/*
 * The map of a round: which rows each of its requests asks about, and why a pair of the round is in
 * no request. With it the results of the round find their rows; neither rows nor recipe are needed
 * to read it. Every block of the rows is there in every round, also one in which nothing is asked,
 * with the checksum of its rows: so it is seen whether they are the same when answers come.
 *
 * The file: "SHEAFMAP", then records of a length, a CRC-32C and that many bytes. The first says
 * what round of what it is, then follows one for each block, and the last one has the sums: a file
 * without it is cut off. Numbers are little-endian base 128. Requests of one row that follow one
 * another take a few bytes together.
 */

/** Version of the format: a program that does not know it refuses the map. */
#define ROUND_MAP_VERSION 1

/** Whose map it is. */
struct round_map_id {
    char recipe[SHA256_HEX_LEN + 1]; /* digest of the recipe */
    char rows[SHA256_HEX_LEN + 1];   /* fingerprint of the rows */
    uint32_t round;                  /* from 1 */
    uint32_t analyses;               /* of the recipe */
};

/** Sums of one analysis in a round. */
struct round_count {
    uint64_t requests;
    uint64_t pairs[RENDER_CODES]; /* by enum render_code: [RENDER_ASKED] are in a request */
    uint64_t tokens;              /* estimate of the input of its requests */
    uint64_t max_output;          /* sum of the ceilings */
    uint64_t unbounded;           /* requests without a ceiling */
};

/** Sums of a round. Zero-initialise; release with round_counts_release(). */
struct round_counts {
    uint64_t rows, blocks, requests;
    uint64_t bytes;               /* of the request lines */
    struct round_count *analyses; /* @count of them */
    uint32_t count;
};

void round_counts_init(struct round_counts *counts, uint32_t analyses);
void round_counts_release(struct round_counts *counts);

/** A copy into *@out, which owns nothing. */
void round_counts_copy(struct round_counts *out, const struct round_counts *counts);

/** Count a block of @rows rows, or an item of it. */
void round_counts_block(struct round_counts *counts, size_t rows);
void round_counts_item(struct round_counts *counts, const struct render_item *item);

/* Writing. */

/** Takes the next @len bytes; false (with @err) stops the writer. */
typedef bool (*round_map_write_fn)(void *arg, const void *bytes, size_t len, struct err *err);

struct round_map_writer;

/**
 * Writes the map of @id (copied) through @write. Holds one block. Never NULL. Free with
 * round_map_writer_free(). The calls below come in the order of the rendering; after a failure
 * only the free is left.
 */
struct round_map_writer *round_map_writer_new(const struct round_map_id *id,
                                              round_map_write_fn write, void *arg);
MUST_CHECK bool round_map_block(struct round_map_writer *w, const struct block *block,
                                struct err *err);

/**
 * An item of the block. @ids (NULL: they are not kept) are those of the item's rows, as a pack's
 * answer names them; kept of packed analyses only.
 */
MUST_CHECK bool round_map_item(struct round_map_writer *w, const struct render_item *item,
                               const char *const *ids, struct err *err);

/** The end. */
MUST_CHECK bool round_map_end(struct round_map_writer *w, const struct round_counts *counts,
                              struct err *err);
void round_map_writer_free(struct round_map_writer *w);

/* Reading. All in a block is borrowed until the next call for the map. */

struct map_request {
    uint32_t analysis;
    bool multimodal;
    uint64_t tokens;      /* estimate of its input */
    uint64_t max_output;  /* 0: no ceiling */
    const uint32_t *rows; /* in the block, ascending */
    size_t row_count;
    const char *const *ids; /* of the rows; NULL where the analysis does not pack */
};

/** A pair of the round that is in no request. */
struct map_pair {
    uint32_t analysis;
    uint32_t row;          /* in the block */
    enum render_code code; /* never RENDER_ASKED */
    const char *why;
};

struct map_block {
    uint64_t first; /* index of its first row */
    size_t rows;
    uint32_t sum;                       /* of the rows, as struct block has it */
    const struct map_request *requests; /* in the order of their lines */
    size_t request_count;
    const struct map_pair *pairs; /* by analysis, then by row */
    size_t pair_count;
};

struct round_map;

/**
 * Read the map that @fd stands at the start of; @fd is taken, also on failure. @name (copied) is
 * for messages. NULL (with @err) on failure: ERR_PERMANENT when it is no map or broken, ERR_USAGE
 * when it is of a version that this program does not read. Free with round_map_close().
 */
struct round_map *round_map_new(int fd, const char *name, struct err *err);

/** NULL is fine. */
void round_map_close(struct round_map *map);

const struct round_map_id *round_map_id(const struct round_map *map);

/** ERR_CONFLICT, in words, when the map is not that of @id. */
MUST_CHECK bool round_map_check(const struct round_map *map, const struct round_map_id *id,
                                struct err *err);

/** The next block into *@out; *@end instead behind the last one. ERR_PERMANENT when broken. */
MUST_CHECK bool round_map_next(struct round_map *map, const struct map_block **out, bool *end,
                               struct err *err);

/** The sums; only once round_map_next() has said that it is the end. */
const struct round_counts *round_map_counts(const struct round_map *map);

/** Append a row's index as custom_ids have it: with at least four digits. */
MUST_CHECK bool round_put_index(struct buf *out, uint64_t index);

/** What a request's custom_id is: "topics_0012"; into @out, which it clears. */
MUST_CHECK bool round_custom_id(struct buf *out, const char *analysis, uint64_t first_row);

#endif
