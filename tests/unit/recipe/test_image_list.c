/* The images that a rendered template stands for. */
#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/recipe/image_list.h"

static const struct {
    const char *text, *wanted; /* each image in <> */
} cases[] = {
    {"",                              ""                    },
    {" \n\t",                         ""                    },
    {"a.png",                         "<a.png>"             },
    {"  a b.png \n",                  "<a b.png>"           },
    {"a.png\nb.png",                  "<a.png\nb.png>"      },
    {"[\"a.png\",\"b.png\"]",         "<a.png><b.png>"      },
    {" [ \"a.png\" , \"\", \" \" ] ", "<a.png>"             },
    {"[\" a\\u002fb.png \"]",         "<a/b.png>"           },
    {"[]",                            ""                    },
    {"[1,null,{\"u\":2}]",            "<1><null><{\"u\":2}>"},
    {"[a.png]",                       "<[a.png]>"           },
    {"{\"a\":1}",                     "<{\"a\":1}>"         },
    {"\"a.png\"",                     "<\"a.png\">"         },
};

static void a_text_is_none_one_or_several(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct image_list list = image_list_begin(cases[i].text, strlen(cases[i].text));
        struct buf one = BUF_INIT(100), all = BUF_INIT(1000);

        assert_true(buf_append(&all, "", 0));
        while (image_list_next(&list, &one))
            assert_true(buf_printf(&all, "<%s>", one.data));
        assert_int_equal(one.len, 0);
        assert_false(image_list_next(&list, &one));
        assert_string_equal(all.data != NULL ? all.data : "", cases[i].wanted);
        buf_release(&one);
        buf_release(&all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_none_one_or_several),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
