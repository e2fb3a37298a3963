#include "common/merge/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/failpoint.h"
#include "common/json/scan.h"
#include "common/merge/publish_file.h"
#include "common/sink/generation.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"
#include "common/sink/sink_trail.h"

#define REPORT_MAX_BYTES (16u << 20)
#define TRAIL_MAX        100 /* the newest entries */

/* What lies where we want to write. */
struct present {
    bool report;                    /* there is a file of the report's name */
    bool same_job;                  /* and it is the report of this job */
    int64_t generation;             /* of that report; -1: it has none */
    bool output;                    /* there is a file of OUTPUT's name */
    bool ours;                      /* and it is what that report says, or says it replaces */
    bool whole;                     /* it is what the report says */
    struct report_file now;         /* OUTPUT as it is */
    struct report_file out, errors; /* as that report says */
    struct report_file replaces;    /* OUTPUT as it was before, as that report says */
};

static bool join(char out[PUBLISH_PATH_MAX], const char *stem, size_t stem_len, const char *suffix,
                 struct err *err)
{
    int n = snprintf(out, PUBLISH_PATH_MAX, "%.*s%s", (int)stem_len, stem, suffix);

    if (n < 0 || n >= PUBLISH_PATH_MAX)
        return err_set(err, ERR_USAGE, "the output's path is too long");
    return true;
}

bool publish_paths(const char *output, struct publish_paths *paths, struct err *err)
{
    size_t len = strlen(output);

    if (len == 0 || output[len - 1] == '/')
        return err_set(err, ERR_USAGE, "output \"%s\" is not a file's name", output);
    if (len >= PUBLISH_PATH_MAX)
        return err_set(err, ERR_USAGE, "the output's path is too long");
    const char *slash = strrchr(output, '/');
    const char *base = slash == NULL ? output : slash + 1;
    const char *dot = strrchr(base, '.');
    size_t stem = dot == NULL || dot == base ? len : (size_t)(dot - output);
    return join(paths->out, output, len, "", err) &&
           join(paths->errors, output, stem, ".errors.jsonl", err) &&
           join(paths->report, output, stem, ".report.json", err);
}

static bool read_text(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char chunk[16384];
    ssize_t n = -1;

    if (fd < 0)
        return false;
    while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
        if (!buf_append(out, chunk, (size_t)n)) {
            n = -1;
            break;
        }
    }
    (void)close(fd);
    return n == 0;
}

static void parse_file(const struct json_value *files, const char *name, struct report_file *out)
{
    struct json_value file = json_member(files, name);
    struct json_value sha = json_member(&file, "sha256");
    struct json_value bytes = json_member(&file, "bytes");
    int64_t n = -1;

    if (!json_string_decode(&sha, out->sha256, sizeof(out->sha256), NULL) ||
        !json_to_int64(&bytes, &n) || n < 0)
        *out = (struct report_file){0};
    else
        out->bytes = (uint64_t)n;
}

/* Read the report at @path, whoever wrote it. */
static void parse_report(const struct buf *text, const struct job_spec *spec, struct present *out)
{
    struct json_value doc;

    if (!json_scan(text->data, text->len, &doc, NULL))
        return;
    struct json_value job = json_member(&doc, "job");
    struct json_value ji = json_member(&doc, "ji");
    struct json_value files = json_member(&doc, "files");
    struct json_value generation = json_member(&doc, "generation");

    out->same_job = json_string_equals(&job, spec->job) && json_string_equals(&ji, spec->ji);
    if (!json_to_int64(&generation, &out->generation))
        out->generation = -1;
    parse_file(&files, "output", &out->out);
    parse_file(&files, "errors", &out->errors);
    parse_file(&files, "replaces", &out->replaces);
}

static bool same_file(const struct report_file *a, const struct report_file *b)
{
    return a->bytes == b->bytes && a->sha256[0] != '\0' && strcmp(a->sha256, b->sha256) == 0;
}

