/* The bundle: a recipe that needs nothing else, and what has changed since it was written. */
#include "tests/unit/recipe/recipe_fixture.h"

#include "common/recipe/bundle.h"
#include "common/recipe/template.h"

static const char recipe_text[] =
    "model: m\n"
    "id_field: id\n"
    "input: {encoding: gb18030}\n"
    "defaults: {stop: [\"\\u2028\", \"\\x7f\", \"a\\nb\"], top_p: 0.10}\n"
    "analyses:\n"
    "  - name: a\n"
    "    prompt_file: prompt.md\n"
    "    answer: {schema: {type: object, properties: {n: {type: integer}}}}\n"
    "    vocabulary: {file: data/words.json, at: w}\n"
    "    default: {n: 3, w: red}\n"
    "    tries: 3\n"
    "  - {name: b, prompt: \"{{x}}\", default: 5}\n";

static const struct bundle_input input = {"/rows/posts.jsonl", "abc", ROWS_JSONL};

static void put_files(const char *words)
{
    kitchen_write("prompt.md", "Say {{x}} {{> data/part.md}}\n");
    kitchen_write("data/part.md", "part \"好\"\t😀\n");
    kitchen_write("data/words.json", words);
}

static int set_up(void **state)
{
    static struct kitchen kitchen;

    kitchen_open(&kitchen);
    *state = &kitchen;
    return 0;
}

static int tear_down(void **state)
{
    kitchen_close(*state);
    return 0;
}

/* Load recipe.yaml with @text and the files as they were first. */
static struct recipe load(const char *text, const struct recipe_overrides *flags)
{
    struct recipe r;
    struct err err = {0};

    if (!kitchen_load(text, flags, &r, &err))
        fail_msg("%s", err.msg);
    return r;
}

static struct buf bundle_of(const struct recipe *r)
{
    struct buf out = BUF_INIT(BUNDLE_MAX_BYTES);

    assert_true(bundle_write(r, &input, &out));
    return out;
}

