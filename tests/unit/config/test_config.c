#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config/config.h"

struct target {
    char *note;
    int64_t max_requests;
    int64_t lease_ms;
    uint64_t max_bytes;
    bool wait;
    char *output;
    char *other;
    char *api_key_file;
    struct tree providers, prices;
};

#define AT(field) .offset = offsetof(struct target, field), .groups = 1

/* clang-format off */
static const struct setting rows[] = {
    {.name = "note", .type = SETTING_STRING, AT(note)},
    {.name = "max-requests", .type = SETTING_INT, AT(max_requests), .min = 1},
    {.name = "lease", .type = SETTING_DURATION, AT(lease_ms), .preset = "15s"},
    {.name = "max-bytes", .type = SETTING_SIZE, AT(max_bytes)},
    {.name = "wait", .type = SETTING_FLAG, AT(wait)},
    {.name = "output", .type = SETTING_STRING, AT(output), .refuses = SETTING_ONLY_FLAG},
    {.name = "other-program", .type = SETTING_STRING, .offset = offsetof(struct target, other),
     .groups = 2},
    {.name = "api-key-file", .type = SETTING_STRING, AT(api_key_file)},
};
/* clang-format on */

static unsigned char origins[ARRAY_LEN(rows)];

static struct settings on(struct target *t)
{
    return (struct settings){
        .program = "sheaf",
        .rows = rows,
        .count = ARRAY_LEN(rows),
        .groups = 1,
        .target = t,
        .origins = origins,
    };
}

static bool read_bytes(const char *text, size_t len, struct target *t, struct err *err)
{
    struct settings s = on(t);

    const struct config_branch branches[] = {
        {"providers", &t->providers},
        {"prices",    &t->prices   },
        {NULL,        NULL         },
    };

    settings_defaults(&s);
    t->providers = (struct tree){0};
    t->prices = (struct tree){0};
    return config_read_text(&s, "sheaf.yaml", text, len, branches, err);
}

static void release(struct target *t)
{
    struct settings s = on(t);

    settings_release(&s);
    tree_release(&t->providers);
    tree_release(&t->prices);
}

/* clang-format off */
static const struct {
    const char *name, *text;
    const char *note;
    int64_t max_requests, lease_ms;
    uint64_t max_bytes;
    bool wait;
} good[] = {
    {"nothing", "", NULL, 0, 15000, 0, false},
    {"a remark", "# nothing\n", NULL, 0, 15000, 0, false},
    {"underscores", "max_requests: 10\nmax_bytes: 1MB\n", NULL, 10, 15000, 1000000, false},
    {"dashes", "max-requests: 10\n", NULL, 10, 15000, 0, false},
    {"all types", "note: a b\nlease: 1m30s\nwait: yes\n", "a b", 0, 90000, 0, true},
    {"quoted", "note: 'x: y'\nmax_requests: \"7\"\n", "x: y", 7, 15000, 0, false},
    {"block text", "note: >-\n  a\n  b\n", "a b", 0, 15000, 0, false},
    {"null as text", "note: \"null\"\n", "null", 0, 15000, 0, false},
    {"JSON", "{\"max_requests\": 5, \"wait\": true, \"note\": \"\\u00e9\"}", "\xc3\xa9",
     5, 15000, 0, true},
    {"byte order mark", "\xef\xbb\xbfnote: x\n", "x", 0, 15000, 0, false},
    {"markers", "---\nnote: x\n...\n", "x", 0, 15000, 0, false},
    {"Windows", "note: x\r\nmax_requests: 2\r\n", "x", 2, 15000, 0, false},
    {"not ours", "other_program: x\nnote: y\n", "y", 0, 15000, 0, false},
};
/* clang-format on */

static void each_good_file_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct target t;
        struct err err = {0};

        print_message("  %s\n", good[i].name);
        if (!read_bytes(good[i].text, strlen(good[i].text), &t, &err))
            fail_msg("%s", err.msg);
        if (good[i].note == NULL)
            assert_null(t.note);
        else
            assert_string_equal(t.note, good[i].note);
        assert_int_equal(t.max_requests, good[i].max_requests);
        assert_int_equal(t.lease_ms, good[i].lease_ms);
        assert_int_equal(t.max_bytes, good[i].max_bytes);
        assert_int_equal(t.wait, good[i].wait);
        release(&t);
    }
}

