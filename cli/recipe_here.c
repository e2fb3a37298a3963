#include "cli/recipe_here.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/recipe_job.h"
#include "cli/session.h"
#include "common/base/xmem.h"
#include "common/input/source.h"
#include "common/recipe/bundle.h"

static void find_path(const struct session *session, const char *name, const char *file,
                      char out[RUN_PATH_MAX + 128])
{
    char job[JOB_NAME_MAX + 1];

    (void)job_round_parse(name, job);
    (void)snprintf(out, RUN_PATH_MAX + 128, "%.4000s/recipe/%s/%s", session_state_dir(session), job,
                   file);
}

bool recipe_here_is_one(const struct session *session, const char *job)
{
    char path[RUN_PATH_MAX + 128];

    if (session_state_dir(session) == NULL)
        return false;
    find_path(session, job, "bundle.json", path);
    return access(path, F_OK) == 0;
}

bool recipe_here_cap(const struct session *session, const char *job, struct buf *out,
                     struct err *err)
{
    char path[RUN_PATH_MAX + 128];

    buf_clear(out);
    find_path(session, job, RECIPE_JOB_CAP, path);
    return access(path, F_OK) != 0 || source_read_all(path, out, err);
}

static bool read_bundle(const char *path, struct recipe *recipe, struct bundle_origin *origin,
                        struct err *err)
{
    struct buf text = BUF_INIT(BUNDLE_MAX_BYTES);
    bool ok = source_read_all(path, &text, err) && bundle_origin(text.data, text.len, origin, err);

    if (ok && !recipe_from_bundle(text.data, text.len, recipe, err)) {
        bundle_origin_release(origin);
        ok = false;
    }
    buf_release(&text);
    return ok;
}

int recipe_here_run(const struct invocation *call, struct session *session,
                    const struct local_job *job)
{
    char path[RUN_PATH_MAX + 128];
    char name[JOB_NAME_MAX + 1];
    struct bundle_origin origin = {0};
    struct recipe *recipe = xcalloc(1, sizeof(*recipe));
    struct err err = {0};
    int code;

    (void)job_round_parse(job->name, name);
    find_path(session, job->name, "bundle.json", path);
    if (!read_bundle(path, recipe, &origin, &err)) {
        code = verb_fail(call, &err, NULL);
    } else {
        const struct recipe_job whole = {.call = call,
                                         .session = session,
                                         .recipe = recipe,
                                         .name = name,
                                         .sink = job->sink,
                                         .site = job->site,
                                         .rows = origin.path,
                                         .rows_fingerprint = origin.rows,
                                         .output = job->output,
                                         .overwrite = job->overwrite,
                                         .what = job->what};
        code = recipe_job_run(&whole);
        recipe_release(recipe);
        bundle_origin_release(&origin);
    }
    free(recipe);
    return code;
}
