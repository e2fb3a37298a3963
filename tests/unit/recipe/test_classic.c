/* The older format: a config.json and a data folder become a recipe. */
#include "tests/unit/recipe/recipe_fixture.h"

#include "common/recipe/bundle.h"
#include "common/recipe/classic.h"
#include "common/recipe/template.h"

static const char config[] =
    "{\n"
    "  \"batch\": {\"model\": \"glm-4-air\", \"multimodal_model\": \"glm-4v\",\n"
    "             \"max_concurrent_tasks\": 4, \"poll_interval\": 30},\n"
    "  \"paths\": {\"data_dir\": \"data\", \"enhanced_output\": \"out/e.json\"}\n"
    "}\n";

static void put_files(void)
{
    kitchen_write("config.json", config);
    kitchen_write("data/posts.json", "[]");
    kitchen_write("data/topics.json", "[{\"parent_topic\": \"灾害\", \"sub_topics\": [\"暴雨\"]}]");
    kitchen_write("data/sentiment_attributes.json", "[\"支持\", \"担忧\"]");
    kitchen_write("data/publisher_objects.json", "[\"个人用户\"]");
    kitchen_write("data/believe_system_common.json",
                  "[{\"category\": \"安全\", \"subcategories\": [\"人身安全\", \"财产安全\"]}]");
    kitchen_write("data/publisher_decision.json", "[{\"category\": \"旁观者\"}]");
}

static int set_up(void **state)
{
    static struct kitchen kitchen;

    kitchen_open(&kitchen);
    put_files();
    *state = &kitchen;
    return 0;
}

static int tear_down(void **state)
{
    kitchen_close(*state);
    return 0;
}

static struct classic load(const char *path, const struct recipe_overrides *flags)
{
    struct classic c;
    struct err err = {0};

    if (!classic_load(path, flags, &c, &err))
        fail_msg("%s", err.msg);
    return c;
}

static void the_six_questions_are_asked(void **state)
{
    static const char *const names[] = {
        "sentiment_polarity", "sentiment_attribute", "topics",
        "publisher",          "belief_system",       "publisher_decision"};
    struct classic c = load("config.json", NULL);

    (void)state;
    assert_int_equal(c.recipe.count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(c.recipe.analyses[i].name, names[i]);
        assert_string_equal(c.recipe.analyses[i].output, i == 4 ? "belief_signals" : names[i]);
        assert_string_equal(c.recipe.analyses[i].model, "glm-4-air");
        assert_string_equal(c.recipe.analyses[i].multimodal_model, "glm-4v");
    }
    assert_string_equal(c.posts, "data/posts.json");
    assert_string_equal(c.output, "out/e.json");
    assert_int_equal(c.poll_interval_ms, 30000);
    assert_int_equal(c.max_batches, 4);
    assert_int_equal(c.recipe.rows.format, ROWS_JSON);
    assert_string_equal(c.recipe.name, "config.json");
    assert_string_equal(c.recipe.analyses[2].vocabulary_text, "- 灾害\n  - 暴雨");
    assert_string_equal(c.recipe.analyses[4].vocabulary_text, "- 安全\n  - 人身安全\n  - 财产安全");
    assert_string_equal(c.recipe.analyses[5].vocabulary_text, "- 旁观者");
    classic_release(&c);
    assert_null(c.posts);
}

/* What is judged of an answer's text: "ok", or why not. */
static const char *judge(const struct analysis *a, const char *text, struct answer *out)
{
    struct answer_scratch scratch;
    const struct answer_content content = {
        .text = {text, strlen(text)}
    };

    answer_scratch_init(&scratch, 4096);
    answer_judge(&a->answer, &content, &scratch, out);
    answer_scratch_release(&scratch);
    return out->verdict == ANSWER_INVALID ? out->why
           : out->verdict == ANSWER_OK    ? "ok"
                                          : "repaired";
}

static void the_answers_of_the_older_programs_are_valid(void **state)
{
    static const struct {
        unsigned analysis;
        const char *text;
        bool valid;
    } cases[] = {
        {0, "4",                                                                true },
        {0, "6",                                                                false},
        {0, "四",                                                              false},
        {1, "[\"支持\",\"担忧\"]",                                          true },
        {1, "[\"高兴\"]",                                                     false},
        {1, "[]",                                                               false},
        {2, "[{\"parent_topic\":\"灾害\",\"sub_topic\":\"暴雨\"}]",         true },
        {2, "[{\"parent_topic\":\"暴雨\",\"sub_topic\":\"灾害\"}]",         false},
        {2, "[]",                                                               true },
        {3, "个人用户",                                                     true },
        {3, "路人",                                                           false},
        {4, "[{\"category\":\"安全\",\"subcategories\":[\"人身安全\"]}]", true },
        {4, "[{\"category\":\"安全\",\"subcategories\":[\"暴雨\"]}]",       false},
        {5, "旁观者",                                                        true },
        {5, "旁观者之一",                                                  false},
    };
    struct classic c = load("config.json", NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct answer answer;
        const char *said = judge(&c.recipe.analyses[cases[i].analysis], cases[i].text, &answer);

        if ((answer.verdict != ANSWER_INVALID) != cases[i].valid)
            fail_msg("%u %s: %s", cases[i].analysis, cases[i].text, said);
    }
    classic_release(&c);
}