static void a_recipe_comes_back_from_its_bundle_alone(void **state)
{
    const struct recipe_overrides flags = {.model = "new"};
    struct recipe again;
    struct err err = {0};

    put_files("[\"red\"]");
    struct recipe r = load(recipe_text, &flags);
    struct buf bundle = bundle_of(&r);
    assert_int_equal(system("rm -r prompt.md data/part.md data/words.json recipe.yaml"), 0);
    if (!recipe_from_bundle(bundle.data, bundle.len, &again, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(again.digest, r.digest);
    assert_string_equal(again.content, r.content);
    assert_string_equal(again.name, "recipe.yaml");
    assert_string_equal(again.folder, ((const struct kitchen *)*state)->folder);
    assert_string_equal(again.id_field, "id");
    assert_string_equal(again.rows.encoding, "gb18030");
    assert_int_equal(again.rows.format, ROWS_JSONL);
    assert_int_equal(again.count, 2);
    assert_string_equal(again.analyses[0].parameters, r.analyses[0].parameters);
    assert_string_equal(again.analyses[0].parameters,
                        "\"stop\":[\"\xe2\x80\xa8\",\"\x7f\",\"a\\nb\"],\"top_p\":0.10");
    assert_string_equal(again.analyses[0].model, "new");
    assert_int_equal(again.analyses[0].tries, 3);
    assert_string_equal(again.analyses[0].fallback, "{\"n\":3,\"w\":\"red\"}");
    assert_string_equal(again.analyses[1].fallback, "\"5\"");
    assert_string_equal(again.analyses[0].vocabulary_text, "- red");
    struct buf second = bundle_of(&again);
    assert_string_equal(second.data, bundle.data);
    assert_true(bundle_compare(&again, &input, bundle.data, bundle.len, &err));
    buf_release(&second);
    buf_release(&bundle);
    recipe_release(&again);
    recipe_release(&r);
}

static void its_input_can_be_read(void **state)
{
    struct bundle_origin origin;

    (void)state;
    put_files("[\"red\"]");
    struct recipe r = load(recipe_text, NULL);
    struct buf bundle = bundle_of(&r);
    assert_true(bundle_origin(bundle.data, bundle.len, &origin, NULL));
    assert_string_equal(origin.path, "/rows/posts.jsonl");
    assert_string_equal(origin.rows, "abc");
    assert_string_equal(origin.encoding, "gb18030");
    assert_int_equal(origin.format, ROWS_JSONL);
    bundle_origin_release(&origin);
    buf_release(&bundle);
    recipe_release(&r);
}

/* recipe_text with its first @from replaced. */
static char *with(const char *from, const char *to)
{
    const char *at = strstr(recipe_text, from);
    char *text = NULL;

    assert_non_null(at);
    assert_true(asprintf(&text, "%.*s%s%s", (int)(at - recipe_text), recipe_text, to,
                         at + strlen(from)) > 0);
    return text;
}

static void what_changed_in_the_recipe_is_named(void **state)
{
    static const struct {
        const char *from, *to, *wanted;
    } cases[] = {
        {"tries: 3",          "tries: 4",                     "analyses[0].tries was 3, is 4"                 },
        {"    tries: 3\n",    "",                             "analyses[0].tries was 3, is nothing"           },
        {"id_field: id",      "id_field: id\nkeep_raw: true", "keep_raw was nothing, is true"                 },
        {"top_p: 0.10",       "top_p: 0.1",                   "defaults.top_p was 0.10, is 0.1"               },
        {"{{x}}",             "{{y}}",                        "analyses[1].prompt was \"{{x}}\", is \"{{y}}\""},
        {"{n: 3, w: red}",    "{w: red, n: 3}",
         "analyses[0].default was {\"n\":3,\"w\":\"red\"}, is {\"w\":\"red\",\"n\":3}"                        },
        {"{type: integer}",   "{type: integer, minimum: 1}",
         "analyses[0].answer.schema.properties.n.minimum was nothing, is 1"                                   },
        {"encoding: gb18030", "encoding: big5",               "input.encoding was \"gb18030\", is \"big5\""   },
    };

    (void)state;
    put_files("[\"red\"]");
    struct recipe r = load(recipe_text, NULL);
    struct buf bundle = bundle_of(&r);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = with(cases[i].from, cases[i].to), wanted[256];
        struct recipe now = load(text, NULL);
        struct err err = {0};

        (void)snprintf(wanted, sizeof(wanted), "recipe.yaml has changed since this job began: %s",
                       cases[i].wanted);
        assert_false(bundle_compare(&now, &input, bundle.data, bundle.len, &err));
        assert_string_equal(err.msg, wanted);
        assert_int_equal(err.kind, ERR_CONFLICT);
        recipe_release(&now);
        free(text);
    }
    buf_release(&bundle);
    recipe_release(&r);
}

static void a_file_that_changed_is_named(void **state)
{
    struct err err = {0};

    (void)state;
    put_files("[\"red\"]");
    struct recipe r = load(recipe_text, NULL);
    struct buf bundle = bundle_of(&r);
    recipe_release(&r);

    put_files("[\"red\", \"blue\"]");
    r = load(recipe_text, NULL);
    assert_false(bundle_compare(&r, &input, bundle.data, bundle.len, &err));
    assert_string_equal(err.msg, "data/words.json has changed since this job began");
    assert_int_equal(err.kind, ERR_CONFLICT);
    recipe_release(&r);

    put_files("[\"red\"]");
    kitchen_write("data/part.md", "other");
    r = load(recipe_text, NULL);
    assert_false(bundle_compare(&r, &input, bundle.data, bundle.len, &err));
    assert_string_equal(err.msg, "data/part.md has changed since this job began");
    recipe_release(&r);

    const struct recipe_overrides flags = {.model = "other"};
    put_files("[\"red\"]");
    r = load(recipe_text, &flags);
    assert_false(bundle_compare(&r, &input, bundle.data, bundle.len, &err));
    assert_string_equal(err.msg,
                        "--model has changed since this job began: was not given, is other");
    recipe_release(&r);
    buf_release(&bundle);
}

static void other_rows_are_named(void **state)
{
    const struct bundle_input moved = {"/elsewhere/posts.jsonl", "abc", ROWS_JSONL};
    const struct bundle_input changed = {"/rows/posts.jsonl", "abd", ROWS_JSONL};
    const struct bundle_input csv = {"/rows/posts.jsonl", "abc", ROWS_CSV};
    struct err err = {0};

    (void)state;
    put_files("[\"red\"]");
    struct recipe r = load(recipe_text, NULL);
    struct buf bundle = bundle_of(&r);
    assert_true(bundle_compare(&r, &moved, bundle.data, bundle.len, &err));
    assert_false(bundle_compare(&r, &changed, bundle.data, bundle.len, &err));
    assert_string_equal(err.msg, "/rows/posts.jsonl has changed since this job began");
    assert_false(bundle_compare(&r, &csv, bundle.data, bundle.len, &err));
    assert_string_equal(err.msg,
                        "the input's format has changed since this job began: was jsonl, is csv");
    buf_release(&bundle);
    recipe_release(&r);
}

/* The bundle with its first @from replaced by @to is refused with @wanted. */
static void check_broken(const struct buf *bundle, const char *from, const char *to,
                         enum err_kind kind, const char *wanted)
{
    char *at = strstr(bundle->data, from), *text = NULL;
    struct recipe r;
    struct err err = {0};

    assert_non_null(at);
    assert_true(asprintf(&text, "%.*s%s%s", (int)(at - bundle->data), bundle->data, to,
                         at + strlen(from)) > 0);
    assert_false(recipe_from_bundle(text, strlen(text), &r, &err));
    assert_string_equal(err.msg, wanted);
    assert_int_equal(err.kind, kind);
    assert_null(r.analyses);
    free(text);
}

static void a_broken_bundle_is_refused(void **state)
{
    (void)state;
    put_files("[\"red\"]");
    struct recipe r = load(recipe_text, NULL);
    struct buf b = bundle_of(&r);

    check_broken(&b, "\"version\":1", "\"version\":2", ERR_USAGE,
                 "the recipe of this job has version 2; this program reads 1");
    check_broken(&b, "\"recipe\"", "\"other\"", ERR_PERMANENT,
                 "the recipe of this job is broken: it is no such file");
    check_broken(&b, "\"folder\"", "\"flder\"", ERR_PERMANENT,
                 "the recipe of this job is broken: a member is missing");
    check_broken(&b, "\"tries\":3", "\"tries\":2", ERR_PERMANENT,
                 "the recipe of this job is broken: its digest is another one");
    check_broken(&b, "[\\\"red\\\"]", "[\\\"rad\\\",\\\"red\\\"]", ERR_PERMANENT,
                 "the recipe of this job is broken: its digest is another one");
    check_broken(&b, "{\"sheaf\"", "{", ERR_PERMANENT,
                 "the recipe of this job is broken at byte 2: expected a member name");
    buf_release(&b);
    recipe_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recipe_comes_back_from_its_bundle_alone),
        cmocka_unit_test(its_input_can_be_read),
        cmocka_unit_test(what_changed_in_the_recipe_is_named),
        cmocka_unit_test(a_file_that_changed_is_named),
        cmocka_unit_test(other_rows_are_named),
        cmocka_unit_test(a_broken_bundle_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