static bool look_around(const struct publish_paths *paths, const struct job_spec *spec,
                        struct present *out, struct err *err)
{
    struct buf text = BUF_INIT(REPORT_MAX_BYTES);
    struct present found = {.generation = -1};
    struct stat st;

    found.report = lstat(paths->report, &st) == 0;
    if (found.report && read_text(paths->report, &text))
        parse_report(&text, spec, &found);
    buf_release(&text);
    if (!publish_file_hash(paths->out, &found.now, &found.output, err))
        return false;
    found.whole = found.output && found.same_job && same_file(&found.now, &found.out);
    found.ours =
        found.whole || (found.output && found.same_job && same_file(&found.now, &found.replaces));
    *out = found;
    return true;
}

static bool check_folder(const char *output, struct err *err)
{
    char folder[PUBLISH_PATH_MAX];
    struct stat st;

    (void)snprintf(folder, sizeof(folder), "%s", output);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        (void)snprintf(folder, sizeof(folder), ".");
    else
        slash[slash == folder] = '\0';
    if (stat(folder, &st) != 0)
        return err_set(err, ERR_USAGE, "the output's folder %s: %s", folder, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_USAGE, "%s is not a folder", folder);
    if (access(folder, W_OK | X_OK) != 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot write in %s: %s", folder, strerror(errno));
    return true;
}

static bool check_plain(const char *path, struct err *err)
{
    struct stat st;

    if (stat(path, &st) != 0 || S_ISREG(st.st_mode))
        return true;
    return err_set(err, ERR_USAGE, "%s is %s", path,
                   S_ISDIR(st.st_mode) ? "a folder" : "not a plain file");
}

static bool check(const struct publish_paths *paths, const struct job_spec *spec, bool overwrite,
                  struct present *present, struct err *err)
{
    if (!check_folder(paths->out, err) || !check_plain(paths->out, err) ||
        !check_plain(paths->errors, err) || !check_plain(paths->report, err) ||
        !look_around(paths, spec, present, err))
        return false;
    if (overwrite)
        return true;
    if (present->output && !present->ours)
        return err_set(err, ERR_CONFLICT, "%s exists and was not made by job \"%s\"", paths->out,
                       spec->job);
    if (present->report && !present->same_job)
        return err_set(err, ERR_CONFLICT, "%s exists and was not made by job \"%s\"", paths->report,
                       spec->job);
    return true;
}

bool publish_check(const char *output, const struct job_spec *spec, bool overwrite, struct err *err)
{
    struct publish_paths paths;
    struct present present;

    return publish_paths(output, &paths, err) && check(&paths, spec, overwrite, &present, err);
}

/* Where all of it comes from. */
struct origin {
    struct sink *sink;
    const struct job_spec *spec;
    const struct report_times *times;
    struct generations *generations;
    uint32_t parts;
};

typedef const char *(*layout_fn)(char out[LAYOUT_NAME_MAX], uint32_t part, uint32_t generation);

/* One file from the parts' files; @expected bytes, as the parts' reports say. */
static bool assemble(struct publish_file *f, const struct origin *from, layout_fn layout,
                     struct report_file *file, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    uint64_t expected = file->bytes;

    for (uint32_t part = 0; part < from->parts; part++) {
        uint32_t generation = generations_of_part(from->generations, part, GENERATION_ANY);

        if (!publish_file_copy(f, from->sink, layout(name, part, generation), err))
            return false;
    }
    if (!publish_file_finish(f, file, err))
        return false;
    if (file->bytes == expected)
        return true;
    return err_set(err, ERR_PERMANENT,
                   "%s: the merged parts have %" PRIu64 " bytes instead of %" PRIu64,
                   sink_path(from->sink), file->bytes, expected);
}

struct set {
    struct publish_file *out, *errors, *report;
};

static bool write_report(struct publish_file *f, const struct origin *from,
                         struct report_paths *paths, const struct report *report, struct err *err)
{
    struct buf doc = BUF_INIT(REPORT_MAX_BYTES);
    struct buf trail = BUF_INIT(REPORT_MAX_BYTES / 2);
    struct report_file written;
    bool ok = false;

    /* It is for people, and no reason to have no results. */
    if (sink_trail_put_json(from->sink, TRAIL_MAX, &trail, NULL))
        paths->trail = trail.data;
    if (!report_write_json(report, from->spec, from->times, paths, &doc))
        err_set(err, ERR_INTERNAL, "the job's report is too long");
    else
        ok = publish_file_write(f, doc.data, doc.len, err) && publish_file_finish(f, &written, err);
    buf_release(&doc);
    buf_release(&trail);
    return ok;
}

static bool write_set(struct set *set, const struct origin *from, const struct publish_paths *paths,
                      const struct present *present, struct report *report, struct err *err)
{
    struct report_paths named = {
        .out = paths->out, .dead = paths->errors, .replaces = present->ours ? &present->now : NULL};

    set->errors = publish_file_new(paths->errors, err);
    set->report = set->errors == NULL ? NULL : publish_file_new(paths->report, err);
    set->out = set->report == NULL ? NULL : publish_file_new(paths->out, err);
    return set->out != NULL && assemble(set->errors, from, layout_dead, &report->dead, err) &&
           assemble(set->out, from, layout_out, &report->out, err) &&
           write_report(set->report, from, &named, report, err);
}

/* OUTPUT last: it is the mark that all three are there. */
static bool name_set(struct set *set, struct err *err)
{
    if (!publish_file_name(set->errors, err))
        return false;
    FAILPOINT("publish.errors");
    if (!publish_file_name(set->report, err))
        return false;
    FAILPOINT("publish.report");
    if (!publish_file_name(set->out, err))
        return false;
    FAILPOINT("publish.output");
    return true;
}

/* An errors file without a report of ours beside it: left by a kill between the two, or the user's.
 */
static bool check_errors(const struct publish_paths *paths, const struct present *present,
                         const struct report *report, struct err *err)
{
    struct report_file now;
    bool found;

    if (present->same_job)
        return true;
    if (!publish_file_hash(paths->errors, &now, &found, err))
        return false;
    if (!found || same_file(&now, &report->dead))
        return true;
    return err_set(err, ERR_CONFLICT, "%s exists and was not made by this job", paths->errors);
}

static bool is_published(const struct publish_paths *paths, const struct present *present,
                         const struct report *report, bool *published, struct err *err)
{
    struct report_file errors;
    bool found = false;

    *published = false;
    if (!present->whole || present->generation != report->generation ||
        present->out.bytes != report->out.bytes || present->errors.bytes != report->dead.bytes)
        return true;
    if (!publish_file_hash(paths->errors, &errors, &found, err))
        return false;
    *published = found && same_file(&errors, &present->errors);
    return true;
}

bool publish_output(struct sink *sink, const struct job_spec *spec, uint32_t parts,
                    const char *output, bool overwrite, const struct report_times *times,
                    struct report *report, bool *adopted, struct err *err)
{
    struct publish_paths paths;
    struct present present;
    struct report total = {0};
    struct set set = {0};
    struct origin from = {.sink = sink, .spec = spec, .times = times, .parts = parts};
    bool published = false;
    bool ok = false;

    from.generations = generations_load(sink, err);
    if (from.generations == NULL || !publish_paths(output, &paths, err) ||
        !check(&paths, spec, overwrite, &present, err) ||
        !report_collect(sink, parts, &total, err) ||
        !is_published(&paths, &present, &total, &published, err))
        goto out;
    if (published) {
        total.out = present.out;
        total.dead = present.errors;
    } else if (!write_set(&set, &from, &paths, &present, &total, err) ||
               (!overwrite && !check_errors(&paths, &present, &total, err)) || !name_set(&set, err))
        goto out;
    *report = total;
    total = (struct report){0};
    if (adopted != NULL)
        *adopted = published;
    ok = true;
out:
    publish_file_free(set.out);
    publish_file_free(set.errors);
    publish_file_free(set.report);
    generations_free(from.generations);
    report_release(&total);
    return ok;
}
