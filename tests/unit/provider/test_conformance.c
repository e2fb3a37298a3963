/*
 * The client against the simulator, profile by profile: what the one puts on
 * the wire the other takes, and what that answers the first understands. The
 * two share no code, so each is an independent reading of what vendors publish.
 */
#include "tests/testlib/unit.h"

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/xmem.h"
#include "common/json/result_line.h"
#include "common/loop/loop.h"
#include "common/provider/provider.h"
#include "common/provider/row.h"

#define KEY           "sk-conformance"
#define LINES         3
#define GIVE_UP_MS    20000
#define PAGES_MAX     50
#define CONTENT_BYTES (1u << 20)

struct bench {
    pid_t pid; /* of the simulator; 0: none */
    struct event_base *base;
    struct http_client *client;
    struct provider_profile profile; /* the built-in one, at the simulator's address */
    char base_url[128];
    struct provider *provider;
    bool called;
    struct provider_error error; /* of the last call */
    bool ok;
    struct remote_batch batch;
    struct remote_file file;
    struct remote_batch_page batches; /* of the last listing */
    struct remote_file_page files;
    struct buf content;
    int64_t size;
};

/* ---- the simulator ---- */

static void exec_simulator(const char *profile, int out, const char *const *more)
{
    const char *path = getenv("SHEAF_SIMULATOR");
    const char *argv[32] = {
        path != NULL ? path : SIMULATOR_PATH, "--port", "0", "--profile", profile, "--key", KEY};
    size_t count = 7;

    for (; *more != NULL && count < ARRAY_LEN(argv) - 1; more++)
        argv[count++] = *more;
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execv(argv[0], (char **)(uintptr_t)argv); /* NOLINT(performance-no-int-to-ptr): drops const */
    _exit(127);
}

/* The port it listens on, from its first line. */
static int start_simulator(struct bench *b, const char *profile, const char *const *more)
{
    int ends[2];
    int port = 0;
    char line[64] = "";

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    b->pid = fork();
    assert_true(b->pid >= 0);
    if (b->pid == 0)
        exec_simulator(profile, ends[1], more);
    close(ends[1]);
    ssize_t n = read(ends[0], line, sizeof(line) - 1);
    close(ends[0]);
    if (n <= 0 || sscanf(line, "PORT %d", &port) != 1) /* NOLINT(cert-err34-c): seen below */
        fail_msg("the simulator does not start as %s", profile);
    assert_in_range(port, 1, 65535);
    return port;
}

static void stop_simulator(struct bench *b)
{
    if (b->pid == 0)
        return;
    kill(b->pid, SIGKILL);
    assert_int_equal(waitpid(b->pid, NULL, 0), b->pid);
    b->pid = 0;
}

/* The path of the profile's own address: "/openai/v1". */
static const char *base_path(const struct provider_profile *profile)
{
    const char *path = strchr(strstr(profile->base_url, "://") + 3, '/');

    assert_non_null(path);
    return path;
}

static void begin(struct bench *b, const char *name, const char *const *more)
{
    const struct provider_profile *profile = provider_profile_find(name);
    int port = start_simulator(b, name, more);
    struct err err = {0};

    (void)snprintf(b->base_url, sizeof(b->base_url), "http://127.0.0.1:%d%s", port,
                   base_path(profile));
    b->profile = *profile;
    b->profile.base_url = b->base_url; /* its own site: everything is sent that is sent there */
    b->profile.base_url_varies = false;
    b->provider = provider_new(b->client, &b->profile, NULL, KEY, NULL, &err);
    if (b->provider == NULL)
        fail_msg("%s", err.msg);
}

static void end(struct bench *b)
{
    provider_free(b->provider);
    b->provider = NULL;
    remote_batch_page_release(&b->batches);
    remote_file_page_release(&b->files);
    stop_simulator(b);
}

