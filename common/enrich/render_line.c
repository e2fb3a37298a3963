#include "common/enrich/render_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/enrich/round_map.h"
#include "common/input/shard_plan.h"
#include "common/json/request_line.h"
#include "common/recipe/condition.h"
#include "common/recipe/image.h"
#include "common/recipe/image_list.h"
#include "common/recipe/template.h"
#include "common/tokens/tokens.h"

/* A buffer has room for more than can be sent, so that a request that is too long is found to be
 * that, and not a template that failed. */
#define ROOM_BYTES (2 * (size_t)REQUEST_LINE_MAX_BYTES)

/* What stays the same in the lines of an analysis, for one of its two models. */
struct form {
    const char *model;
    enum tokens_family family;
    struct buf head; /* from behind the index to the opening bracket of the messages */
    size_t body;     /* where the body begins in it */
};

struct shape {
    struct buf id;        /* {"custom_id":"NAME_ */
    struct form forms[2]; /* [multimodal] */
    bool has_base;
    struct line_part base;
};

struct line_maker {
    const struct recipe *recipe;
    uint64_t max_line_bytes;   /* 0: any */
    struct shape *shapes;      /* of each analysis */
    struct template_row *rows; /* BLOCK_ROWS */
    struct buf line, system, prompt, part;
    struct buf text, images; /* of one image template; all images, as they stand in the line */
    char why[512];
};

static bool put(struct buf *b, const char *text)
{
    return buf_append(b, text, strlen(text));
}

static bool put_string(struct buf *b, const char *text)
{
    return json_string_encode(b, text, strlen(text));
}

/* Their limit is none: what they are made of has been read from files of a limited size. */
static void make_form(struct form *form, const struct analysis *a, const char *model)
{
    form->model = model;
    form->family = tokens_family_of(model);
    form->head = BUF_INIT(SIZE_MAX / 2);
    bool ok = put(&form->head, "\",\"method\":\"POST\",\"url\":") &&
              put_string(&form->head, a->url) && put(&form->head, ",\"body\":");
    form->body = form->head.len;
    ok = ok && put(&form->head, "{\"model\":") && put_string(&form->head, model) &&
         put(&form->head, a->parameters[0] == '\0' ? "" : ",") && put(&form->head, a->parameters) &&
         put(&form->head, ",\"messages\":[");
    (void)ok;
}

static void make_shape(struct shape *shape, const struct analysis *a)
{
    shape->id = BUF_INIT(SIZE_MAX / 2);
    bool ok = put(&shape->id, "{\"custom_id\":") && put_string(&shape->id, a->name);
    if (ok) /* the name has no end yet */
        shape->id.data[shape->id.len - 1] = '_';
    make_form(&shape->forms[false], a, a->model);
    make_form(&shape->forms[true], a, a->multimodal_model);
}

struct line_maker *line_maker_new(const struct recipe *recipe, uint64_t max_line_bytes)
{
    struct line_maker *maker = xcalloc(1, sizeof(*maker));

    maker->recipe = recipe;
    maker->max_line_bytes = max_line_bytes;
    maker->shapes = xcalloc(recipe->count, sizeof(*maker->shapes));
    for (size_t i = 0; i < recipe->count; i++)
        make_shape(&maker->shapes[i], &recipe->analyses[i]);
    maker->rows = xcalloc(BLOCK_ROWS, sizeof(*maker->rows));
    maker->line = maker->system = maker->prompt = BUF_INIT(ROOM_BYTES);
    maker->part = maker->text = maker->images = BUF_INIT(ROOM_BYTES);
    return maker;
}

void line_maker_free(struct line_maker *maker)
{
    if (maker == NULL)
        return;
    for (size_t i = 0; i < maker->recipe->count; i++) {
        buf_release(&maker->shapes[i].id);
        buf_release(&maker->shapes[i].forms[false].head);
        buf_release(&maker->shapes[i].forms[true].head);
    }
    free(maker->shapes);
    free(maker->rows);
    buf_release(&maker->line);
    buf_release(&maker->system);
    buf_release(&maker->prompt);
    buf_release(&maker->part);
    buf_release(&maker->text);
    buf_release(&maker->images);
    free(maker);
}

uint64_t line_max_bytes(const struct line_maker *maker)
{
    uint64_t most = REQUEST_LINE_MAX_BYTES;

    return maker->max_line_bytes != 0 && maker->max_line_bytes < most ? maker->max_line_bytes
                                                                      : most;
}

