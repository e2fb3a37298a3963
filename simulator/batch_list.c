/* GET /batches: its pages and what they can be narrowed by. */
#include <microhttpd.h>
#include <string.h>

#include "common/base/clock.h"
#include "simulator/dialect.h"
#include "simulator/filter.h"
#include "simulator/options.h"
#include "simulator/request.h"
#include "simulator/routes.h"
#include "simulator/shape.h"
#include "simulator/sim.h"
#include "simulator/text.h"

#define STATUS_CHARS 64

/* One page that is asked for. */
struct page_wish {
    struct filter filter;
    char status[STATUS_CHARS]; /* the filter's, when it had to be copied */
    uint64_t limit;
    size_t from; /* steps taken before the first batch looked at */
    bool value;  /* the array is called "value" */
};

static const struct sim_batch *nth(const struct batches *b, const struct filter *f, size_t step)
{
    return b->list[f->ascending ? step : b->count - 1 - step];
}

static bool is_listed(const struct sim *sim, const struct filter *f, const struct sim_batch *batch,
                      int64_t now)
{
    const struct sim_file *input = files_find(&sim->files, batch->input_file_id);

    /* what is created late is not there yet */
    return !batch->deleted && now >= batch->created &&
           now - batch->created >= (int64_t)faults_number(&sim->faults, FAULT_LIST_LAG) &&
           filter_matches(f, batch, input != NULL ? input->filename : NULL);
}

/* Steps up to and with the batch @after; false when there is none. */
static bool find_after(const struct batches *b, struct page_wish *wish, const char *after)
{
    for (size_t step = 0; after != NULL && step < b->count; step++) {
        if (strcmp(nth(b, &wish->filter, step)->id, after) == 0) {
            wish->from = step + 1;
            return true;
        }
    }
    return after == NULL;
}

static void write_page(const struct sim *sim, const struct page_wish *wish, struct buf *out)
{
    struct shape_view view = {sim->opt->dialect, clock_unix_ms(), sim->opt->delay_ms, false};
    struct shape_page page = {0};
    uint64_t shown = 0;

    text_f(out, "{\"object\":\"list\",\"%s\":[", wish->value ? "value" : "data");
    for (size_t step = wish->from; step < sim->batches.count && !page.more; step++) {
        const struct sim_batch *batch = nth(&sim->batches, &wish->filter, step);

        if (!is_listed(sim, &wish->filter, batch, view.now_ms))
            continue;
        page.more = shown == wish->limit;
        if (page.more)
            break;
        text_put(out, shown++ == 0 ? "" : ",");
        shape_batch(out, &view, batch);
        page.first = page.first == NULL ? batch->id : page.first;
        page.last = batch->id;
    }
    text_put(out, "]");
    shape_page(out, sim->opt->dialect, sim->opt->dialect->batches.list, &page);
}

static bool refuse(struct request *rq, const char *param)
{
    request_problem(rq, problem(400, param, "invalid_value", "1214"), "Invalid value for '%s'.",
                    param);
    return false;
}

static bool read_azure(struct request *rq, struct page_wish *wish)
{
    const char *filter = request_query(rq, "$filter");
    const char *order = request_query(rq, "$orderby");

    wish->value = rq->sim->opt->list_value || filter != NULL || order != NULL;
    if (filter != NULL &&
        !filter_read_azure(&wish->filter, filter, wish->status, sizeof(wish->status)))
        return refuse(rq, "$filter");
    if (order == NULL || strcmp(order, "created_at desc") == 0)
        return true;
    wish->filter.ascending =
        strcmp(order, "created_at asc") == 0 || strcmp(order, "created_at") == 0;
    return wish->filter.ascending || refuse(rq, "$orderby");
}

static size_t count_words(const char *list)
{
    size_t n = 1;

    for (; *list != '\0'; list++)
        n += *list == ',';
    return n;
}

static bool read_dashscope(struct request *rq, struct page_wish *wish)
{
    const char *after = request_query(rq, "create_after");
    const char *before = request_query(rq, "create_before");
    struct filter *f = &wish->filter;

    f->name = request_query(rq, "ds_name");
    f->status = request_query(rq, "status");
    f->inputs = request_query(rq, "input_file_ids");
    if (f->inputs != NULL && count_words(f->inputs) > FILTER_INPUTS_MAX)
        return refuse(rq, "input_file_ids");
    if (after != NULL && !filter_read_time(after, &f->after_ms))
        return refuse(rq, "create_after");
    if (before != NULL && !filter_read_time(before, &f->before_ms))
        return refuse(rq, "create_before");
    return true;
}

static enum MHD_Result take_id(void *arg, enum MHD_ValueKind kind, const char *key,
                               const char *value)
{
    struct filter *f = arg;

    (void)kind;
    if (strcmp(key, "id") != 0 || value == NULL)
        return MHD_YES;
    if (f->id_count < FILTER_IDS_MAX)
        f->ids[f->id_count] = value;
    f->id_count++;
    return MHD_YES;
}

static bool read_groq(struct request *rq, struct page_wish *wish)
{
    (void)MHD_get_connection_values(rq->conn, MHD_GET_ARGUMENT_KIND, take_id, &wish->filter);
    if (wish->filter.id_count <= FILTER_IDS_MAX)
        return true;
    return refuse(rq, "id");
}

static bool read_filter(struct request *rq, struct page_wish *wish)
{
    switch (rq->sim->opt->dialect->batches.filter) {
    case DIALECT_FILTER_AZURE: return read_azure(rq, wish);
    case DIALECT_FILTER_DASHSCOPE: return read_dashscope(rq, wish);
    case DIALECT_FILTER_GROQ: return read_groq(rq, wish);
    case DIALECT_FILTER_DOUBLEWORD:
        wish->filter.search = request_query(rq, "search");
        wish->filter.status = request_query(rq, "status");
        wish->filter.status_groups = true;
        return true;
    case DIALECT_FILTER_NONE: break;
    }
    return true;
}

void route_batches_list(struct request *rq)
{
    bool cursor = rq->sim->opt->dialect->batches.list == DIALECT_LIST_CURSOR;
    const char *name = cursor ? "cursor" : "after";
    const char *after = request_query(rq, name);
    struct page_wish wish = {0};

    if (!request_limit(rq, 20, 100, &wish.limit) || !read_filter(rq, &wish))
        return;
    sim_lock(rq->sim);
    if (find_after(&rq->sim->batches, &wish, after))
        write_page(rq->sim, &wish, reply_json(&rq->reply, 200));
    else
        request_problem(rq, problem(400, name, NULL, "1214"), "No batch found with id '%.100s'.",
                        after);
    sim_unlock(rq->sim);
}