static int set_up(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));

    b->base = loop_new();
    b->client = http_client_new(b->base);
    b->content = BUF_INIT(CONTENT_BYTES);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    end(b);
    http_client_free(b->client);
    loop_free(b->base);
    buf_release(&b->content);
    free(b);
    return 0;
}

/* ---- calls, one after the other ---- */

static void told(struct bench *b, const struct provider_error *error)
{
    b->called = true;
    b->ok = error == NULL;
    b->error = error != NULL ? *error : (struct provider_error){0};
    event_base_loopbreak(b->base);
}

static void on_plain(const struct provider_error *error, void *arg)
{
    told(arg, error);
}

static void on_batch(const struct provider_error *error, const struct remote_batch *batch,
                     void *arg)
{
    struct bench *b = arg;

    if (batch != NULL)
        b->batch = *batch;
    told(b, error);
}

static void on_file(const struct provider_error *error, const struct remote_file *file, void *arg)
{
    struct bench *b = arg;

    if (file != NULL)
        b->file = *file;
    told(b, error);
}

/* The page is borrowed: its items are copied. */
static void on_batches(const struct provider_error *error, const struct remote_batch_page *page,
                       void *arg)
{
    struct bench *b = arg;

    remote_batch_page_release(&b->batches);
    if (page != NULL) {
        b->batches = *page;
        b->batches.items = xcalloc(page->count + 1, sizeof(*page->items));
        memcpy(b->batches.items, page->items, page->count * sizeof(*page->items));
    }
    told(b, error);
}

static void on_files(const struct provider_error *error, const struct remote_file_page *page,
                     void *arg)
{
    struct bench *b = arg;

    remote_file_page_release(&b->files);
    if (page != NULL) {
        b->files = *page;
        b->files.items = xcalloc(page->count + 1, sizeof(*page->items));
        memcpy(b->files.items, page->items, page->count * sizeof(*page->items));
    }
    told(b, error);
}

static void run(struct bench *b, struct provider_call *call)
{
    assert_non_null(call);
    b->called = false;
    event_base_dispatch(b->base);
    assert_true(b->called);
}

static void assert_class(const struct bench *b, enum provider_class class)
{
    if (b->error.class != class)
        fail_msg("%s (%ld %s: %s), not %s", provider_class_name(b->error.class), b->error.status,
                 b->error.code, b->error.message, provider_class_name(class));
}

static void upload_text(struct bench *b, const char *text, const char *name)
{
    char path[] = "/tmp/sheaf-test-XXXXXX";
    int fd = mkstemp(path);
    size_t len = strlen(text);

    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(write(fd, text, len), len);
    run(b, provider_upload(b->provider, fd, len, name, on_file, b));
    assert_int_equal(close(fd), 0);
}

/* Requests as a batch file of that provider has them. */
static void write_requests(const struct bench *b, const char *model, char *out, size_t size)
{
    const char *url = provider_endpoint_for(&b->profile, "/v1/chat/completions");
    size_t used = 0;

    for (int i = 0; i < LINES; i++)
        used += (size_t)snprintf(out + used, size - used,
                                 "{\"custom_id\":\"request-%d\",\"method\":\"POST\",\"url\":\"%s\","
                                 "\"body\":{\"model\":\"%s\",\"messages\":[{\"role\":\"user\","
                                 "\"content\":\"%d\"}]}}\n",
                                 i, url, model, i);
    assert_true(used < size);
}

static void upload(struct bench *b, const char *name)
{
    char text[2048];

    write_requests(b, "glm-4-plus", text, sizeof(text));
    upload_text(b, text, name);
    assert_class(b, PROVIDER_NONE);
    assert_true(b->file.id[0] != '\0');
    assert_int_equal(b->file.bytes, strlen(text));
    assert_string_equal(b->file.filename, name);
}

static void create(struct bench *b, const char *file_id, const char *bid)
{
    run(b, provider_create(b->provider, file_id, "/v1/chat/completions", bid, "a job", "c",
                           on_batch, b));
}

