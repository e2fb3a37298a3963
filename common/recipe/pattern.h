#ifndef RECIPE_PATTERN_H
#define RECIPE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"

struct json_value;

/*
 * Regular expressions as JSON Schema's `pattern` has them: ECMA-262 with its u flag, searched
 * anywhere in the string, over code points. Whether a string matches is found in time proportional
 * to its length, whatever the expression and the string (K. Thompson's simulation of the
 * automaton: "Regular Expression Search Algorithm", CACM 11(6), 1968).
 *
 *   .  x|y  (x)  (?:x)  (?<name>x)  ^  $  \b  \B  * + ? {n} {n,} {n,m} and their lazy forms (*?)
 *   [a-z]  [^a-z]  \d \D \w \W \s \S (as ECMA-262 has them: \d and \w are ASCII)
 *   \t \n \v \f \r \0 \cA \xHH \uHHHH \u{H...} and a backslash before punctuation
 *
 * Look-around, references to groups and \p{...} are refused, and whatever ECMA-262 does not have.
 */
struct pattern;

/** Most steps of an expression; each character, class and branch is one, {n} repeats them. */
#define PATTERN_STEPS ((size_t)2000)

/**
 * Read @string, a scanned JSON string, which is not kept. NULL, with static words in *@what, when
 * it is no such expression: "a group is not closed". Free with pattern_free().
 */
MUST_CHECK struct pattern *pattern_parse(const struct json_value *string, const char **what);

/** NULL is fine. */
void pattern_free(struct pattern *pattern);

/** Of how many steps it is; matching takes at most that many for each character. */
size_t pattern_steps(const struct pattern *pattern);

/** Whether it matches somewhere in @string, a scanned JSON string. */
bool pattern_match(const struct pattern *pattern, const struct json_value *string);

#endif
