#ifndef RECIPE_REPAIR_H
#define RECIPE_REPAIR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"

struct buf;

/*
 * JSON that a model nearly wrote. Only text that strict parsing refuses comes here. What is
 * mended is the form around values; what a string says is never changed, and what is missing is
 * never made up.
 */
enum repair {
    REPAIR_THINKING, /* <think>...</think> before the answer was left out */
    REPAIR_FENCE,    /* ```json ... ``` around it was left out */
    REPAIR_BRACES,   /* prose around the outermost braces or brackets was left out */
    REPAIR_COMMAS,   /* a comma behind the last element or member was left out */
    REPAIR_QUOTES,   /* 'text' became "text" */
    REPAIR_WORDS,    /* True, False, None became true, false, null */
    REPAIR_PUNCTUATION, /* full-width marks (，：“”［］｛｝) outside of strings became JSON's */
    REPAIR_NEWLINES, /* raw control characters in strings were escaped */
    REPAIR_ESCAPES,  /* a backslash that begins no escape became a backslash of the text */
    REPAIR_COMMENTS, /* comments (of // and of slash and star) were left out */
    REPAIR_LIST,     /* objects one behind the other became a list (answers to packs) */
    REPAIR_CUT, /* the end was missing: what was open is closed, what was incomplete left out */
};

#define REPAIR_COUNT 12 /* of the above */

/** "thinking", "fence", "braces", ...; "?" for another value. */
const char *repair_name(enum repair repair);

/** What was done: bits 1u << enum repair, and where. */
struct repaired {
    unsigned repairs; /* 0: the text was valid JSON */
    size_t whole;     /* what ends behind this offset of the mended text was cut off inside */
};

/**
 * Mend the @len bytes of UTF-8 at @text; they are not valid JSON. Appends one value, valid JSON,
 * to @out, which is empty. The value is what stands there if it is followed by nothing, else the
 * only object in the text, else the only list. Which of several is the answer is not guessed: those
 * that differ, an object beside a list of objects, and one beside another that is cut off or broken
 * are not mended. A list of numbers or words that is broken ("[1 and 2]") is a remark. False, with
 * words in *@what (static) and @out empty, when it cannot be mended or passes the limit of @out.
 * Deeper than 64 levels is not mended. Takes time proportional to the length.
 */
MUST_CHECK bool repair_json(struct buf *out, const char *text, size_t len, struct repaired *done,
                            const char **what);

/**
 * The same where several answers are expected: all the objects in the text, one behind the other
 * (lines of JSON, a list without its brackets), become a list. Prose and lists without objects
 * between them are left out; so is the last object when it is cut off and there is no prose. The
 * only list of objects is the answer itself, beside objects of scalars (examples of one element).
 * What is broken, and a list of objects beside others, is not mended.
 */
MUST_CHECK bool repair_list(struct buf *out, const char *text, size_t len, struct repaired *done,
                            const char **what);

/**
 * The text behind a leading <think>...</think>; also behind a </think> whose beginning the
 * template of the model has kept. *@p and *@len are moved; false when there is no such thing, and
 * with *@len 0 when the thinking never ends.
 */
bool repair_thinking(const char **p, size_t *len);

#endif