static void get(struct bench *b, const char *batch_id)
{
    run(b, provider_get(b->provider, batch_id, on_batch, b));
}

static void on_size(int64_t total, void *arg)
{
    ((struct bench *)arg)->size = total;
}

static enum http_body_verdict on_bytes(const char *bytes, size_t len, void *arg)
{
    assert_true(buf_append(&((struct bench *)arg)->content, bytes, len));
    return HTTP_BODY_OK;
}

static void download(struct bench *b, const char *file_id, uint64_t offset)
{
    const struct provider_content_sink sink = {
        .on_size = on_size, .on_bytes = on_bytes, .done = on_plain};

    buf_clear(&b->content);
    run(b, provider_content(b->provider, file_id, offset, &sink, b));
}

static void pause_a_moment(void)
{
    usleep(20000);
}

/* Ask for the batch until it has ended. */
static void wait_for_end(struct bench *b)
{
    int64_t until = clock_mono_ms() + GIVE_UP_MS;
    char id[sizeof(b->batch.id)];

    memcpy(id, b->batch.id, sizeof(id));
    do {
        pause_a_moment();
        get(b, id);
        assert_class(b, PROVIDER_NONE);
        assert_string_equal(b->batch.id, id);
        assert_int_not_equal(b->batch.status, REMOTE_UNKNOWN);
        assert_true(clock_mono_ms() < until);
    } while (!remote_status_is_terminal(b->batch.status));
}

/* ---- what every provider does ---- */

/* Every profile with these options for its simulator. */
static void each_profile(void **state, const char *const *more, void (*check)(struct bench *b))
{
    for (const char *const *name = provider_profile_names(); *name != NULL; name++) {
        print_message("  %s\n", *name);
        begin(*state, *name, more);
        check(*state);
        end(*state);
    }
}

static const char *const nothing[] = {NULL};

static void wait_for_file(struct bench *b)
{
    int64_t until = clock_mono_ms() + GIVE_UP_MS;
    char id[sizeof(b->file.id)];

    memcpy(id, b->file.id, sizeof(id));
    while (b->profile.has_file_get && b->file.status == REMOTE_FILE_PENDING) {
        pause_a_moment();
        run(b, provider_file_get(b->provider, id, on_file, b));
        assert_class(b, PROVIDER_NONE);
        assert_string_equal(b->file.id, id);
        assert_true(clock_mono_ms() < until);
    }
}

static void check_results(struct bench *b)
{
    char *rest = b->content.data;
    bool seen[LINES] = {false};
    size_t lines = 0;

    assert_int_equal(b->content.len, (size_t)b->size);
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        struct result_line r;
        unsigned i = LINES;

        if (line[0] == '\0')
            continue;
        assert_true(result_line_parse(line, strlen(line), &r, NULL));
        assert_int_equal(provider_row_classify(r.status_code, r.code, r.message,
                                               r.error.len > 0 || r.body_has_error),
                         ROW_OK);
        assert_int_equal(sscanf(r.custom_id, "request-%u", &i), 1); /* NOLINT(cert-err34-c) */
        assert_true(i < LINES && !seen[i]);
        seen[i] = true;
        lines++;
    }
    assert_int_equal(lines, LINES);
}

/* The output as a whole, and from its middle on. */
static void check_download(struct bench *b, const char *file_id)
{
    download(b, file_id, 0);
    assert_class(b, PROVIDER_NONE);
    char *whole = xstrndup(b->content.data, b->content.len);
    size_t len = b->content.len;

    check_results(b);
    download(b, file_id, 10);
    assert_class(b, PROVIDER_NONE);
    assert_int_equal(b->content.len, len - 10);
    assert_memory_equal(b->content.data, whole + 10, len - 10);
    download(b, file_id, len);
    assert_class(b, PROVIDER_NONE);
    assert_int_equal(b->content.len, 0);
    free(whole);
}

