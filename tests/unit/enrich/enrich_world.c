#include "tests/testlib/unit.h"

#include "tests/unit/enrich/enrich_world.h"

#include <stdlib.h>
#include <string.h>

#include "common/enrich/round_write.h"
#include "common/json/scan.h"
#include "common/merge/report.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define FILE_MAX (64u << 20)

void enrich_world_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

struct buf enrich_world_read(const char *path)
{
    struct buf text = BUF_INIT(FILE_MAX);
    FILE *file = fopen(path, "r");
    char chunk[4096];
    size_t n;

    assert_true(buf_append(&text, "", 0));
    while (file != NULL && (n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        assert_true(buf_append(&text, chunk, n));
    if (file != NULL)
        assert_int_equal(fclose(file), 0);
    return text;
}

void enrich_world_make(struct enrich_world *w, const char *recipe, const char *rows_name,
                       const char *rows)
{
    char path[SCRATCH_PATH_MAX + 32];
    struct err err = {0};

    memset(w, 0, sizeof(*w));
    w->asked = BUF_INIT(FILE_MAX);
    scratch_make_fast(w->path);
    (void)snprintf(path, sizeof(path), "%s/recipe.yaml", w->path);
    (void)snprintf(w->rows, sizeof(w->rows), "%s/%s", w->path, rows_name);
    (void)snprintf(w->output, sizeof(w->output), "%s/out.jsonl", w->path);
    enrich_world_write(path, recipe);
    enrich_world_write(w->rows, rows);
    if (!recipe_load(path, NULL, &w->recipe, &err))
        fail_msg("%s", err.msg);
}

void enrich_world_free(struct enrich_world *w)
{
    for (size_t i = 0; i < w->count; i++)
        sink_close(w->rounds[i].sink);
    recipe_release(&w->recipe);
    buf_release(&w->asked);
    scratch_remove(w->path);
}

static void render(struct enrich_world *w, const char *requests, const char *map)
{
    struct round_counts counts = {0};
    struct round_plan plan = {.recipe = &w->recipe,
                              .rows_path = w->rows,
                              .rows_fingerprint = "0123456789abcdef0123456789abcdef"
                                                  "0123456789abcdef0123456789abcdef",
                              .round = (uint32_t)w->count + 1,
                              .requests_path = requests,
                              .map_path = map};
    struct judge *judge = NULL;
    struct render_choice choice;
    struct err err = {0};

    if (w->count > 0) {
        judge = judge_new(&w->recipe, w->rounds, w->count, &err);
        if (judge == NULL)
            fail_msg("%s", err.msg);
        choice = judge_choice(judge);
        plan.options.choice = &choice;
    }
    if (!round_write(&plan, &counts, NULL, &err))
        fail_msg("%s", err.msg);
    round_counts_release(&counts);
    judge_free(judge);
}

static const struct enrich_said *find(const struct enrich_said *said, size_t count,
                                      const struct json_value *id)
{
    for (size_t i = 0; i < count; i++)
        if (said[i].id == NULL || json_string_equals(id, said[i].id))
            return &said[i];
    fail_msg("nobody answers %.*s", (int)id->len, id->text);
    return said;
}

static void answer(struct buf *out, const struct json_value *id, const char *text)
{
    assert_true(buf_printf(out,
                           "{\"id\":\"r\",\"custom_id\":%.*s,\"response\":{\"status_code\":"
                           "200,\"request_id\":\"q\",\"body\":{\"choices\":[{\"index\":0,"
                           "\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\","
                           "\"content\":",
                           (int)id->len, id->text));
    assert_true(json_string_encode(out, text, strlen(text)));
    assert_true(buf_printf(out, "}}],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":10}}},"
                                "\"error\":null}\n"));
}

