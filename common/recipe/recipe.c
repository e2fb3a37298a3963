#include "common/recipe/recipe.h"

#include <stdlib.h>
#include <string.h>

#include "common/recipe/condition.h"
#include "common/recipe/schema.h"
#include "common/recipe/template.h"

static void analysis_release(struct analysis *a)
{
    for (size_t i = 0; i < a->image_count; i++)
        template_free(a->images[i]);
    free(a->images);
    template_free(a->prompt);
    template_free(a->system);
    condition_free(a->when);
    schema_free(a->schema);
    vocabulary_free(a->vocabulary);
    free(a->name);
    free(a->url);
    free(a->when_name);
    free(a->model);
    free(a->multimodal_model);
    free(a->parameters);
    free(a->vocabulary_at);
    free(a->vocabulary_parent);
    free(a->vocabulary_child);
    free(a->vocabulary_text);
    free(a->fallback);
    free(a->output);
    free(a->pack_id);
    free(a->pack_answer);
}

void recipe_release(struct recipe *recipe)
{
    for (size_t i = 0; i < recipe->count; i++)
        analysis_release(&recipe->analyses[i]);
    free(recipe->analyses);
    for (size_t i = 0; i < recipe->file_count; i++) {
        free(recipe->files[i].path);
        free(recipe->files[i].text);
    }
    free(recipe->files);
    free(recipe->name);
    free(recipe->folder);
    free(recipe->provider);
    free(recipe->id_field);
    free(recipe->encoding);
    free(recipe->model_override);
    free(recipe->content);
    *recipe = (struct recipe){0};
}