static void a_post_becomes_a_prompt(void **state)
{
    static const char post[] =
        "{\"username\":\"阿河\",\"content\":\"雨停了\",\"publish_time\":\"8:00\","
        "\"image_urls\":[\"a.png\"]}\n";
    struct classic c = load("config.json", NULL);
    struct buf out = BUF_INIT(4096);
    struct json_value row;

    (void)state;
    assert_true(json_scan(post, strlen(post), &row, NULL));
    const struct template_row one = {&row, "0", 0};
    const struct template_input input = {.row = &one,
                                         .vocabulary = c.recipe.analyses[3].vocabulary_text};
    assert_true(template_render(c.recipe.analyses[3].prompt, &input, &out, NULL));
    assert_string_equal(out.data, "发布者：阿河\n时间：8:00\n博文：雨停了\n\n"
                                  "发布者最可能属于哪一类？从下列类型中选一个：\n- 个人用户\n\n"
                                  "只回答这个类型的名称。");
    buf_clear(&out);
    assert_int_equal(c.recipe.analyses[0].image_count, 2);
    assert_true(template_render(c.recipe.analyses[0].images[0], &input, &out, NULL));
    assert_string_equal(out.data, "[\"a.png\"]");
    buf_clear(&out);
    assert_true(template_render(c.recipe.analyses[0].images[1], &input, &out, NULL));
    assert_int_equal(out.len, 0);
    buf_release(&out);
    classic_release(&c);
}

static void a_missing_optional_vocabulary_turns_its_question_off(void **state)
{
    (void)state;
    assert_int_equal(unlink("data/believe_system_common.json"), 0);
    struct classic c = load("config.json", NULL);
    assert_int_equal(c.recipe.count, 5);
    assert_int_equal(kitchen_place(&c.recipe, "belief_system"), c.recipe.count);
    (void)kitchen_find(&c.recipe, "publisher_decision");
    classic_release(&c);
    assert_int_equal(unlink("data/publisher_decision.json"), 0);
    c = load("config.json", NULL);
    assert_int_equal(c.recipe.count, 4);
    classic_release(&c);
    put_files();
}

static void paths_are_from_the_files_folder(void **state)
{
    const struct kitchen *kitchen = *state;
    struct classic c;
    char wanted[64], path[64];

    kitchen_write("data/config.json",
                  "{\"batch\": {\"model\": \"m\"}, \"paths\": {\"data_dir\": \".\"}}");
    c = load("data/config.json", NULL);
    assert_string_equal(c.posts, "data/./posts.json");
    assert_string_equal(c.output, "data/enhanced_blogs.json");
    (void)snprintf(wanted, sizeof(wanted), "%s/data", kitchen->folder);
    assert_string_equal(c.recipe.folder, wanted);
    assert_string_equal(c.recipe.analyses[0].multimodal_model, "m");
    assert_int_equal(c.poll_interval_ms, 0);
    assert_int_equal(c.max_batches, 0);
    classic_release(&c);
    (void)snprintf(path, sizeof(path), "%s/config.json", kitchen->folder);
    c = load(path, NULL);
    (void)snprintf(wanted, sizeof(wanted), "%s/out/e.json", kitchen->folder);
    assert_string_equal(c.output, wanted);
    classic_release(&c);
}

static void flags_go_before_the_file(void **state)
{
    const struct recipe_overrides flags = {.model = "new"};
    struct classic c = load("config.json", &flags);

    (void)state;
    assert_string_equal(c.recipe.analyses[0].model, "new");
    assert_string_equal(c.recipe.analyses[0].multimodal_model, "glm-4v");
    classic_release(&c);
}

/* Without a ceiling each answer is reckoned with as far more than it can be. */
static void each_answer_has_a_ceiling(void **state)
{
    static const unsigned ceilings[] = {60, 100, 200, 60, 300, 60};
    struct classic c = load("config.json", NULL);
    char wanted[64];

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        (void)snprintf(wanted, sizeof(wanted), "\"temperature\":0.2,\"max_tokens\":%u",
                       ceilings[i]);
        assert_string_equal(c.recipe.analyses[i].parameters, wanted);
    }
    classic_release(&c);
    kitchen_write("config.json",
                  "{\"batch\": {\"model\": \"m\", \"max_tokens\": 2000}, \"paths\": {}}");
    c = load("config.json", NULL);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(c.recipe.analyses[i].parameters,
                            "\"temperature\":0.2,\"max_tokens\":2000");
    classic_release(&c);
    put_files();
}