static void answer_all(struct enrich_world *w, struct buf *requests, const struct enrich_said *said,
                       size_t count, struct buf out[2], struct report *report)
{
    char *save = NULL;

    for (char *line = strtok_r(requests->data, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        struct json_value request;
        char id[128];

        assert_true(json_scan(line, strlen(line), &request, NULL));
        const struct json_value value = json_member(&request, "custom_id");
        const struct enrich_said *s = find(said, count, &value);
        assert_true(json_string_decode(&value, id, sizeof(id), NULL));
        assert_true(buf_printf(&w->asked, "%s ", id));
        report->requests++;
        if (s->code == NULL && s->text == NULL)
            break;
        if (s->code == NULL) {
            answer(&out[0], &value, s->text);
            report->ok++;
            continue;
        }
        assert_true(buf_printf(&out[1],
                               "{\"id\":null,\"custom_id\":\"%s\",\"response\":null,"
                               "\"error\":{\"code\":\"%s\",\"message\":\"no <luck>\"}}\n",
                               id, s->code));
        report_count_code(report, s->code, 1);
        report->failed++;
    }
}

static void open_sink(struct enrich_world *w)
{
    struct job_spec *spec = &w->specs[w->count];
    struct enrich_round *round = &w->rounds[w->count];

    *spec = (struct job_spec){
        .job = "job", .ji = "abc123def456", .provider = "zhipu", .base_url = "https://x"};
    if (w->count > 0)
        (void)snprintf(spec->job, sizeof(spec->job), "job.r%zu", w->count + 1);
    char url[SCRATCH_PATH_MAX + 8];
    (void)snprintf(url, sizeof(url), "dir:%s", w->path);
    memcpy(spec->sink, url, sizeof(url));
    round->sink = sink_open(spec->sink, spec->job, spec->ji, true, NULL);
    assert_non_null(round->sink);
    round->spec = spec;
    round->parts = 1;
}

static void publish(struct sink *sink, const char *name, const struct buf *text)
{
    assert_true(sink_publish(sink, name, text->len == 0 ? "" : text->data, text->len, NULL, NULL));
}

void enrich_world_round(struct enrich_world *w, const struct enrich_said *said, size_t count)
{
    char requests_path[SCRATCH_PATH_MAX + 32], map_path[SCRATCH_PATH_MAX + 32];
    char name[LAYOUT_NAME_MAX];
    struct buf out[2] = {BUF_INIT(FILE_MAX), BUF_INIT(FILE_MAX)};
    struct buf doc = BUF_INIT(FILE_MAX);
    struct report report = {0};

    assert_true(w->count < ENRICH_ROUNDS_MAX);
    (void)snprintf(requests_path, sizeof(requests_path), "%s/r%zu.jsonl", w->path, w->count + 1);
    (void)snprintf(map_path, sizeof(map_path), "%s/r%zu.map", w->path, w->count + 1);
    render(w, requests_path, map_path);
    open_sink(w);
    struct sink *sink = w->rounds[w->count].sink;
    struct buf requests = enrich_world_read(requests_path);
    struct buf map = enrich_world_read(map_path);

    buf_clear(&w->asked);
    report_init(&report);
    if (requests.len > 0)
        answer_all(w, &requests, said, count, out, &report);
    report.out.bytes = out[0].len;
    report.dead.bytes = out[1].len;
    assert_true(report_write_part(&report, &doc));
    publish(sink, LAYOUT_MAP, &map);
    publish(sink, layout_out(name, 0, 0), &out[0]);
    publish(sink, layout_dead(name, 0, 0), &out[1]);
    publish(sink, layout_report(name, 0, 0), &doc);
    w->count++;
    report_release(&report);
    buf_release(&requests);
    buf_release(&map);
    buf_release(&out[0]);
    buf_release(&out[1]);
    buf_release(&doc);
}

void enrich_world_assert_asked(const struct enrich_world *w, const char *ids)
{
    assert_string_equal(w->asked.len == 0 ? "" : w->asked.data, ids);
}

struct enrich_open enrich_world_judge(const struct enrich_world *w)
{
    struct enrich_open open = {0};
    struct err err = {0};

    if (!enrich_judge(&w->recipe, w->rounds, w->count, &open, &err))
        fail_msg("%s", err.msg);
    return open;
}

bool enrich_world_integrate(struct enrich_world *w, bool closed, struct enrich_report *report,
                            bool *adopted, struct err *err)
{
    static const struct report_times times = {.created_ms = 1700000000000,
                                              .finished_ms = 1700000600000};
    const struct enrich_money money = {.prices = NULL, .provider = "zhipu"};
    const struct enrich_job job = {.recipe = &w->recipe,
                                   .input = w->rows,
                                   .options = &w->recipe.rows,
                                   .rounds = w->rounds,
                                   .round_count = w->count,
                                   .closed = closed,
                                   .money = &money};

    return enrich_integrate(&job, w->output, false, &times, report, adopted, err);
}

void enrich_world_assert_file(const struct enrich_world *w, const char *suffix, const char *text)
{
    char path[SCRATCH_PATH_MAX + 64];

    (void)snprintf(path, sizeof(path), "%s/out%s", w->path, suffix);
    struct buf got = enrich_world_read(path);
    assert_string_equal(got.data, text);
    buf_release(&got);
}
