#include "cli/recipe_audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/audit_print.h"
#include "cli/core/json_put.h"
#include "cli/recipe_kept.h"
#include "cli/run_plan.h"
#include "cli/session.h"
#include "cli/temp_folder.h"
#include "common/base/xmem.h"
#include "common/enrich/integrate.h"
#include "common/merge/audit.h"
#include "common/merge/publish.h"
#include "common/merge/publish_file.h"

#define TEXT_MAX (4u << 20)

/* OUTPUT made once more, beside nothing. */
struct copy {
    char folder[TEMP_FOLDER_MAX];
    struct publish_paths paths;
};

static bool make_folder(struct copy *c, const char *output, struct err *err)
{
    const char *name = strrchr(output, '/');
    char path[RUN_PATH_MAX + 300];

    if (!temp_folder_make("audit", c->folder, err))
        return false;
    (void)snprintf(path, sizeof(path), "%s/%.255s", c->folder, name != NULL ? name + 1 : output);
    return publish_paths(path, &c->paths, err);
}

static void remove_copy(const struct copy *c)
{
    if (c->folder[0] == '\0')
        return;
    (void)unlink(c->paths.out);
    (void)unlink(c->paths.errors);
    (void)unlink(c->paths.report);
    (void)rmdir(c->folder);
}

static bool is_same(const char *path, const struct report_file *wanted, bool *same, struct err *err)
{
    struct report_file file;
    bool found = false;

    if (!publish_file_hash(path, &file, &found, err))
        return false;
    *same = found && file.bytes == wanted->bytes && strcmp(file.sha256, wanted->sha256) == 0;
    return true;
}

/* *@differs: the name of the file that is not as it should be; NULL: both are. */
static bool compare(const struct recipe_kept *k, const char *output, struct copy *c,
                    struct publish_paths *paths, const char **differs, struct err *err)
{
    const struct report_times times = recipe_rounds_times(&k->rounds);
    const struct enrich_job job = {.recipe = &k->recipe,
                                   .input = k->origin.path,
                                   .options = &k->recipe.rows,
                                   .rounds = k->rounds.views,
                                   .round_count = k->rounds.count,
                                   .closed = recipe_rounds_cancelled(&k->rounds)};
    struct enrich_report report = {0};
    bool out = false;
    bool errors = false;

    if (!publish_paths(output, paths, err) || !make_folder(c, output, err) ||
        !enrich_integrate(&job, c->paths.out, true, &times, &report, NULL, err))
        return false;
    bool ok = is_same(paths->out, &report.jobs.out, &out, err) &&
              is_same(paths->errors, &report.jobs.dead, &errors, err);
    enrich_report_release(&report);
    *differs = !out ? paths->out : errors ? NULL : paths->errors;
    return ok;
}

static bool audit_rounds(const struct recipe_kept *k, bool json, bool *passed, struct buf *text,
                         struct err *err)
{
    *passed = true;
    json_put_raw(text, json ? "{\"schema\":1,\"rounds\":[" : "");
    for (size_t i = 0; i < k->rounds.count; i++) {
        const struct recipe_round *round = k->rounds.items[i];
        struct audit result = {0};

        if (!audit_run(round->sink, &round->finish.spec, NULL, NULL, NULL, &result, err))
            return err_wrap(err, "round %zu", i + 1);
        *passed = *passed && audit_passed(&result);
        if (json) {
            json_put_raw(text, i > 0 ? "," : "");
            audit_print_json(&result, text);
        } else {
            json_put_raw_fmt(text, "round %zu ", i + 1);
            audit_print(&result, text);
        }
    }
    json_put_raw(text, json ? "]" : "");
    return true;
}

static void put_output(const char *output, const char *differs, bool json, struct buf *text)
{
    if (json) {
        json_put_raw(text, ",\"output\":");
        json_put_text(text, output);
        json_put_raw(text, ",\"differs\":");
        json_put_text(text, differs);
    } else if (output != NULL && differs == NULL) {
        json_put_raw_fmt(text, "passed: %s and its errors file are what rows and answers make\n",
                         output);
    } else if (output != NULL) {
        json_put_raw_fmt(text, "NOT PASSED: %s is not what rows and answers make\n", differs);
    }
}

static bool audit(const struct options *o, const struct recipe_kept *k, bool *passed,
                  struct buf *text, struct err *err)
{
    struct copy *c = xcalloc(1, sizeof(*c));
    struct publish_paths *paths = xcalloc(1, sizeof(*paths));
    const char *differs = NULL;
    bool ok = audit_rounds(k, o->json, passed, text, err) &&
              (o->output == NULL || compare(k, o->output, c, paths, &differs, err));

    if (ok) {
        put_output(o->output, differs, o->json, text);
        *passed = *passed && differs == NULL;
        if (o->json)
            json_put_raw_fmt(text, ",\"passed\":%s}\n", *passed ? "true" : "false");
    }
    remove_copy(c);
    free(paths);
    free(c);
    return ok;
}

int recipe_audit_run(struct invocation *call, const char *job)
{
    struct recipe_kept *k = xcalloc(1, sizeof(*k));
    struct buf text = BUF_INIT(TEXT_MAX);
    struct err err = {0};
    struct session *session = session_open(&call->options, &err);
    bool passed = false;
    bool ok = session != NULL && recipe_kept_open(session, job, k, &err);

    session_close(session);
    if (ok) {
        ok = recipe_kept_check_rows(k, &err) && audit(&call->options, k, &passed, &text, &err);
        recipe_kept_release(k);
    }
    free(k);
    if (ok)
        (void)fwrite(text.data, 1, text.len, stdout);
    buf_release(&text);
    if (!ok)
        return recipe_kept_fail(call, &err);
    return passed ? EXIT_CODE_OK : EXIT_CODE_AUDIT;
}