static void it_has_a_bundle_like_any_other(void **state)
{
    const struct bundle_input input = {"data/posts.json", "x", ROWS_JSON};
    struct classic c = load("config.json", NULL);
    struct buf bundle = BUF_INIT(BUNDLE_MAX_BYTES);
    struct recipe again;
    struct err err = {0};

    (void)state;
    assert_true(bundle_write(&c.recipe, &input, &bundle));
    if (!recipe_from_bundle(bundle.data, bundle.len, &again, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(again.digest, c.recipe.digest);
    recipe_release(&again);
    classic_release(&c);

    kitchen_write("data/publisher_objects.json", "[\"媒体\"]");
    c = load("config.json", NULL);
    assert_false(bundle_compare(&c.recipe, &input, bundle.data, bundle.len, &err));
    assert_string_equal(err.msg, "publisher_objects.json has changed since this job began");
    classic_release(&c);
    buf_release(&bundle);
    put_files();
}

static void what_is_wrong_is_told_by_its_place(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"{\"batch\": {\"modle\": \"m\"}, \"paths\": {}}",
         "config.json:1:12: unknown key \"modle\"; did you mean \"model\"?"                                                         },
        {"{\"batch\": {\"model\": \"m\"}, \"paths\": {\"datadir\": \"x\"}}",
         "config.json:1:37: unknown key \"datadir\"; did you mean \"data_dir\"?"                                                    },
        {"{\"batch\": {\"poll_interval\": 5}, \"paths\": {}}",
         "config.json:1:2: batch: has no model"                                                                                     },
        {"{\"batch\": {\"model\": \"m\", \"poll_interval\": \"soon\"}, \"paths\": {}}",
         "config.json:1:43: poll_interval: needs seconds, or a time such as \"30s\", not \"soon\""                                  },
        {"{\"batch\": {\"model\": \"m\", \"poll_interval\": 0}, \"paths\": {}}",
         "config.json:1:43: poll_interval: needs seconds, or a time such as \"30s\", not \"0\""                                     },
        {"{\"batch\": {\"model\": \"m\", \"max_concurrent_tasks\": 0}, \"paths\": {}}",
         "config.json:1:50: max_concurrent_tasks: needs a whole number from 1 to 1000, not \"0\""                                   },
        {"{\"batch\": {\"model\": \"m\", \"max_tokens\": 0}, \"paths\": {}}",
         "config.json:1:40: max_tokens: needs a whole number from 1 to 1000000, not \"0\""                                          },
        {"{\"batch\": {\"model\": \"m\"}, \"paths\": {\"data_dir\": \"none\"}}",
         "none/posts.json: there are no posts that can be read"                                                                     },
        {"{\"batch\": {\"model\": \"m\"}}",                                             "config.json: needs \"batch\" and \"paths\""},
        {"{",                                                                           "config.json:1:2: "                         },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct classic c;
        struct err err = {0};

        kitchen_write("config.json", cases[i].text);
        assert_false(classic_load("config.json", NULL, &c, &err));
        if (cases[i].text[1] != '\0')
            assert_string_equal(err.msg, cases[i].wanted);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_null(c.recipe.analyses);
        assert_null(c.posts);
    }
    put_files();
}

static void bad_data_is_told_by_its_place(void **state)
{
    struct classic c;
    struct err err = {0};

    (void)state;
    kitchen_write("data/topics.json", "[\n  {\"nom\": \"x\"}]");
    assert_false(classic_load("config.json", NULL, &c, &err));
    assert_int_equal(strncmp(err.msg, "data/topics.json:2:3: ", 22), 0);
    assert_int_equal(unlink("data/topics.json"), 0);
    assert_false(classic_load("config.json", NULL, &c, &err));
    assert_string_equal(err.msg, "data/topics.json: is not there");
    put_files();
}

static void only_such_a_file_is_one(void **state)
{
    static const struct {
        const char *text;
        bool is;
    } cases[] = {
        {"{\"batch\": {}, \"paths\": {}}",               true },
        {"{\"batch\": {}, \"paths\": {}, \"redis\": 1}", true },
        {"{\"batch\": {}}",                              false},
        {"{\"batch\": 1, \"paths\": {}}",                false},
        {"{\"batch\": [], \"paths\": {}}",               false},
        {"batch: {}\npaths: {}\n",                       false},
        {"[]",                                           false},
        {"",                                             false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kitchen_write("config.json", cases[i].text);
        assert_int_equal(classic_is("config.json"), cases[i].is);
    }
    assert_false(classic_is("none.json"));
    assert_false(classic_is("data"));
    put_files();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_six_questions_are_asked),
        cmocka_unit_test(the_answers_of_the_older_programs_are_valid),
        cmocka_unit_test(a_post_becomes_a_prompt),
        cmocka_unit_test(a_missing_optional_vocabulary_turns_its_question_off),
        cmocka_unit_test(paths_are_from_the_files_folder),
        cmocka_unit_test(flags_go_before_the_file),
        cmocka_unit_test(each_answer_has_a_ceiling),
        cmocka_unit_test(it_has_a_bundle_like_any_other),
        cmocka_unit_test(what_is_wrong_is_told_by_its_place),
        cmocka_unit_test(bad_data_is_told_by_its_place),
        cmocka_unit_test(only_such_a_file_is_one),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
