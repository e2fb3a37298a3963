#ifndef RECIPE_SCHEMA_H
#define RECIPE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/recipe/why.h"

struct json_value;

/*
 * What a JSON answer must look like: a subset of JSON Schema (json-schema.org, draft 2020-12,
 * validation vocabulary; the keywords mean the same in draft 6 and 7).
 *
 *   any value    type enum const anyOf oneOf allOf not $ref ("#", "#/...": inside the same schema)
 *   numbers      minimum maximum exclusiveMinimum exclusiveMaximum multipleOf
 *   strings      minLength maxLength (code points) pattern (common/recipe/pattern.h)
 *   lists        items (one schema) minItems maxItems uniqueItems
 *   objects      properties required additionalProperties minProperties maxProperties
 *   definitions  $defs definitions
 *   no effect    title description default examples format deprecated readOnly writeOnly
 *                $schema $id $anchor $comment contentEncoding contentMediaType
 *
 * true and false are schemas. Any other keyword is an error, never ignored: a rule that is not
 * checked would be a false promise. Beside $ref only definitions and words without effect may stand
 * (draft 7 ignores what stands there, 2020-12 does not). Numbers are compared as the decimals they
 * are written as, of any size: 1.0 is an integer, 9007199254740993 is not 9007199254740992.
 */
struct schema;

/**
 * Read the @len bytes at @text, JSON; they are copied. NULL with ERR_USAGE, "@name:line:column:
 * ..."
 * ("did you mean"), when it is no JSON or not in the subset. Free with schema_free().
 */
MUST_CHECK struct schema *schema_parse(const char *name, const char *text, size_t len,
                                       struct err *err);

/** NULL is fine. */
void schema_free(struct schema *schema);

/**
 * Whether @value, scanned JSON, is as @schema says. If not, @why (may be NULL) has the first
 * place in the answer that is not: "topics[2].score: expected an integer, got a string". How much
 * is looked at and how deep is limited; beyond, the answer is not valid. Needs up to 1 MB of stack,
 * with sanitizers or without optimization up to 4 MB.
 */
MUST_CHECK bool schema_check(const struct schema *schema, const struct json_value *value,
                             char why[WHY_MAX]);

#endif
