#ifndef SIMULATOR_FILES_H
#define SIMULATOR_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct err;
struct folder;

/* One stored file: its bytes are files/<id>.data, this record is files/<id>.json. */
struct sim_file {
    int64_t seq; /* order of creation */
    char *id;
    char *filename;
    char *purpose;
    int64_t bytes;
    int64_t created_ms; /* unix */
    int64_t expires_ms; /* unix; 0: never */
    int64_t ready_ms;   /* unix; it is "pending" until then */
    bool broken;        /* its status is "error" */
};

/** All of them, oldest first. Zero-initialise, set @folder (borrowed). The owner serialises access.
 */
struct files {
    const struct folder *folder;
    struct sim_file **list;
    size_t count, cap;
    int64_t next_seq;
    int64_t next_end_ms; /* nothing expires before */
};

/** Read what the folder holds. */
MUST_CHECK bool files_load(struct files *f, struct err *err);

void files_release(struct files *f);

/** Delete the files whose time has come. */
void files_expire(struct files *f, int64_t now_ms);

/** The API's word for the state of @file: "pending", "processed" or "error". */
const char *files_status(const struct sim_file *file, int64_t now_ms);

/** NULL when there is none. */
struct sim_file *files_find(const struct files *f, const char *id);

/**
 * Move the file @path into the store. @meta needs all but seq and bytes; its
 * texts are taken, even on failure.
 */
MUST_CHECK bool files_add(struct files *f, struct sim_file meta, const char *path, struct err *err);

/** Forget @file and remove its bytes; who has them open still reads them. */
void files_delete(struct files *f, struct sim_file *file);

/** Open the bytes for reading; -1 when they are not there. */
int files_open(const struct files *f, const char *id);

#endif
