#ifndef RECIPE_VOCABULARY_H
#define RECIPE_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/recipe/why.h"

struct buf;
struct json_value;

/*
 * The words an answer may use: a list, or a tree of parents and children. A term is compared byte
 * for byte (as it decodes from JSON). Shapes of the file, which may be mixed:
 *
 *   ["a", "b"]                                      terms
 *   [{"name": "a", "children": ["x", "y"]}, "b"]    a term with children. The name may be called
 *                                                   name, label, title, value, parent_topic, topic,
 *                                                   category, type; the children children, items,
 *                                                   sub, sub_topics, subtopics, subcategories; the
 *                                                   first of these counts, others are ignored
 *   {"a": ["x", "y"], "b": {"z": ["deeper"]}}       each member is a term, its value the children
 */
struct vocabulary;

/** Where the terms are in an answer. All are borrowed. */
struct vocabulary_rule {
    const char *at;     /* dotted path ("topics", "result.tags"); NULL: the answer itself */
    const char *parent; /* member with the parent's name; NULL: what is there are terms */
    const char *child;  /* member with the child's name, or a list of them; NULL: parents only */
};

/**
 * Read the @len bytes at @text, JSON. @path (dotted, NULL: all of it) is where the vocabulary is
 * in the file. NULL with ERR_USAGE, "@name:line:column: ...": not JSON, nothing at @path, another
 * shape, a term that is empty or twice below the same parent, no term at all. Nothing is
 * borrowed; free with vocabulary_free().
 */
MUST_CHECK struct vocabulary *vocabulary_parse(const char *name, const char *text, size_t len,
                                               const char *path, struct err *err);

/** NULL is fine. */
void vocabulary_free(struct vocabulary *vocabulary);

/**
 * Append the terms for people and models, one a line, in the order of the file: "- name", two
 * spaces deeper for each level; no newline behind the last. False past the limit of @out.
 */
MUST_CHECK bool vocabulary_text(const struct vocabulary *vocabulary, struct buf *out);

/**
 * Whether the terms that @answer has at @rule->at are in the vocabulary. Lists on the way and
 * there are walked; an empty list is fine, a value that is missing or null is not.
 *
 * Without parent and child each value is a string: a term of any level, or a path such as
 * "parent/child". With them each is an object: its @parent a term, its @child a child of that
 * term (or a list of children). A term that has no children may lack the child.
 *
 * If not, @why (may be NULL) says "topics[1]: \"体育\" is not in the vocabulary".
 */
MUST_CHECK bool vocabulary_check(const struct vocabulary *vocabulary,
                                 const struct vocabulary_rule *rule,
                                 const struct json_value *answer, char why[WHY_MAX]);

#endif
