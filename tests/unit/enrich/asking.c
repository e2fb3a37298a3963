#include "tests/testlib/unit.h"

#include "tests/unit/enrich/asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/recipe/condition.h"
#include "common/recipe/template.h"

#define ANALYSES_MAX 8

void asking_make(struct asking *a)
{
    memset(a, 0, sizeof(*a));
    scratch_make_fast(a->path);
    (void)snprintf(a->rows_path, sizeof(a->rows_path), "%s/rows.jsonl", a->path);
    a->recipe.folder = a->path;
    a->recipe.analyses = xcalloc(ANALYSES_MAX, sizeof(*a->recipe.analyses));
    (void)snprintf(a->recipe.digest, sizeof(a->recipe.digest), "%064d", 1);
}

void asking_free(struct asking *a)
{
    rows_close(a->rows);
    for (size_t i = 0; i < a->recipe.count; i++) {
        struct analysis *one = &a->recipe.analyses[i];

        template_free(one->prompt);
        template_free(one->system);
        for (size_t n = 0; n < one->image_count; n++)
            template_free(one->images[n]);
        free(one->images);
        condition_free(one->when);
        free(one->name);
        free(one->url);
        free(one->model);
        free(one->multimodal_model);
        free(one->parameters);
        free(one->output);
        free(one->pack_id);
    }
    free(a->recipe.analyses);
    free(a->recipe.id_field);
    scratch_remove(a->path);
}

struct template *asking_template(const char *text)
{
    struct err err = {0};
    struct template *t = template_parse("t", text, strlen(text), NULL, &err);

    if (t == NULL)
        fail_msg("%s", err.msg);
    return t;
}

struct analysis *asking_add(struct asking *a, const char *name, const char *prompt)
{
    struct analysis *one = &a->recipe.analyses[a->recipe.count++];

    assert_true(a->recipe.count <= ANALYSES_MAX);
    *one = (struct analysis){.name = xstrdup(name),
                             .url = xstrdup("/v1/chat/completions"),
                             .prompt = asking_template(prompt),
                             .model = xstrdup("m"),
                             .multimodal_model = xstrdup("mm"),
                             .parameters = xstrdup(""),
                             .tries = 2,
                             .output = xstrdup(name),
                             .pack_id = xstrdup("id")};
    return one;
}

void asking_rows(struct asking *a, const char *text)
{
    struct err err = {0};
    FILE *file = fopen(a->rows_path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    rows_close(a->rows);
    a->rows = rows_open(a->rows_path, &a->recipe.rows, &err);
    if (a->rows == NULL)
        fail_msg("%s", err.msg);
}

void asking_parameters(struct analysis *one, const char *parameters)
{
    free(one->parameters);
    one->parameters = xstrdup(parameters);
}
