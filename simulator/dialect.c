#include "simulator/dialect.h"

#include <string.h>

#include "common/base/attr.h"

#define DAY_S      UINT64_C(86400)
#define MONTH_S    (30 * DAY_S)
#define MEGABYTE   UINT64_C(1000000)
#define UUID       "^^^^^^^^-^^^^-4^^^-a^^^-^^^^^^^^^^^^"
#define RANDOM_24  "************************"
#define HEX_32     "^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"
#define DIGITS_18  "##################"
#define MANY_FILES 10000

static const char *const openai_purposes[] = {"batch",     "assistants", "fine-tune", "vision",
                                              "user_data", "evals",      NULL};
static const char *const openai_endpoints[] = {"/v1/responses",   "/v1/chat/completions",
                                               "/v1/embeddings",  "/v1/completions",
                                               "/v1/moderations", NULL};
static const char *const zhipu_purposes[] = {"batch", "code-interpreter", "agent",
                                             "voice-clone-input", NULL};
static const char *const zhipu_endpoints[] = {"/v4/chat/completions", "/v4/embeddings", NULL};
static const char *const azure_endpoints[] = {"/chat/completions", "/v1/chat/completions",
                                              "/v1/responses", "/v1/embeddings", NULL};
static const char *const dashscope_purposes[] = {"batch", "file-extract", "fine-tune", NULL};
static const char *const dashscope_endpoints[] = {"/v1/chat/completions", "/v1/embeddings",
                                                  "/v1/chat/ds-test", NULL};
static const char *const groq_purposes[] = {"batch", NULL};
static const char *const groq_endpoints[] = {"/v1/chat/completions", NULL};
static const char *const doubleword_endpoints[] = {"/v1/chat/completions", "/v1/completions",
                                                   "/v1/embeddings", "/v1/responses", NULL};

/* OpenAI: its OpenAPI document, Batch guide, and answers quoted in ogx-ai/ogx. */
static const struct dialect openai = {
    .name = "openai",
    .base = "/v1",
    .files.id = "file-" RANDOM_24,
    .files.output_id = "file-" RANDOM_24,
    .files.error_purpose = "batch_output",
    .files.purposes = openai_purposes,
    .files.filename = "filename",
    .files.anchor = "expires_after[anchor]",
    .files.seconds = "expires_after[seconds]",
    .files.expires_min_s = 3600,
    .files.expires_max_s = MONTH_S,
    .files.ttl_s = MONTH_S,
    .files.output_ttl_s = MONTH_S,
    .files.max_bytes = 200 * MEGABYTE,
    .files.too_big = 400,
    .files.check = DIALECT_CHECK_FIRST_LINE,
    .files.status = true,
    .files.get = true,
    .files.list = DIALECT_LIST_ENDS,
    .files.list_preset = MANY_FILES,
    .files.list_max = MANY_FILES,
    .files.list_ordered = true,
    .lines.max_requests = 50000,
    .lines.url_code = "invalid_url",
    .batches.created = 200,
    .batches.id = "batch_" RANDOM_24,
    .batches.endpoints = openai_endpoints,
    .batches.validating = "validating",
    .batches.usage = true,
    .batches.list = DIALECT_LIST_ENDS,
};

/* Zhipu: BigModel's API reference, Batch guide and error codes; answers recorded in the tests of
 * zai-org/z-ai-sdk-python. */
