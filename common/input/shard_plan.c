#include "common/input/shard_plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/digest/hash.h"
#include "common/json/scan.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"

/* Around the endpoint and the body in a batch file; the custom_id has a fixed width. */
#define WRAPPER_BYTES \
    (sizeof("{\"custom_id\":\"\",\"method\":\"POST\",\"url\":\"\",\"body\":}\n") - 1 + WIRE_ID_LEN)

uint64_t shard_line_bytes(const struct request_line *line, const char *endpoint,
                          const char *default_model)
{
    uint64_t bytes = WRAPPER_BYTES + strlen(endpoint) + line->body.len;

    if (!line->has_model) /* each byte of a name becomes six at most: \u0000 */
        bytes += sizeof("\"model\":\"\",") - 1 + 6 * strlen(default_model);
    return bytes;
}

bool shard_line_parse(const struct job_spec *spec, const struct window_line *line,
                      struct request_line *out, char why[REQUEST_WHY_SIZE])
{
    const char *model = spec->model[0] != '\0' ? spec->model : NULL;

    if (line->too_long) {
        (void)snprintf(why, REQUEST_WHY_SIZE, "longer than %d bytes", REQUEST_LINE_MAX_BYTES);
        out->custom_id = request_line_custom_id(line->text, line->text_len);
        return false;
    }
    if (!request_line_parse(line->text, line->text_len, model, out, why))
        return false;
    uint64_t bytes = shard_line_bytes(out, out->url, spec->model);
    if (spec->max_line_bytes == 0 || bytes <= spec->max_line_bytes)
        return true;
    (void)snprintf(why, REQUEST_WHY_SIZE,
                   "%" PRIu64 " bytes as it is sent, and provider %s takes at most %" PRIu64
                   " a line",
                   bytes, spec->provider, spec->max_line_bytes);
    return false;
}

static void lane_of(const struct job_spec *spec, const struct request_line *line,
                    char lane[LANE_ID_LEN + 1])
{
    char key[sizeof(spec->site) + sizeof(line->url) + sizeof(line->model) + 2];
    int n =
        snprintf(key, sizeof(key), "%s%c%s%c%s", spec->site, '\0', line->url, '\0', line->model);

    hash_hex(key, (size_t)n, lane);
}

static void write_label(struct shard *shard, const struct request_line *line)
{
    struct buf text = BUF_INIT(4096);

    if (!buf_printf(&text, "{\"endpoint\":") ||
        !json_string_encode(&text, line->url, strlen(line->url)) ||
        !buf_printf(&text, ",\"model\":") ||
        !json_string_encode(&text, line->model, strlen(line->model)) || !buf_printf(&text, "}"))
        log_fatal("a lane's label is too long");
    (void)snprintf(shard->label, sizeof(shard->label), "%s",
                   text.len < sizeof(shard->label) ? text.data : "{}");
    buf_release(&text);
}

static struct shard *shard_for(struct shard_plan *plan, uint32_t lines, const char *lane,
                               const struct request_line *line)
{
    for (size_t i = plan->count; i-- > 0;) {
        if (memcmp(plan->shards[i].lane, lane, LANE_ID_LEN) == 0)
            return &plan->shards[i];
    }
    plan->shards = xrealloc(plan->shards, plan->count + 1, sizeof(*plan->shards));
    struct shard *shard = &plan->shards[plan->count];
    *shard =
        (struct shard){.index = (uint32_t)plan->count++, .family = tokens_family_of(line->model)};
    memcpy(shard->lane, lane, LANE_ID_LEN + 1);
    memcpy(shard->model, line->model, sizeof(shard->model));
    write_label(shard, line);
    for (uint32_t i = 0; i < lines; i++)
        mask_set(shard->mask, i);
    return shard;
}

/* What the request takes in tokens; an empty one takes one. */
static void add_tokens(struct shard *shard, const struct request_line *line)
{
    const struct json_value body = {JSON_OBJECT, line->body.p, line->body.len};
    struct tokens_estimate estimate = {.input = 0};

    if (!tokens_of_body(shard->family, &body, &estimate))
        log_fatal("a body is not an object");
    uint64_t input = estimate.input > 0 ? estimate.input : 1;

    shard->tokens += input;
    shard->line_tokens = input > shard->line_tokens ? input : shard->line_tokens;
    shard->est_output += estimate.max_output;
    if (estimate.max_output > shard->line_output)
        shard->line_output = estimate.max_output;
    shard->open_ended += estimate.max_output == 0;
}

static void plan_line(struct shard_plan *plan, const struct job_spec *spec,
                      const struct window *window, uint32_t i, const uint8_t *settled)
{
    const struct window_line *text = &window->lines[i];
    struct planned_line *out = &plan->lines[i];
    struct request_line line;
    char lane[LANE_ID_LEN + 1];

    out->number = text->number;
    out->valid = shard_line_parse(spec, text, &line, out->why);
    out->custom_id = line.custom_id;
    if (!out->valid) {
        plan->invalid++;
        return;
    }
    lane_of(spec, &line, lane);
    struct shard *shard = shard_for(plan, window->count, lane, &line);
    if (settled != NULL && mask_get(settled, i))
        return;
    uint64_t bytes = shard_line_bytes(&line, line.url, spec->model);
    shard->mask[i >> 3] = (uint8_t)(shard->mask[i >> 3] & ~(1u << (i & 7)));
    shard->left++;
    shard->bytes += bytes;
    add_tokens(shard, &line);
    if (bytes > shard->longest)
        shard->longest = bytes;
}

void shard_plan_make(struct shard_plan *plan, const struct job_spec *spec,
                     const struct window *window, const uint8_t *settled)
{
    *plan = (struct shard_plan){.line_count = window->count};
    plan->lines = xcalloc(window->count + 1, sizeof(*plan->lines));
    for (uint32_t i = 0; i < window->count; i++)
        plan_line(plan, spec, window, i, settled);
}

void shard_plan_release(struct shard_plan *plan)
{
    free(plan->shards);
    free(plan->lines);
    *plan = (struct shard_plan){0};
}