#define AT_LINE(place, what) "sheaf.yaml:" place ": " what

/* clang-format off */
static const struct {
    const char *text, *msg;
} bad[] = {
    {"note: x\nwait: true\nmax_requests: 1: 2\n",
     AT_LINE("3:16", "mapping values are not allowed in this context")},
    {"note: x\n\n    \nmax_request: 1\n",
     AT_LINE("4:1", "unknown key \"max_request\"; did you mean \"max_requests\"?")},
    {"{note: x,\n\n    max_request: 1}\n",
     AT_LINE("3:5", "unknown key \"max_request\"; did you mean \"max_requests\"?")},
    {"other-progra: 1\n",
     AT_LINE("1:1", "unknown key \"other-progra\"; did you mean \"other_program\"?")},
    {"\"zeb\\nra\\e\": 1\n", AT_LINE("1:1", "unknown key \"zeb?ra?\"")},
    {"zebra: 1\n", AT_LINE("1:1", "unknown key \"zebra\"")},
    {"outputs: 1\n", AT_LINE("1:1", "unknown key \"outputs\"")},
    {"output: x\n", AT_LINE("1:1", "\"output\" cannot be set in a file, only as --output")},
    {"lease: 5\n", AT_LINE("1:8", "lease: \"5\" needs a unit, such as 5s")},
    {"max-requests: many\n", AT_LINE("1:15", "max_requests: \"many\" is not a whole number")},
    {"max_requests: 0\n", AT_LINE("1:15", "max_requests: \"0\" is too small, the least is 1")},
    {"max_requests: 1.5\n", AT_LINE("1:15", "max_requests: \"1.5\" is not a whole number")},
    {"wait: perhaps\n", AT_LINE("1:7", "wait: \"perhaps\" is not true or false")},
    {"max_requests: [1]\n", AT_LINE("1:15", "max_requests: needs one value, not a list")},
    {"max_requests:\n  a: 1\n", AT_LINE("2:3", "max_requests: needs one value, not a mapping")},
    {"note:\nwait: true\n", AT_LINE("1:6", "note: has no value")},
    {"note: ~\n", AT_LINE("1:7", "note: has no value")},
    {"note: null\n", AT_LINE("1:7", "note: has no value")},
    {"note: ''\n", AT_LINE("1:7", "note: the value is empty")},
    {"lease: 1s\nnote: x\nlease: 2s\n",
     AT_LINE("3:1", "duplicate key \"lease\", first in line 1")},
    {"max_requests: 1\nmax-requests: 1\n",
     AT_LINE("2:1", "duplicate key \"max-requests\", first in line 1")},
    {"note: &a x\n", AT_LINE("1:7", "anchors (&) are not allowed")},
    {"&a {note: x}\n", AT_LINE("1:1", "anchors (&) are not allowed")},
    {"note: *a\n", AT_LINE("1:7", "aliases (*) are not allowed")},
    {"<<: {note: x}\n", AT_LINE("1:1", "merge keys (<<) are not allowed")},
    {"note: !!str x\n", AT_LINE("1:7", "tags (!) are not allowed")},
    {"!x {note: x}\n", AT_LINE("1:1", "tags (!) are not allowed")},
    {"note: \"a\\0b\"\n", AT_LINE("1:7", "text with a NUL is not allowed")},
    {"? [a]\n: x\n", AT_LINE("1:3", "a key must be the name of a setting")},
    {"provider:\n  mine: {}\n", AT_LINE("1:1", "unknown key \"provider\"; did you mean \"providers\"?")},
    {"providers: x\n", AT_LINE("1:12", "providers: needs a mapping of names")},
    {"providers: [x]\n", AT_LINE("1:12", "providers: needs a mapping of names")},
    {"providers:\n  mine:\n", AT_LINE("2:8", "mine: has no value")},
    {"providers:\n  mine: {like: ~}\n", AT_LINE("2:16", "like: has no value")},
    {"providers:\n  mine: {a: [1, null]}\n", AT_LINE("2:17", "providers: has no value")},
    {"providers:\n  a: {x: 1}\n  b: {x: 1}\n  a: {y: 1}\n",
     AT_LINE("4:3", "duplicate key \"a\", first in line 2")},
    {"providers:\n  a: {key_env: 1, key-env: 1}\n",
     AT_LINE("2:19", "duplicate key \"key-env\", first in line 2")},
    {"providers: {a: {b: 1}}\nproviders: {a: {b: 1}}\n",
     AT_LINE("2:1", "duplicate key \"providers\", first in line 1")},
    {"providers:\n  a: {api_key: sk-1}\n",
     AT_LINE("2:7", "\"api_key\": a configuration file may not hold a secret; "
             "use api_key_file or the environment")},
    {"providers:\n  a: &x {b: 1}\n", AT_LINE("2:6", "anchors (&) are not allowed")},
    {"providers:\n  a: {? [b] : 1}\n", AT_LINE("2:9", "a key must be a word")},
    {"providers: {a: {b: {c: {d: {e: {f: {g: {h: 1}}}}}}}}\nnote: x\nnote: y\n",
     AT_LINE("3:1", "duplicate key \"note\", first in line 2")},
    {"providers: {a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}}\n",
     AT_LINE("1:48", "too much is nested here")},
    {"- note\n", AT_LINE("1:1", "the file must be one mapping of settings")},
    {"hello\n", AT_LINE("1:1", "the file must be one mapping of settings")},
    {"note: x\n---\nnote: y\n", AT_LINE("2:1", "the file must be one mapping of settings")},
    {"note: 'x\n", AT_LINE("2:1", "found unexpected end of stream")},
    {"note: x\nwait: \xff\n", AT_LINE("2:7", "invalid leading UTF-8 octet")},
    {"\xff\xfen\0o\0", AT_LINE("1:1", "invalid leading UTF-8 octet")},
    {"note: a\x01\n", AT_LINE("1:8", "control characters are not allowed")},
    {"\tnote: x\n", AT_LINE("1:1", "found character that cannot start any token")},
    {"api_key: sk-123\n",
     AT_LINE("1:1", "\"api_key\": a configuration file may not hold a secret; "
             "use api_key_file or the environment")},
    {"openai-api-key: sk-123\n",
     AT_LINE("1:1", "\"openai-api-key\": a configuration file may not hold a secret; "
             "use api_key_file or the environment")},
};
/* clang-format on */