static const struct dialect zhipu = {
    .name = "zhipu",
    .base = "/api/paas/v4",
    .problem = DIALECT_PROBLEM_ZHIPU,
    .files.id = "%_" UUID,
    .files.output_id = "%_" UUID,
    .files.error_purpose = "batch_output",
    .files.purposes = zhipu_purposes,
    .files.filename = "fileName",
    .files.output_ttl_s = MONTH_S,
    .files.max_bytes = 100 * MEGABYTE,
    .files.too_big = 435,
    .files.check = DIALECT_CHECK_ZHIPU,
    .files.list = DIALECT_LIST_MORE,
    .files.list_preset = 20,
    .files.list_max = 100,
    .files.list_purpose = true,
    .lines.id_min = 6,
    .lines.id_max = 64,
    .lines.max_requests = 50000,
    .lines.max_embeddings = 10000,
    .lines.url_code = "invalid_url",
    .batches.created = 200,
    .batches.id = "batch_1" DIGITS_18,
    .batches.endpoints = zhipu_endpoints,
    .batches.validating = "validating",
    .batches.time = DIALECT_TIME_MS,
    .batches.absent = DIALECT_ABSENT_OMITTED,
    .batches.absent_id = DIALECT_ABSENT_EMPTY,
    .batches.counts_null = true,
    .batches.auto_delete = true,
    .batches.window = DIALECT_WINDOW_NONE,
    .batches.expiry = DIALECT_EXPIRY_CANCELS,
    .batches.list = DIALECT_LIST_ENDS,
    .results.line = DIALECT_LINE_ZHIPU,
    .results.usage_first = true,
};

/* Azure OpenAI: "Batch" how-to and its REST page in MicrosoftDocs/azure-ai-docs. */
static const struct dialect azure = {
    .name = "azure",
    .base = "/openai/v1",
    .key = DIALECT_KEY_HEADER,
    .files.id = "file-" HEX_32,
    .files.output_id = "file-" UUID,
    .files.error_purpose = "batch_output",
    .files.purposes = openai_purposes,
    .files.filename = "filename",
    .files.anchor = "expires_after.anchor",
    .files.seconds = "expires_after.seconds",
    .files.expires_min_s = 14 * DAY_S,
    .files.expires_max_s = MONTH_S,
    .files.max_bytes = 200 * MEGABYTE,
    .files.too_big = 400,
    .files.check = DIALECT_CHECK_NOTHING,
    .files.status = true,
    .files.pending = true,
    .files.get = true,
    .files.list = DIALECT_LIST_ENDS,
    .files.list_preset = MANY_FILES,
    .files.list_max = MANY_FILES,
    .files.list_ordered = true,
    .lines.max_requests = 100000,
    .lines.url_code = "url_mismatch",
    .lines.url_short = true,
    .lines.bom_hides_model = true,
    .batches.created = 200,
    .batches.id = "batch_" UUID,
    .batches.endpoints = azure_endpoints,
    .batches.validating = "Validating",
    .batches.time = DIALECT_TIME_ISO,
    .batches.absent_id = DIALECT_ABSENT_EMPTY,
    .batches.counts_null = true,
    .batches.endpoint_null = true,
    .batches.failed_completes = true,
    .batches.window = DIALECT_WINDOW_LATE,
    .batches.expiry = DIALECT_EXPIRY_GOES_ON,
    .batches.list = DIALECT_LIST_ENDS,
    .batches.filter = DIALECT_FILTER_AZURE,
    .results.line = DIALECT_LINE_AZURE,
    .results.error_file_empty = true,
};

/* DashScope: Alibaba Cloud Model Studio, "OpenAI compatible - Batch". */
static const struct dialect dashscope = {
    .name = "dashscope",
    .base = "/compatible-mode/v1",
    .files.id = "file-batch-" RANDOM_24,
    .files.output_id = "file-batch_output-" RANDOM_24,
    .files.error_purpose = "batch_output",
    .files.purposes = dashscope_purposes,
    .files.filename = "filename",
    .files.max_bytes = 500 * MEGABYTE,
    .files.too_big = 400,
    .files.check = DIALECT_CHECK_FIRST_LINE,
    .files.status = true,
    .files.get = true,
    .files.outputs_only = true,
    .files.list = DIALECT_LIST_MORE,
    .files.list_preset = 20,
    .files.list_max = 2000,
    .lines.max_requests = 50000,
    .lines.max_bytes = 6 * MEGABYTE,
    .lines.url_code = "mismatched_url",
    .batches.created = 200,
    .batches.id = "batch_" UUID,
    .batches.endpoints = dashscope_endpoints,
    .batches.validating = "validating",
    .batches.ds_names = true,
    .batches.window = DIALECT_WINDOW_HOURS,
    .batches.window_max_h = 336,
    .batches.list = DIALECT_LIST_ENDS,
    .batches.filter = DIALECT_FILTER_DASHSCOPE,
    .results.failure = DIALECT_FAILURE_ERROR,
    .results.usage_first = true,
    .results.no_role = true,
};

