/* The rows of plan_read.h: rendered as a job would render them. */
#include <stdlib.h>

#include "cli/plan_read.h"
#include "common/base/xmem.h"
#include "common/enrich/render.h"
#include "common/recipe/column_check.h"
#include "common/recipe/recipe.h"
#include "common/rows/rows.h"

/* One call of plan_read_rows(). */
struct reading {
    struct plan *plan;
    struct render *render;
    struct column_check *check; /* NULL once it is done */
    const struct block *block;
};

static void begin_analyses(struct plan *plan, const struct recipe *recipe)
{
    plan->analyses = xcalloc(recipe->count, sizeof(*plan->analyses));
    plan->analysis_count = recipe->count;
    for (size_t i = 0; i < recipe->count; i++) {
        const struct analysis *a = &recipe->analyses[i];

        plan->analyses[i] = (struct plan_analysis){
            .name = a->name,
            .url = a->url,
            .models = {a->model, a->multimodal_model},
        };
    }
}

static bool finish_check(struct reading *r, struct err *err)
{
    bool ok = r->check == NULL || column_check_done(r->check, err);

    column_check_free(r->check);
    r->check = NULL;
    return ok;
}

/* Columns are learned from the first rows, whatever block they are in. */
static bool check_columns(struct reading *r, struct err *err)
{
    const struct block *b = r->block;

    for (size_t i = 0; r->check != NULL && i < b->count; i++) {
        column_check_row(r->check, &b->rows[i].object);
        if (b->first + i + 1 == COLUMN_CHECK_ROWS && !finish_check(r, err))
            return false;
    }
    return true;
}

static void add_bad_rows(struct reading *r)
{
    for (size_t i = 0; i < r->block->count; i++) {
        const struct row *row = &r->block->rows[i];

        if (row->problem == NULL)
            continue;
        r->plan->bad_rows++;
        plan_problem_add(r->plan, &(struct plan_at){row->file, row->line, NULL},
                         render_code_name(RENDER_INVALID_ROW), row->problem);
    }
}

static void add_problem(struct reading *r, const struct render_item *item)
{
    const struct row *row = &r->block->rows[item->rows[0]];
    struct plan_analysis *a = &r->plan->analyses[item->analysis];

    a->problems++;
    plan_problem_add(r->plan, &(struct plan_at){row->file, row->line, a->name},
                     render_code_name(item->code), item->why);
}

static void add_request(struct reading *r, const struct render_item *item)
{
    struct plan_analysis *a = &r->plan->analyses[item->analysis];
    const struct plan_count count = {
        .requests = 1,
        .bytes = item->line.len,
        .longest = item->line.len,
        .tokens = item->tokens,
        .max_output = item->max_output,
        .open_ended = item->max_output == 0,
    };

    plan_count_add(&a->count[item->multimodal], &count);
    a->rows += item->row_count;
    a->packs += item->row_count > 1;
    if (plan_spread_wants(&a->spread))
        plan_spread_keep(&a->spread, r->block->first + item->rows[0], item->row_count, item->system,
                         item->prompt);
}

static void add_item(struct reading *r, const struct render_item *item)
{
    switch (item->code) {
    case RENDER_ASKED: add_request(r, item); return;
    case RENDER_SKIPPED: r->plan->analyses[item->analysis].skipped += item->row_count; return;
    case RENDER_INVALID_ROW: return; /* told once for all analyses */
    case RENDER_TEMPLATE_ERROR:
    case RENDER_IMAGE_MISSING:
    case RENDER_IMAGE_INVALID:
    case RENDER_ROW_TOO_LONG: add_problem(r, item); return;
    }
}

static bool read_blocks(struct reading *r, struct err *err)
{
    struct render_item item;
    bool end = false;

    for (;;) {
        if (!render_block(r->render, &r->block, &end, err))
            return false;
        if (end)
            return finish_check(r, err);
        if (!check_columns(r, err))
            return false;
        r->plan->rows += r->block->count;
        add_bad_rows(r);
        while (render_next(r->render, &item))
            add_item(r, &item);
    }
}

bool plan_read_rows(struct plan *plan, const char *path, const struct recipe *recipe,
                    struct err *err)
{
    const struct render_options options = {.max_line_bytes = plan->limits->max_line_bytes};
    struct reading r = {.plan = plan};
    struct rows *rows = rows_open(path, &recipe->rows, err);

    if (rows == NULL)
        return false;
    r.render = render_new(recipe, rows, &options);
    r.check = column_check_new(recipe);
    begin_analyses(plan, recipe);

    bool ok = read_blocks(&r, err);

    column_check_free(r.check);
    render_free(r.render);
    rows_close(rows);
    return ok;
}