static void runs_a_batch(struct bench *b)
{
    char file_id[sizeof(b->file.id)];

    upload(b, "sheaf-0123456789abcdef.jsonl");
    memcpy(file_id, b->file.id, sizeof(file_id));
    wait_for_file(b);
    create(b, file_id, "0123456789abcdef");
    assert_class(b, PROVIDER_NONE);
    assert_string_equal(b->batch.input_file_id, file_id);
    assert_string_equal(b->batch.metadata_bid, "0123456789abcdef");
    assert_true(b->batch.created_unix_ms > INT64_C(1600000000000));
    assert_true(b->batch.created_unix_ms < INT64_C(4000000000000));
    wait_for_end(b);
    assert_int_equal(b->batch.status, REMOTE_COMPLETED);
    assert_int_equal(remote_batch_failure(&b->batch), PROVIDER_NONE);
    assert_int_equal(b->batch.completed, LINES);
    assert_string_equal(b->batch.metadata_bid, "0123456789abcdef");
    char output[sizeof(b->batch.id)];
    memcpy(output, b->batch.output_file_id, sizeof(output));
    check_download(b, output);
    if (b->batch.error_file_id[0] == '\0')
        return;
    download(b, b->batch.error_file_id, 0); /* Azure's of a batch without an error */
    assert_class(b, PROVIDER_NONE);
    assert_int_equal(b->size, 0);
    assert_int_equal(b->content.len, 0);
}

static void every_provider_runs_a_batch(void **state)
{
    each_profile(state, nothing, runs_a_batch);
}

/* ---- listings ---- */

/* How often the batch @id is in a listing of pages of @limit. */
static size_t count_batch(struct bench *b, const char *id, unsigned limit)
{
    char next[sizeof(b->batches.next)] = "";
    size_t found = 0;

    for (int page = 0; page < PAGES_MAX; page++) {
        run(b, provider_list(b->provider, next, limit, on_batches, b));
        assert_class(b, PROVIDER_NONE);
        for (size_t i = 0; i < b->batches.count; i++)
            found += strcmp(b->batches.items[i].id, id) == 0;
        if (!b->batches.has_more)
            return found;
        memcpy(next, b->batches.next, sizeof(next));
    }
    fail_msg("a listing of more than %d pages", PAGES_MAX);
    return 0;
}

static size_t count_file(struct bench *b, const char *id, unsigned limit)
{
    char next[sizeof(b->files.next)] = "";
    size_t found = 0;

    for (int page = 0; page < PAGES_MAX; page++) {
        run(b, provider_file_list(b->provider, next, limit, on_files, b));
        assert_class(b, PROVIDER_NONE);
        for (size_t i = 0; i < b->files.count; i++)
            found += strcmp(b->files.items[i].id, id) == 0;
        if (!b->files.has_more)
            return found;
        memcpy(next, b->files.next, sizeof(next));
    }
    fail_msg("a listing of more than %d pages", PAGES_MAX);
    return 0;
}

static void lists_everything_once(struct bench *b)
{
    char batches[3][sizeof(b->batch.id)];
    char files[3][sizeof(b->file.id)];

    for (int i = 0; i < 3; i++) {
        char name[64], bid[32];

        (void)snprintf(name, sizeof(name), "sheaf-%d.jsonl", i);
        (void)snprintf(bid, sizeof(bid), "bid-%d", i);
        upload(b, name);
        memcpy(files[i], b->file.id, sizeof(files[i]));
        wait_for_file(b);
        create(b, files[i], bid);
        assert_class(b, PROVIDER_NONE);
        memcpy(batches[i], b->batch.id, sizeof(batches[i]));
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(count_batch(b, batches[i], 1), 1);
        assert_int_equal(count_batch(b, batches[i], 3), 1);
        assert_int_equal(count_batch(b, batches[i], 100), 1);
        assert_int_equal(count_file(b, files[i], 1), 1);
        assert_int_equal(count_file(b, files[i], 100), 1);
    }
    /* What recovery looks for is in the listing itself. */
    assert_int_equal(count_batch(b, batches[0], 100), 1);
    for (size_t i = 0; i < b->batches.count; i++) {
        const struct remote_batch *batch = &b->batches.items[i];

        if (strcmp(batch->id, batches[0]) != 0)
            continue;
        assert_string_equal(batch->input_file_id, files[0]);
        assert_string_equal(batch->metadata_bid, "bid-0");
    }
}

