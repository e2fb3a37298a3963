#ifndef RECIPE_RECIPE_LOADER_H
#define RECIPE_RECIPE_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/base/tree.h"
#include "common/recipe/recipe.h"

/*
 * How a recipe's tree becomes a recipe; what recipe files, bundles and the older format share.
 * This folder's own.
 */

/** Where the files come from that a recipe names. */
struct recipe_source {
    /**
     * The content of the file at @path, as the recipe names it: *@text is the caller's to free.
     * False: @err has the reason without the path.
     */
    bool (*read)(void *arg, const char *path, size_t max_bytes, char **text, size_t *len,
                 struct err *err);
    void *arg;
};

struct recipe_loader {
    const struct tree *tree;
    const struct recipe_source *source;
    const struct recipe_overrides *overrides;
    struct recipe *recipe; /* name and folder are set */
    const char *text;      /* of the file that the tree is of; NULL: there is none */
    const char *shown;     /* what messages put before a file's name; NULL: the recipe's folder */
    struct err *err;
};

/**
 * Fill recipe->analyses and all else from l->tree. On failure the recipe is as it happens to be:
 * release it.
 */
MUST_CHECK bool recipe_build(struct recipe_loader *l);

/** Fill @out, which is zeroed, from node @node of the list of analyses. */
MUST_CHECK bool recipe_build_analysis(struct recipe_loader *l, size_t node, struct analysis *out);

/** What an answer of @a must be and what else becomes of it: answer, vocabulary, on_invalid, ... */
MUST_CHECK bool recipe_build_answer(struct recipe_loader *l, size_t node, struct analysis *a);

/**
 * The file that @node names, read once. A byte order mark is dropped; bytes that are not UTF-8 and
 * NULs are errors. NULL with the place of @node in l->err; else borrowed from the recipe until the
 * next call.
 */
const struct recipe_file *loader_file(struct recipe_loader *l, size_t node, size_t max_bytes);

/** The same by name, for a partial: @err has the reason without the path. */
const struct recipe_file *loader_file_at(struct recipe_loader *l, const char *path,
                                         size_t max_bytes, struct err *err);

/** What messages call that file: its path from where the recipe was named. The caller frees it. */
char *loader_shown(const struct recipe_loader *l, const char *path);

/** A disk source; @arg is the folder. */
bool recipe_read_file(void *folder, const char *path, size_t max_bytes, char **text, size_t *len,
                      struct err *err);

/* ---- nodes (recipe_node.c): on failure the place is in l->err ---- */

/** Whether each key in @parent is one of @keys (NULL-terminated). */
MUST_CHECK bool node_keys(struct recipe_loader *l, size_t parent, const char *const *keys);

/** Put the place of @node before the message; false. */
bool node_fail(struct recipe_loader *l, size_t node);

/** Fail with @why at the place of @node. */
bool node_refuse(struct recipe_loader *l, size_t node, const char *why);

/**
 * Fail at @node, whose value is @word and none of @words (NULL-terminated): "@needs, not "wrd"; did
 * you mean "word"?"
 */
bool node_refuse_word(struct recipe_loader *l, size_t node, const char *needs, const char *word,
                      const char *const *words);

/** The child of @parent, TREE_NONE without one. */
size_t node_find(const struct recipe_loader *l, size_t parent, const char *key);

/** One value, not a list or mapping, not empty. *@out is borrowed. */
MUST_CHECK bool node_text(struct recipe_loader *l, size_t node, const char **out);

/** The same for the child @key of @parent, copied; without it, *@out stays as it is. */
MUST_CHECK bool node_take_text(struct recipe_loader *l, size_t parent, const char *key, char **out);

/** "true" or "false"; without it, *@out stays. */
MUST_CHECK bool node_take_bool(struct recipe_loader *l, size_t parent, const char *key, bool *out);

/** A whole number from @min to @max; without it, *@out stays. */
MUST_CHECK bool node_take_count(struct recipe_loader *l, size_t parent, const char *key,
                                uint64_t min, uint64_t max, uint64_t *out);

/** Whether @node is a mapping with something in it; else an error. */
MUST_CHECK bool node_mapping(struct recipe_loader *l, size_t node);

/** The node as compact JSON; the caller frees it. */
MUST_CHECK bool node_json(struct recipe_loader *l, size_t node, char **out, size_t *len);

/** Where the text of a block stands in the file: its first line, from 1, and what is before each.
 */
struct node_block {
    size_t line, indent;
};

/**
 * Whether the value of @node is a block that is written as it is ("|", not ">"), so that each of
 * its lines is one of the file.
 */
bool node_block(const struct recipe_loader *l, size_t node, struct node_block *out);

/** "recipe.yaml:12:7: KEY": what messages call a text inside the file. The caller frees it. */
char *node_name(const struct recipe_loader *l, size_t node);

#endif