static void each_bad_file_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct target t;
        struct err err = {0};

        print_message("  %zu\n", i);
        assert_false(read_bytes(bad[i].text, strlen(bad[i].text), &t, &err));
        assert_string_equal(err.msg, bad[i].msg);
        assert_int_equal(err.kind, ERR_USAGE);
        release(&t);
    }
}

/* Of each node: depth, key, value or "-", line and column. */
static void print_tree(const struct tree *tree, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < tree->count; i++) {
        const struct tree_node *n = &tree->nodes[i];

        used += (size_t)snprintf(out + used, size - used, "%u %s=%s %zu:%zu\n", n->depth, n->key,
                                 n->value != NULL ? n->value : "-", n->line, n->column);
        assert_true(used < size);
    }
}

static void a_branch_is_handed_out_as_it_is(void **state)
{
    static const char text[] = "note: x\n"
                               "providers:\n"
                               "  mine:\n"
                               "    like: openai\n"
                               "    key-env: [A, 'B']\n"
                               "    limits: {max_bytes: 1MB}\n"
                               "  other: {}\n"
                               "max_requests: 3\n"
                               "prices: {models: {m: {input: 0.5}}}\n";
    struct target t;
    struct err err = {0};
    char have[512];

    (void)state;
    if (!read_bytes(text, strlen(text), &t, &err))
        fail_msg("%s", err.msg);
    print_tree(&t.providers, have, sizeof(have));
    assert_string_equal(have, "0 mine=- 3:3\n"
                              "1 like=openai 4:11\n"
                              "1 key-env=- 5:5\n"
                              "2 =A 5:15\n"
                              "2 =B 5:18\n"
                              "1 limits=- 6:5\n"
                              "2 max_bytes=1MB 6:25\n"
                              "0 other=- 7:3\n");
    assert_string_equal(t.providers.name, "sheaf.yaml");
    assert_int_equal(tree_inside(&t.providers, 0), 6);
    assert_int_equal(tree_inside(&t.providers, 2), 2);
    assert_int_equal(tree_inside(&t.providers, 7), 0);
    assert_int_equal(t.max_requests, 3);
    print_tree(&t.prices, have, sizeof(have));
    assert_string_equal(have, "0 models=- 9:10\n1 m=- 9:19\n2 input=0.5 9:30\n");
    release(&t);
}