static void every_provider_lists_everything_once(void **state)
{
    static const char *const slow[] = {"--delay", "60s", NULL};

    each_profile(state, slow, lists_everything_once);
}

/* ---- ends ---- */

static void cancels_what_runs(struct bench *b)
{
    char id[sizeof(b->batch.id)];

    upload(b, "sheaf-1.jsonl");
    wait_for_file(b);
    create(b, b->file.id, "bid-1");
    assert_class(b, PROVIDER_NONE);
    memcpy(id, b->batch.id, sizeof(id));
    run(b, provider_cancel(b->provider, id, on_batch, b));
    assert_class(b, PROVIDER_NONE);
    assert_string_equal(b->batch.id, id);
    assert_true(b->batch.status == REMOTE_CANCELLING || b->batch.status == REMOTE_CANCELLED);
    wait_for_end(b);
    assert_int_equal(b->batch.status, REMOTE_CANCELLED);
}

static void every_provider_cancels_what_runs(void **state)
{
    static const char *const slow[] = {"--delay", "60s", NULL};

    each_profile(state, slow, cancels_what_runs);
}

static void refuses_to_cancel_what_has_ended(struct bench *b)
{
    upload(b, "sheaf-1.jsonl");
    wait_for_file(b);
    create(b, b->file.id, "bid-1");
    wait_for_end(b);
    run(b, provider_cancel(b->provider, b->batch.id, on_batch, b));
    if (!b->ok) /* some say nothing */
        assert_class(b, PROVIDER_CONFLICT_STATE);
}

static void every_provider_knows_what_has_ended(void **state)
{
    each_profile(state, nothing, refuses_to_cancel_what_has_ended);
}

static void deletes_files(struct bench *b)
{
    char id[sizeof(b->file.id)];

    upload(b, "sheaf-1.jsonl");
    memcpy(id, b->file.id, sizeof(id));
    run(b, provider_file_delete(b->provider, id, on_plain, b));
    assert_class(b, PROVIDER_NONE);
    assert_int_equal(count_file(b, id, 100), 0);
    run(b, provider_file_delete(b->provider, id, on_plain, b));
    assert_class(b, PROVIDER_NONE); /* it is gone: that is what was wanted */
    if (b->profile.has_file_get) {
        run(b, provider_file_get(b->provider, id, on_file, b));
        assert_class(b, PROVIDER_NOT_FOUND);
    }
    download(b, id, 0);
    assert_false(b->ok);
}

static void every_provider_deletes_files(void **state)
{
    each_profile(state, nothing, deletes_files);
}

static void tells_what_is_not_there(struct bench *b)
{
    get(b, "batch_00000000-0000-4000-8000-000000000000");
    assert_class(b, PROVIDER_NOT_FOUND);
}

static void every_provider_tells_what_is_not_there(void **state)
{
    each_profile(state, nothing, tells_what_is_not_there);
}

static void refuses_another_key(struct bench *b)
{
    struct err err = {0};

    provider_free(b->provider);
    b->provider = provider_new(b->client, &b->profile, NULL, "sk-another", NULL, &err);
    assert_non_null(b->provider);
    run(b, provider_list(b->provider, "", 1, on_batches, b));
    assert_class(b, PROVIDER_AUTH);
    upload_text(b, "{}\n", "x.jsonl");
    assert_class(b, PROVIDER_AUTH);
    create(b, "file-1", "bid");
    assert_class(b, PROVIDER_AUTH);
    download(b, "file-1", 0);
    assert_class(b, PROVIDER_AUTH);
}