/* Groq: its Batch documentation and the types of groq/groq-python. */
static const struct dialect groq = {
    .name = "groq",
    .base = "/openai/v1",
    .files.id = "file_01" RANDOM_24,
    .files.output_id = "file_01" RANDOM_24,
    .files.error_purpose = "batch_output",
    .files.purposes = groq_purposes,
    .files.filename = "filename",
    .files.ttl_s = MONTH_S,
    .files.output_ttl_s = MONTH_S,
    .files.max_bytes = 200 * MEGABYTE,
    .files.too_big = 400,
    .files.check = DIALECT_CHECK_NOTHING,
    .files.get = true,
    .files.list = DIALECT_LIST_ALL,
    .files.list_preset = MANY_FILES,
    .files.list_max = MANY_FILES,
    .lines.max_requests = 50000,
    .lines.url_code = "invalid_url",
    .lines.many_models = true,
    .lines.bad_are_skipped = true,
    .batches.created = 200,
    .batches.id = "batch_01" RANDOM_24,
    .batches.endpoints = groq_endpoints,
    .batches.validating = "validating",
    .batches.errors_array = true,
    .batches.window = DIALECT_WINDOW_HOURS,
    .batches.window_max_h = 168,
    .batches.list = DIALECT_LIST_CURSOR,
    .batches.filter = DIALECT_FILTER_GROQ,
};

/* Doubleword: dwctl/src/api of doublewordai/control-layer. */
static const struct dialect doubleword = {
    .name = "doubleword",
    .base = "/v1",
    .problem = DIALECT_PROBLEM_PLAIN,
    .files.id = UUID,
    .files.output_id = UUID,
    .files.error_purpose = "batch_error",
    .files.purposes = groq_purposes,
    .files.filename = "filename",
    .files.anchor = "expires_after[anchor]",
    .files.seconds = "expires_after[seconds]",
    .files.expires_min_s = 3600,
    .files.expires_max_s = MONTH_S,
    .files.max_bytes = 200 * MEGABYTE,
    .files.too_big = 413,
    .files.check = DIALECT_CHECK_DOUBLEWORD,
    .files.get = true,
    .files.partial = true,
    .files.list = DIALECT_LIST_ENDS,
    .files.list_preset = MANY_FILES,
    .files.list_max = MANY_FILES,
    .files.list_ordered = true,
    .lines.id_min = 1,
    .lines.id_max = 64,
    .lines.max_requests = 50000,
    .lines.url_code = "invalid_url",
    .lines.many_models = true,
    .batches.created = 201,
    .batches.id = UUID,
    .batches.endpoints = doubleword_endpoints,
    .batches.validating = "validating",
    .batches.absent = DIALECT_ABSENT_OMITTED,
    .batches.absent_id = DIALECT_ABSENT_OMITTED,
    .batches.bad_fails = true,
    .batches.deletable = true,
    .batches.file_first = true,
    .batches.keys_reserved = true,
    .batches.window = DIALECT_WINDOW_NAMES,
    .batches.list = DIALECT_LIST_ENDS,
    .batches.filter = DIALECT_FILTER_DOUBLEWORD,
    .results.failure = DIALECT_FAILURE_BARE,
};

static const struct dialect *const dialects[] = {&openai,    &zhipu, &azure,
                                                 &dashscope, &groq,  &doubleword};

const struct dialect *dialect_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(dialects); i++) {
        if (strcmp(dialects[i]->name, name) == 0)
            return dialects[i];
    }
    return NULL;
}

const struct dialect *dialect_at(size_t index)
{
    return index < ARRAY_LEN(dialects) ? dialects[index] : NULL;
}

bool dialect_lists(const char *const *names, const char *name)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}