static bool fail(struct line_maker *maker, struct render_item *out, enum render_code code,
                 const char *why)
{
    (void)snprintf(maker->why, sizeof(maker->why), "%s", why);
    out->code = code;
    out->why = maker->why;
    return false;
}

static bool fail_long(struct line_maker *maker, struct render_item *out, uint64_t bytes)
{
    char why[128];
    uint64_t most = line_max_bytes(maker);

    if (bytes == 0)
        (void)snprintf(why, sizeof(why), "its request is far longer than %" PRIu64 " bytes", most);
    else
        (void)snprintf(why, sizeof(why),
                       "its request has %" PRIu64 " bytes, and at most %" PRIu64 " can be sent",
                       bytes, most);
    return fail(maker, out, RENDER_ROW_TOO_LONG, why);
}

/* A template could not be rendered. */
static bool fail_template(struct line_maker *maker, struct render_item *out, const struct err *err)
{
    if (err->kind == ERR_PERMANENT) /* past the room */
        return fail_long(maker, out, 0);
    return fail(maker, out, RENDER_TEMPLATE_ERROR, err->msg);
}

static struct template_row row_of(const struct block *block, uint32_t row)
{
    return (struct template_row){
        .row = &block->rows[row].object, .id = block->ids[row], .index = block->rows[row].index};
}

/* Put what @reference stands for behind the images. */
static bool put_image(struct line_maker *maker, const char *reference, struct render_item *out)
{
    static const char open[] = ",{\"type\":\"image_url\",\"image_url\":{\"url\":\"";
    enum image_problem problem = IMAGE_INVALID;
    struct err err = {0};

    if (maker->images.len > line_max_bytes(maker) ||
        !buf_append(&maker->images, open, sizeof(open) - 1))
        return fail_long(maker, out, 0);
    if (!image_put(&maker->images, reference, maker->recipe->folder, IMAGE_BYTES_PRESET, &problem,
                   &err))
        return fail(maker, out,
                    problem == IMAGE_MISSING ? RENDER_IMAGE_MISSING : RENDER_IMAGE_INVALID,
                    err.msg);
    return put(&maker->images, "\"}}") || fail_long(maker, out, 0);
}

static struct template_input input_for(const struct analysis *a, enum tokens_family family)
{
    return (struct template_input){.vocabulary = a->vocabulary_text, .family = family};
}

/* The images of @row, as they stand in the line; an analysis that packs has none. */
static bool render_images(struct line_maker *maker, const struct analysis *a,
                          const struct template_row *row, struct render_item *out)
{
    struct template_input input = input_for(a, tokens_family_of(a->multimodal_model));
    struct err err = {0};

    input.row = row;
    input.missing_is_empty = true; /* it has no image then */
    buf_clear(&maker->images);
    for (size_t i = 0; i < a->image_count; i++) {
        buf_clear(&maker->text);
        if (!template_render(a->images[i], &input, &maker->text, &err))
            return fail_template(maker, out, &err);
        struct image_list list = image_list_begin(maker->text.data, maker->text.len);
        while (image_list_next(&list, &maker->part)) {
            if (!put_image(maker, maker->part.data, out))
                return false;
        }
    }
    out->multimodal = maker->images.len != 0;
    return true;
}

/* System prompt and prompt, decoded. */
static bool render_texts(struct line_maker *maker, const struct analysis *a,
                         const struct template_input *input, struct render_item *out)
{
    struct err err = {0};

    buf_clear(&maker->system);
    buf_clear(&maker->prompt);
    if (a->system != NULL && !template_render(a->system, input, &maker->system, &err))
        return fail_template(maker, out, &err);
    if (!template_render(a->prompt, input, &maker->prompt, &err))
        return fail_template(maker, out, &err);
    out->system = (struct slice){maker->system.data, maker->system.len};
    out->prompt = (struct slice){maker->prompt.data, maker->prompt.len};
    return true;
}

/* A string or, with images, a list of parts. */
static bool put_content(struct line_maker *maker)
{
    struct buf *line = &maker->line;

    if (maker->images.len == 0)
        return json_string_encode(line, maker->prompt.data, maker->prompt.len);
    return put(line, "[{\"type\":\"text\",\"text\":") &&
           json_string_encode(line, maker->prompt.data, maker->prompt.len) && put(line, "}") &&
           buf_append(line, maker->images.data, maker->images.len) && put(line, "]");
}