static void every_provider_refuses_another_key(void **state)
{
    each_profile(state, nothing, refuses_another_key);
}

/* ---- bad input ---- */

/* A file whose second line is no JSON: told with the upload, or by the batch. */
static void names_the_bad_line(struct bench *b)
{
    char text[2048];
    struct remote_error error;

    write_requests(b, "glm-4-plus", text, sizeof(text));
    char *second = strchr(text, '\n') + 1;
    second[0] = '[';
    upload_text(b, text, "sheaf-1.jsonl");
    if (!b->ok) {
        assert_true(b->profile.validates_upload);
        assert_class(b, PROVIDER_INVALID_LINE);
        assert_int_equal(b->error.line, 2);
        return;
    }
    assert_false(b->profile.validates_upload);
    wait_for_file(b);
    create(b, b->file.id, "bid-1");
    assert_class(b, PROVIDER_NONE);
    wait_for_end(b);
    assert_true(b->batch.error_count > 0);
    error = b->batch.errors[0];
    assert_int_equal(error.line, 2);
    if (b->batch.status == REMOTE_FAILED)
        assert_int_equal(remote_batch_failure(&b->batch), PROVIDER_INVALID_LINE);
    else
        assert_string_equal(b->profile.name, "groq"); /* it leaves the line out */
}

static void every_provider_names_the_bad_line(void **state)
{
    each_profile(state, nothing, names_the_bad_line);
}

static void a_file_that_is_too_large_is_refused_by_its_size(struct bench *b)
{
    upload_text(b, "", "empty.jsonl");
    char *text = xcalloc(1, 4097);

    memset(text, ' ', 4095);
    text[4095] = '\n';
    upload_text(b, text, "large.jsonl");
    assert_class(b, PROVIDER_INVALID_FILE);
    free(text);
}

static void every_provider_refuses_a_file_that_is_too_large(void **state)
{
    static const char *const small[] = {"--max-bytes", "2kB", NULL};

    each_profile(state, small, a_file_that_is_too_large_is_refused_by_its_size);
}

static void a_create_without_its_file_runs_nothing(struct bench *b)
{
    upload(b, "sheaf-1.jsonl");
    char id[sizeof(b->file.id)];
    memcpy(id, b->file.id, sizeof(id));
    run(b, provider_file_delete(b->provider, id, on_plain, b));
    assert_class(b, PROVIDER_NONE);
    create(b, id, "bid-1");
    if (!b->ok) {
        assert_class(b, PROVIDER_NOT_FOUND);
        return;
    }
    wait_for_end(b);
    assert_int_equal(b->batch.status, REMOTE_FAILED);
    assert_int_equal(remote_batch_failure(&b->batch), PROVIDER_NOT_FOUND);
}

static void no_provider_runs_a_file_that_is_gone(void **state)
{
    each_profile(state, nothing, a_create_without_its_file_runs_nothing);
}

/* ---- rows ---- */

/* One row that the provider was too busy for: it is in one of the two files, told as such. */
static void tells_of_a_row_that_failed(struct bench *b)
{
    char text[2048], busy[2200];
    struct result_line r;

    write_requests(b, "glm-4-plus", text, sizeof(text));
    char *model = strstr(text, "\"model\"");
    (void)snprintf(busy, sizeof(busy), "%.*s\"sim_status\":429,%s", (int)(model - text), text,
                   model);
    upload_text(b, busy, "sheaf-1.jsonl");
    assert_class(b, PROVIDER_NONE);
    wait_for_file(b);
    create(b, b->file.id, "bid-1");
    assert_class(b, PROVIDER_NONE);
    wait_for_end(b);
    assert_int_equal(b->batch.status, REMOTE_COMPLETED);
    download(b, b->batch.error_file_id, 0);
    assert_class(b, PROVIDER_NONE);
    size_t len = strcspn(b->content.data, "\r\n");
    assert_true(result_line_parse(b->content.data, len, &r, NULL));
    assert_string_equal(r.custom_id, "request-0");
    enum row_class class = provider_row_classify(r.status_code, r.code, r.message,
                                                 r.error.len > 0 || r.body_has_error);
    if (r.status_code > 0)
        assert_int_equal(class, ROW_RATE);
    else /* some tell no status, and the simulator's code is no vendor's */
        assert_int_equal(class, ROW_UNKNOWN);
}

