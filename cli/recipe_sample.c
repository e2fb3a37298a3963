#include "cli/recipe_sample.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/local_run.h"
#include "cli/person.h"
#include "cli/recipe_given.h"
#include "cli/recipe_job.h"
#include "cli/recipe_sample_print.h"
#include "cli/run_plan.h"
#include "cli/session.h"
#include "cli/temp_folder.h"
#include "cli/trail.h"
#include "common/base/xmem.h"
#include "common/enrich/sample.h"
#include "common/input/line_reader.h"
#include "common/input/source.h"
#include "common/rows/row_writer.h"
#include "common/rows/rows.h"

#define LINE_MAX_BYTES (64u << 20)
#define NAME           "sample"

/* A trial: its folder holds everything, and goes away with it. */
struct trial {
    struct invocation *call;
    const struct recipe_given *given;
    struct recipe recipe; /* a shallow copy: its rows are the sample's */
    char encoding[8];     /* of these */
    struct sample sample;
    char folder[TEMP_FOLDER_MAX];
    char rows[RUN_PATH_MAX + 32];
    char output[RUN_PATH_MAX + 32];
};

/* ---- the rows */

static bool write_file(void *arg, const void *bytes, size_t len, struct err *err)
{
    return fwrite(bytes, 1, len, arg) == len ||
           err_set(err, ERR_UNAVAILABLE, "the sample's rows: %s", strerror(errno));
}

/* The chosen ones among all rows. */
static bool copy_chosen(const struct trial *t, struct rows *rows, struct row_writer *w,
                        struct err *err)
{
    struct row row;
    bool end = false;
    size_t next = 0;

    while (next < t->sample.count) {
        if (!rows_next(rows, &row, &end, err) || end)
            return end ? err_set(err, ERR_INPUT, "%s: its rows have changed", rows_name(rows))
                       : false;
        if (row.index != t->sample.rows[next].index)
            continue;
        if (!row_writer_add(w, &row, NULL, 0, err))
            return false;
        next++;
    }
    return true;
}

static bool write_rows(const struct trial *t, struct err *err)
{
    struct rows *rows = rows_open(t->given->input, &t->given->recipe->rows, err);
    FILE *file = rows != NULL ? fopen(t->rows, "we") : NULL;
    struct row_writer *w = NULL;
    bool ok = file != NULL;

    if (rows != NULL && file == NULL)
        (void)err_set(err, ERR_UNAVAILABLE, "%s: %s", t->rows, strerror(errno));
    if (ok) {
        w = row_writer_new(ROW_FORM_JSONL, NULL, write_file, file);
        ok = copy_chosen(t, rows, w, err) && row_writer_end(w, err);
    }
    row_writer_free(w);
    if (file != NULL && fclose(file) != 0 && ok)
        ok = err_set(err, ERR_UNAVAILABLE, "%s: %s", t->rows, strerror(errno));
    rows_close(rows);
    return ok;
}

/* ---- the folder */

static bool make_folder(struct trial *t, struct err *err)
{
    if (!temp_folder_make("sample", t->folder, err))
        return false;
    (void)snprintf(t->rows, sizeof(t->rows), "%s/rows.jsonl", t->folder);
    (void)snprintf(t->output, sizeof(t->output), "%s/out.jsonl", t->folder);
    return true;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    (void)remove(path);
    return 0;
}

/* ---- what came back */

static bool next_line(struct line_reader *reader, struct json_value *out, struct err *err)
{
    struct line line;
    bool end = false;

    return line_reader_next(reader, &line, &end, err) && !end &&
           json_scan(line.text, line.text_len, out, NULL);
}

static bool print_rows(const struct trial *t, struct line_reader *inputs,
                       struct line_reader *answers, struct err *err)
{
    struct json_value input;
    struct json_value answer;

    for (size_t i = 0; i < t->sample.count; i++) {
        struct buf text = BUF_INIT(4 * (size_t)LINE_MAX_BYTES);

        if (!next_line(inputs, &input, err) || !next_line(answers, &answer, err))
            return err_set(err, ERR_INTERNAL, "the sample's answers are not whole");
        recipe_sample_print(&t->recipe, &t->sample.rows[i], &input, &answer, &text);
        (void)fwrite(text.data, 1, text.len, stdout);
        buf_release(&text);
    }
    return true;
}

static int show(const struct trial *t, int code)
{
    struct err err = {0};
    struct source *inputs = source_open(t->rows, &err);
    struct source *answers = source_open(t->output, &err);
    bool ok = inputs != NULL && answers != NULL;

    if (ok) {
        struct line_reader *a = line_reader_new(inputs, LINE_MAX_BYTES);
        struct line_reader *b = line_reader_new(answers, LINE_MAX_BYTES);

        ok = print_rows(t, a, b, &err);
        line_reader_free(a);
        line_reader_free(b);
    }
    source_close(inputs);
    source_close(answers);
    (void)fflush(stdout);
    return ok ? code : verb_fail(t->call, &err, NULL);
}

