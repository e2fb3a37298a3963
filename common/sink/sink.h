#ifndef SINK_SINK_H
#define SINK_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/model/job_spec.h"

/*
 * Where results are kept: the commit point of everything. One kind so far,
 * "dir:/abs/path", one folder per job in it. Every file is put if absent: its
 * name comes from what it holds, its content is a pure function of that, so
 * whoever comes second finds it there and adopts it. A file appears whole and
 * fsynced, or not at all; dying at any point leaves no litter.
 *
 * Names are relative to the job's folder and come from sink/layout.h. Failures
 * of the disk (full, over quota, broken, read-only) are ERR_UNAVAILABLE and
 * name the path.
 */

struct sink;

/** Characters of a sink's folder path, with the NUL. */
#define SINK_PATH_MAX 1280

/** ERR_USAGE when @url is no sink's address: a "dir:" and an absolute path. */
MUST_CHECK bool sink_check_url(const char *url, struct err *err);

/**
 * Open the folder of incarnation @ji of @job. With @create it is made, with its
 * parents; else a folder that does not exist is ERR_NO_JOB. NULL (with @err) on
 * failure. Free with sink_close().
 */
struct sink *sink_open(const char *url, const char *job, const char *ji, bool create,
                       struct err *err);

/** NULL is fine. */
void sink_close(struct sink *sink);

/**
 * The incarnation of @job that lives at @url: the one folder that holds a
 * job.json. ERR_NO_JOB when there is none (or nothing at all at @url),
 * ERR_CONFLICT when there are several.
 */
MUST_CHECK bool sink_find(const char *url, const char *job, char ji[JOB_JI_LEN + 1],
                          struct err *err);

/*
 * Deleting a job's folder, in two steps: it is renamed to a name that no job's
 * folder can have, ".trash-<job>.<ji>~", and is gone with that; then it is deleted.
 */

/** The first step; success also when the sink has no such folder. ERR_UNAVAILABLE when
 * it fails, or there is no sink at @url at all. */
MUST_CHECK bool sink_trash(const char *url, const char *job, const char *ji, struct err *err);

/** Take the first step back. ERR_NO_JOB when there is nothing to take back. */
MUST_CHECK bool sink_untrash(const char *url, const char *job, const char *ji, struct err *err);

/**
 * The second step, for all that was trashed at @url, also by somebody who died
 * before it. Blocks as long as deleting takes. ERR_UNAVAILABLE names the first
 * path that could not be deleted; the rest is gone all the same.
 */
MUST_CHECK bool sink_empty_trash(const char *url, struct err *err);

/** Absolute path of the job's folder, for messages. Lives as long as @sink. */
const char *sink_path(const struct sink *sink);

/** A file that is being written: nobody sees it before sink_commit(). */
struct sink_writer;

/** Begin file @name (its folder is made). NULL (with @err) on failure. */
struct sink_writer *sink_begin(struct sink *sink, const char *name, struct err *err);

/**
 * Append bytes (copied or written at once). Large files are pushed to the disk
 * on the way, so no later fsync waits for long. After a failure only
 * sink_abort() is left.
 */
MUST_CHECK bool sink_write(struct sink_writer *w, const void *bytes, size_t len, struct err *err);

/** sink_write() for callers that pass a function and a void pointer, as segment_write() takes. */
MUST_CHECK bool sink_write_fn(void *writer, const void *bytes, size_t len, struct err *err);

/**
 * Fsync the file and give it its name. @existed (may be NULL): another writer
 * was first, its file stays and ours is gone, which is a success too. Frees @w
 * in every case.
 */
MUST_CHECK bool sink_commit(struct sink_writer *w, bool *existed, struct err *err);

/** Forget the file. NULL is fine. */
void sink_abort(struct sink_writer *w);

/** begin, write and commit in one. */
MUST_CHECK bool sink_publish(struct sink *sink, const char *name, const void *bytes, size_t len,
                             bool *existed, struct err *err);

/** *@exists: whether @name is there. False on failures other than "not there". */
MUST_CHECK bool sink_exists(struct sink *sink, const char *name, bool *exists, struct err *err);

/**
 * A file descriptor to read @name from; the caller closes it. -1 (with @err) on
 * failure; ERR_PERMANENT when it is not there.
 */
int sink_open_read(struct sink *sink, const char *name, struct err *err);

/** Append the whole of @name to @out; over the limit of @out is ERR_PERMANENT. */
MUST_CHECK bool sink_read(struct sink *sink, const char *name, struct buf *out, struct err *err);

/** Called once for each name, without its folder, in byte order; false stops with @err as set. */
typedef bool (*sink_list_fn)(const char *name, void *arg, struct err *err);

/** List the files of @folder ("" for the job's own). A folder that is not there is empty. */
MUST_CHECK bool sink_list(struct sink *sink, const char *folder, sink_list_fn fn, void *arg,
                          struct err *err);

/**
 * A nameless file for reading and writing in the job's folder, for passes that
 * do not fit in memory; gone when closed. -1 (with @err) on failure.
 */
int sink_temporary(struct sink *sink, struct err *err);

#endif
