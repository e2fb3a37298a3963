#include "common/merge/publish_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/failpoint.h"
#include "common/base/xmem.h"
#include "common/json/scan.h"
#include "common/merge/publish_file.h"

#define REPORT_MAX_BYTES (64u << 20)

/* What lies where we want to write. */
struct present {
    bool report;                 /* there is a file of the report's name */
    bool same_job;               /* and it is the report of this job */
    bool output;                 /* there is a file of OUTPUT's name */
    bool ours;                   /* and it is what that report says, or says it replaces */
    bool whole;                  /* it is what the report says */
    struct report_file now;      /* OUTPUT as it is */
    struct publish_known says;   /* that report */
    struct report_file replaces; /* OUTPUT as it was before, as that report says */
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
    if ((len > 3 && strcmp(output + len - 3, ".gz") == 0) ||
        (len > 4 && strcmp(output + len - 4, ".zst") == 0))
        return err_set(err, ERR_USAGE, "output \"%s\": what is written is not compressed", output);
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
    if (!json_to_int64(&generation, &out->says.generation))
        out->says.generation = -1;
    parse_file(&files, "output", &out->says.out);
    parse_file(&files, "errors", &out->says.errors);
    parse_file(&files, "replaces", &out->replaces);
}

bool publish_same_file(const struct report_file *a, const struct report_file *b)
{
    return a->bytes == b->bytes && a->sha256[0] != '\0' && strcmp(a->sha256, b->sha256) == 0;
}

static bool look_around(const struct publish_paths *paths, const struct job_spec *spec,
                        struct present *out, struct err *err)
{
    struct buf text = BUF_INIT(REPORT_MAX_BYTES);
    struct present found = {.says.generation = -1};
    struct stat st;

    found.report = lstat(paths->report, &st) == 0;
    if (found.report && read_text(paths->report, &text))
        parse_report(&text, spec, &found);
    buf_release(&text);
    if (!publish_file_hash(paths->out, &found.now, &found.output, err))
        return false;
    found.whole = found.output && found.same_job && publish_same_file(&found.now, &found.says.out);
    found.ours = found.whole ||
                 (found.output && found.same_job && publish_same_file(&found.now, &found.replaces));
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

struct publish_set {
    struct publish_paths paths;
    struct present present;
    bool overwrite;
    struct publish_file *out, *errors, *report;
};

struct publish_set *publish_set_new(const char *output, const struct job_spec *spec, bool overwrite,
                                    struct err *err)
{
    struct publish_set *set = xcalloc(1, sizeof(*set));

    set->overwrite = overwrite;
    if (publish_paths(output, &set->paths, err) &&
        check(&set->paths, spec, overwrite, &set->present, err))
        return set;
    publish_set_free(set);
    return NULL;
}

void publish_set_free(struct publish_set *set)
{
    if (set == NULL)
        return;
    publish_file_free(set->out);
    publish_file_free(set->errors);
    publish_file_free(set->report);
    free(set);
}

bool publish_check(const char *output, const struct job_spec *spec, bool overwrite, struct err *err)
{
    struct publish_set *set = publish_set_new(output, spec, overwrite, err);

    publish_set_free(set);
    return set != NULL;
}

const struct publish_paths *publish_set_paths(const struct publish_set *set)
{
    return &set->paths;
}

const struct report_file *publish_set_replaces(const struct publish_set *set)
{
    return set->present.ours ? &set->present.now : NULL;
}

bool publish_set_known(struct publish_set *set, const struct publish_known **out, struct err *err)
{
    struct report_file errors;
    bool found = false;

    *out = NULL;
    if (!set->present.whole)
        return true;
    if (!publish_file_hash(set->paths.errors, &errors, &found, err))
        return false;
    if (found && publish_same_file(&errors, &set->present.says.errors))
        *out = &set->present.says;
    return true;
}

bool publish_set_begin(struct publish_set *set, struct err *err)
{
    set->errors = publish_file_new(set->paths.errors, err);
    set->report = set->errors == NULL ? NULL : publish_file_new(set->paths.report, err);
    set->out = set->report == NULL ? NULL : publish_file_new(set->paths.out, err);
    return set->out != NULL;
}

struct publish_file *publish_set_out(const struct publish_set *set)
{
    return set->out;
}

struct publish_file *publish_set_errors(const struct publish_set *set)
{
    return set->errors;
}

/* An errors file without a report of ours beside it: left by a kill between the two, or the user's.
 */
static bool check_errors(const struct publish_set *set, const struct report_file *errors,
                         struct err *err)
{
    struct report_file now;
    bool found;

    if (set->overwrite || set->present.same_job)
        return true;
    if (!publish_file_hash(set->paths.errors, &now, &found, err))
        return false;
    if (!found || publish_same_file(&now, errors))
        return true;
    return err_set(err, ERR_CONFLICT, "%s exists and was not made by this job", set->paths.errors);
}

static bool name_all(struct publish_set *set, struct err *err)
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

bool publish_set_name(struct publish_set *set, const struct report_file *errors, const char *report,
                      size_t len, struct err *err)
{
    struct report_file written;

    return publish_file_write(set->report, report, len, err) &&
           publish_file_finish(set->report, &written, err) && check_errors(set, errors, err) &&
           name_all(set, err);
}