static void a_branch_of_too_many_nodes_is_refused(void **state)
{
    char *text = calloc(1, 16 * (CONFIG_MAX_NODES + 2));
    size_t len = (size_t)snprintf(text, 16, "providers:\n");
    struct target t;
    struct err err = {0};

    (void)state;
    for (int i = 0; i <= CONFIG_MAX_NODES; i++)
        len += (size_t)snprintf(text + len, 16, " n%d: 1\n", i);
    assert_false(read_bytes(text, len, &t, &err));
    assert_non_null(strstr(err.msg, ": too much is nested here"));
    assert_int_equal(t.providers.count, 0);
    free(text);
    release(&t);
}

static void a_file_of_brackets_is_refused_at_once(void **state)
{
    size_t len = CONFIG_MAX_BYTES;
    char *text = malloc(len);
    struct target t;
    struct err err = {0};

    (void)state;
    memset(text, '[', len);
    assert_false(read_bytes(text, len, &t, &err));
    assert_string_equal(err.msg, "sheaf.yaml:1:1: the file must be one mapping of settings");
    memcpy(text, "note: ", 6);
    assert_false(read_bytes(text, len, &t, &err));
    assert_string_equal(err.msg, "sheaf.yaml:1:7: note: needs one value, not a list");
    free(text);
}

static void one_byte_over_the_limit_is_too_large(void **state)
{
    size_t len = CONFIG_MAX_BYTES + 1;
    char *text = malloc(len);
    struct target t;
    struct err err = {0};

    (void)state;
    memset(text, '\n', len);
    assert_true(read_bytes(text, len - 1, &t, &err));
    assert_false(read_bytes(text, len, &t, &err));
    assert_string_equal(err.msg, "sheaf.yaml: larger than 1 MiB");
    free(text);
}

static void files_are_read_by_name(void **state)
{
    char path[] = "/tmp/sheaf-config-XXXXXX";
    int fd = mkstemp(path);
    struct target t = {0};
    struct settings s = on(&t);
    const struct config_branch none = {NULL, NULL};
    struct err err = {0};
    char want[128];

    (void)state;
    assert_int_equal(write(fd, "note: z\nx: 1", 12), 12);
    assert_int_equal(close(fd), 0);
    settings_defaults(&s);
    assert_false(config_read_file(&s, path, &none, &err));
    (void)snprintf(want, sizeof(want), "%s:2:1: unknown key \"x\"", path);
    assert_string_equal(err.msg, want);
    assert_string_equal(t.note, "z");
    assert_int_equal(settings_origin(&s, "note"), SETTING_FROM_FILE);
    settings_release(&s);

    assert_int_equal(unlink(path), 0);
    assert_false(config_read_file(&s, path, &none, &err));
    (void)snprintf(want, sizeof(want), "%s: cannot be opened: No such file or directory", path);
    assert_string_equal(err.msg, want);
    assert_false(config_read_file(&s, "/tmp", &none, &err));
    assert_string_equal(err.msg, "/tmp: cannot be read: Is a directory");
    assert_int_equal(err.kind, ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_good_file_is_read),
        cmocka_unit_test(each_bad_file_is_refused_with_its_place),
        cmocka_unit_test(a_branch_is_handed_out_as_it_is),
        cmocka_unit_test(a_branch_of_too_many_nodes_is_refused),
        cmocka_unit_test(a_file_of_brackets_is_refused_at_once),
        cmocka_unit_test(one_byte_over_the_limit_is_too_large),
        cmocka_unit_test(files_are_read_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