/* ---- the job */

static int run_in_session(struct trial *t, const struct run_plan *plan, struct session *session)
{
    char sink[RUN_PATH_MAX + 16];
    char fingerprint[65];
    struct err err = {0};

    (void)snprintf(sink, sizeof(sink), "dir:%s/sink", session_state_dir(session));
    if (!rows_fingerprint(t->rows, &t->recipe.rows, fingerprint, &err) ||
        !recipe_job_bind(session, NAME, false, &t->recipe, t->rows, fingerprint, &err))
        return verb_fail(t->call, &err, NULL);
    const struct recipe_job job = {.call = t->call,
                                   .session = session,
                                   .recipe = &t->recipe,
                                   .name = NAME,
                                   .sink = sink,
                                   .site = plan->site,
                                   .rows = t->rows,
                                   .rows_fingerprint = fingerprint,
                                   .output = t->output,
                                   .is_trial = true};
    return recipe_job_run(&job);
}

/* It has a Redis and a folder of its own, wherever other jobs are. */
struct elsewhere {
    char *redis, *state_dir;
};

static struct elsewhere leave(struct options *o)
{
    const struct elsewhere there = {.redis = o->redis, .state_dir = o->state_dir};

    o->redis = NULL;
    o->state_dir = NULL;
    return there;
}

static int run_trial(struct trial *t)
{
    struct run_plan *plan = xcalloc(1, sizeof(*plan));
    struct err err = {0};
    struct session *session = NULL;
    int code;

    if (!run_plan_make(plan, &t->call->options, t->rows, t->output, true, &err)) {
        code = verb_fail(t->call, &err, run_plan_hint(&err));
    } else {
        session = session_open_for_run(&t->call->options, plan->folder, &err);
        code = session != NULL && local_run_redirect(t->call, session, &err)
                   ? run_in_session(t, plan, session)
                   : verb_fail(t->call, &err, NULL);
    }
    session_close(session);
    local_run_restore(t->call);
    free(plan);
    return code;
}

/* Whether something of it may be at the provider: it was stopped in its middle. */
static bool may_be_sent(const struct trial *t, int code)
{
    char sink[RUN_PATH_MAX + 64];

    if (code == EXIT_CODE_OK || code == EXIT_CODE_SOME_FAILED || code == EXIT_CODE_BUDGET ||
        code == EXIT_CODE_USAGE || code == EXIT_CODE_INPUT || access(t->output, F_OK) == 0)
        return false;
    (void)snprintf(sink, sizeof(sink), "%s.sheaf/sink", t->output);
    return access(sink, F_OK) == 0;
}

static void clean_up(const struct trial *t, int code)
{
    if (t->folder[0] == '\0')
        return;
    if (!may_be_sent(t, code))
        (void)nftw(t->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    else
        person_tell(t->call,
                    "what was sent may still be at work: `sheaf cancel %s --state-dir %s.sheaf` "
                    "ends it, and keeps its answers in %s",
                    NAME, t->output, t->output);
}

int recipe_sample_run(struct invocation *call, const struct recipe_given *given)
{
    struct trial *t = xcalloc(1, sizeof(*t));
    struct err err = {0};
    int code = EXIT_CODE_USAGE;

    t->call = call;
    t->given = given;
    t->recipe = *given->recipe;
    (void)snprintf(t->encoding, sizeof(t->encoding), "UTF-8");
    t->recipe.encoding = t->encoding;
    t->recipe.rows = (struct rows_options){.format = ROWS_JSONL, .encoding = t->encoding};
    if (strcmp(given->input, "-") == 0) {
        code = verb_fail_with(call, EXIT_CODE_USAGE,
                              "a sample is chosen among all rows: standard input cannot be read "
                              "twice",
                              NULL);
    } else if (!recipe_given_check_rows(given, given->input, &err) ||
               !sample_choose(given->input, &given->recipe->rows, (size_t)call->options.sample,
                              &t->sample, &err) ||
               !make_folder(t, &err) || !write_rows(t, &err)) {
        code = verb_fail(call, &err, NULL);
    } else {
        const struct elsewhere there = leave(&call->options);

        code = run_trial(t);
        call->options.redis = there.redis;
        call->options.state_dir = there.state_dir;
        if (code == EXIT_CODE_OK || code == EXIT_CODE_SOME_FAILED)
            code = show(t, code);
    }
    clean_up(t, code);
    sample_release(&t->sample);
    free(t);
    return code;
}