static void every_provider_tells_of_a_row_that_failed(void **state)
{
    each_profile(state, nothing, tells_of_a_row_that_failed);
}

/* ---- refusals and quotas ---- */

static void on_rate(const struct provider_rate *rate, void *arg)
{
    *(struct provider_rate *)arg = *rate;
}

static void says_when_to_come_back(struct bench *b)
{
    struct provider_rate rate = {0};

    provider_on_rate(b->provider, on_rate, &rate);
    create(b, "file-1", "bid-1");
    assert_class(b, PROVIDER_RATE_LIMIT);
    assert_int_equal(b->error.retry_after_ms, 60000);
    assert_true(b->error.no_repeat);
    assert_int_equal(rate.operation, PROVIDER_OP_CREATE);
    assert_int_equal(rate.remaining, 0);
    assert_in_range(rate.reset_ms, 1, 90000);
}

static void every_provider_says_when_to_come_back(void **state)
{
    static const char *const busy[] = {
        "--fault",
        "status=429:retry-after=60:retry-after-seconds=30:should-retry=false:route=creates",
        "--fault", "rate-headers=90s", NULL};

    each_profile(state, busy, says_when_to_come_back);
}

static void says_that_the_quota_is_used_up(struct bench *b)
{
    create(b, "file-1", "bid-1");
    if (strcmp(b->profile.name, "doubleword") != 0) /* which has no codes, and says 402 */
        assert_class(b, PROVIDER_BILLING);
}

static void says_that_there_is_no_money(struct bench *b)
{
    create(b, "file-1", "bid-1");
    assert_class(b, PROVIDER_BILLING);
}

static void every_provider_says_that_there_is_no_money(void **state)
{
    static const char *const poor[] = {"--fault", "insufficient-quota", NULL};
    static const char *const unpaid[] = {"--fault", "status=402:body=text:route=creates", NULL};

    each_profile(state, poor, says_that_the_quota_is_used_up);
    each_profile(state, unpaid, says_that_there_is_no_money);
}

static void a_full_queue_is_told(struct bench *b)
{
    upload(b, "sheaf-1.jsonl");
    wait_for_file(b);
    create(b, b->file.id, "bid-1");
    if (b->ok) {
        wait_for_end(b);
        assert_int_equal(b->batch.status, REMOTE_FAILED);
        assert_int_equal(remote_batch_failure(&b->batch), PROVIDER_QUOTA_ENQUEUED);
    } else if (b->error.class != PROVIDER_RATE_LIMIT) {
        assert_class(b, PROVIDER_QUOTA_ENQUEUED);
    }
}

static void every_provider_tells_of_a_full_queue(void **state)
{
    static const char *const full[] = {"--enqueued-tokens", "1", NULL};

    each_profile(state, full, a_full_queue_is_told);
}

#define bench_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        bench_test(every_provider_runs_a_batch),
        bench_test(every_provider_lists_everything_once),
        bench_test(every_provider_cancels_what_runs),
        bench_test(every_provider_knows_what_has_ended),
        bench_test(every_provider_deletes_files),
        bench_test(every_provider_tells_what_is_not_there),
        bench_test(every_provider_refuses_another_key),
        bench_test(every_provider_names_the_bad_line),
        bench_test(every_provider_refuses_a_file_that_is_too_large),
        bench_test(no_provider_runs_a_file_that_is_gone),
        bench_test(every_provider_tells_of_a_row_that_failed),
        bench_test(every_provider_says_when_to_come_back),
        bench_test(every_provider_says_that_there_is_no_money),
        bench_test(every_provider_tells_of_a_full_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
