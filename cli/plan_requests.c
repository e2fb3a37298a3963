/* The request lines of plan_read.h: cut as a job would cut them. */
#include <stdio.h>
#include <string.h>

#include "cli/plan_read.h"
#include "common/input/line_reader.h"
#include "common/input/shard_plan.h"
#include "common/input/source.h"
#include "common/input/window.h"
#include "common/json/doc.h"
#include "common/json/request_line.h"

/* The job that these lines would be, as far as the cut and the lines depend on it. */
static bool make_spec(struct job_spec *spec, const struct plan *plan, const char *model,
                      struct err *err)
{
    *spec = (struct job_spec){.max_line_bytes = plan->limits->max_line_bytes};
    job_spec_set_cut(spec, plan->max_requests, plan->max_bytes);
    (void)snprintf(spec->provider, sizeof(spec->provider), "%s", plan->profile->name);
    if (model != NULL && strlen(model) >= sizeof(spec->model))
        return err_set(err, ERR_USAGE, "--model is longer than %zu bytes", sizeof(spec->model) - 1);
    (void)snprintf(spec->model, sizeof(spec->model), "%s", model != NULL ? model : "");
    return true;
}

/* The endpoint is in the label alone. */
static void endpoint_of(const struct shard *shard, char out[REQUEST_URL_MAX + 1])
{
    struct json_value label;
    struct json_value url;

    out[0] = '\0';
    if (!json_scan(shard->label, strlen(shard->label), &label, NULL))
        return;
    url = json_member(&label, "endpoint");
    (void)json_string_decode_cut(&url, out, REQUEST_URL_MAX + 1);
}

static void add_shard(struct plan *plan, const struct shard *shard)
{
    const struct plan_count count = {
        .requests = shard->left,
        .bytes = shard->bytes,
        .longest = shard->longest,
        .tokens = shard->tokens,
        .max_output = shard->est_output,
        .open_ended = shard->open_ended,
    };
    char endpoint[REQUEST_URL_MAX + 1];

    endpoint_of(shard, endpoint);
    plan_count_add(&plan_lane_for(plan, endpoint, shard->model)->count, &count);
}

static void add_window(struct plan *plan, const struct job_spec *spec, const struct window *window)
{
    struct shard_plan cut;

    shard_plan_make(&cut, spec, window, NULL);
    for (size_t i = 0; i < cut.count; i++)
        add_shard(plan, &cut.shards[i]);
    for (uint32_t i = 0; cut.invalid > 0 && i < cut.line_count; i++) {
        const struct planned_line *line = &cut.lines[i];

        if (!line->valid)
            plan_problem_add(plan, &(struct plan_at){.line = line->number}, NULL, line->why);
    }
    shard_plan_release(&cut);
}

static bool add_windows(struct plan *plan, const struct job_spec *spec, struct line_reader *reader,
                        struct err *err)
{
    struct window_limits limits = {.max_lines = spec->window_lines,
                                   .max_bytes = spec->window_bytes};
    struct window_cutter *cutter = window_cutter_new(reader, limits, 0);
    struct window window;
    bool end = false;
    bool ok = true;

    while (ok && !end) {
        ok = window_cutter_next(cutter, &window, &end, err);
        if (ok && !end)
            add_window(plan, spec, &window);
    }
    window_cutter_free(cutter);
    return ok;
}

bool plan_read_requests(struct plan *plan, const char *path, const char *model, struct err *err)
{
    struct job_spec spec;
    struct source *source;
    struct line_reader *reader;

    if (!make_spec(&spec, plan, model, err))
        return false;
    source = source_open(path, err);
    if (source == NULL)
        return false;
    reader = line_reader_new(source, REQUEST_LINE_MAX_BYTES);

    bool ok = add_windows(plan, &spec, reader, err);

    line_reader_free(reader);
    source_close(source);
    return ok;
}