static bool put_messages(struct line_maker *maker)
{
    struct buf *line = &maker->line;

    if (maker->system.len != 0 &&
        !(put(line, "{\"role\":\"system\",\"content\":") &&
          json_string_encode(line, maker->system.data, maker->system.len) && put(line, "},")))
        return false;
    return put(line, "{\"role\":\"user\",\"content\":") && put_content(maker) &&
           put(line, "}]}}\n");
}

/* Put the line together; *@body is the body in it. */
static bool put_line(struct line_maker *maker, const struct shape *shape, const struct form *form,
                     uint64_t index, struct json_value *body)
{
    struct buf *line = &maker->line;

    buf_clear(line);
    if (!buf_append(line, shape->id.data, shape->id.len) || !round_put_index(line, index))
        return false;
    size_t start = line->len + form->body;
    if (!buf_append(line, form->head.data, form->head.len) || !put_messages(maker))
        return false;
    *body = (struct json_value){
        .kind = JSON_OBJECT, .text = line->data + start, .len = line->len - start - 2};
    return true;
}

/* Put together what was rendered, and see whether it can be sent. */
static void finish(struct line_maker *maker, const struct block *block, struct render_item *out)
{
    const struct shape *shape = &maker->shapes[out->analysis];
    const struct form *form = &shape->forms[out->multimodal];
    struct request_line request = {.has_model = true};
    struct tokens_estimate estimate = {0};
    struct json_value body;

    if (!put_line(maker, shape, form, block->first + out->rows[0], &body)) {
        fail_long(maker, out, 0);
        return;
    }
    request.body = (struct slice){body.text, body.len};
    uint64_t sent = shard_line_bytes(&request, maker->recipe->analyses[out->analysis].url, "");
    uint64_t bytes = sent > maker->line.len - 1 ? sent : maker->line.len - 1;
    if (bytes > line_max_bytes(maker)) {
        fail_long(maker, out, bytes);
        return;
    }
    if (!tokens_of_body(form->family, &body, &estimate))
        estimate = (struct tokens_estimate){0};
    out->model = form->model;
    out->line = (struct slice){maker->line.data, maker->line.len};
    out->tokens = estimate.input;
    out->max_output = estimate.max_output;
}

void line_make(struct line_maker *maker, size_t analysis, const struct block *block,
               struct render_item *out)
{
    const struct analysis *a = &maker->recipe->analyses[analysis];
    struct template_input input;

    out->analysis = analysis;
    out->code = RENDER_ASKED;
    out->why = "";
    out->multimodal = false;
    for (size_t i = 0; i < out->row_count; i++)
        maker->rows[i] = row_of(block, out->rows[i]);
    if (!render_images(maker, a, maker->rows, out))
        return;
    input = input_for(a, maker->shapes[analysis].forms[out->multimodal].family);
    if (a->pack_rows == 0) {
        input.row = maker->rows;
    } else {
        input.rows = maker->rows;
        input.row_count = out->row_count;
    }
    if (render_texts(maker, a, &input, out))
        finish(maker, block, out);
}

void line_probe(struct line_maker *maker, size_t analysis, const struct block *block, uint32_t row,
                struct render_item *out, struct line_part *part)
{
    const struct analysis *a = &maker->recipe->analyses[analysis];
    struct template_input input = input_for(a, maker->shapes[analysis].forms[false].family);
    struct template_row one = row_of(block, row);
    struct err err = {0};

    out->code = RENDER_ASKED;
    buf_clear(&maker->part);
    if (!template_render_row(a->prompt, &input, &one, &maker->part, &err)) {
        fail_template(maker, out, &err);
        return;
    }
    part->tokens = tokens_of_text(input.family, maker->part.data, maker->part.len);
    part->bytes = maker->part.len;
}

struct line_part line_base(struct line_maker *maker, size_t analysis)
{
    const struct analysis *a = &maker->recipe->analyses[analysis];
    struct shape *shape = &maker->shapes[analysis];
    struct template_input input = input_for(a, shape->forms[false].family);
    struct render_item item = {.analysis = analysis};
    struct tokens_estimate estimate = {0};
    struct json_value body;

    if (shape->has_base)
        return shape->base;
    shape->has_base = true;
    input.rows = maker->rows; /* none of them */
    buf_clear(&maker->images);
    if (render_texts(maker, a, &input, &item) &&
        put_line(maker, shape, &shape->forms[false], 0, &body) &&
        tokens_of_body(shape->forms[false].family, &body, &estimate))
        shape->base = (struct line_part){.tokens = estimate.input, .bytes = maker->line.len};
    return shape->base;
}
