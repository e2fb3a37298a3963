#ifndef RECIPE_ANSWER_H
#define RECIPE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/json/scan.h"
#include "common/recipe/repair.h"
#include "common/recipe/vocabulary.h"
#include "common/recipe/why.h"

struct schema;

/*
 * From the body of a response to a judged answer:
 *
 *   body --answer_content()--> the model's text --answer_judge()--> one value for the row
 *                                               --answer_split()--> one for each row of a pack
 */
enum answer_type {
    ANSWER_TEXT, /* the text itself, trimmed, not empty; the row gets a JSON string */
    ANSWER_JSON, /* the text is JSON; the row gets that value */
};

/** "text", "json". */
const char *answer_type_name(enum answer_type type);

/** False, with nothing written, for another name. */
MUST_CHECK bool answer_type_parse(const char *name, enum answer_type *out);

/** What makes an answer valid. Schema and vocabulary are borrowed and may be NULL. */
struct answer_rule {
    enum answer_type type;
    bool repair;
    const struct schema *schema; /* of a text: of the JSON string */
    const struct vocabulary *vocabulary;
    struct vocabulary_rule where;
};

enum answer_verdict { ANSWER_OK, ANSWER_REPAIRED, ANSWER_INVALID };

/** One answer, judged. */
struct answer {
    enum answer_verdict verdict;
    bool forgotten;    /* of a pack, INVALID: there is no answer for that row */
    unsigned repairs;  /* bits 1u << enum repair; 0 unless REPAIRED */
    struct slice json; /* valid: compact JSON for the row, without newlines; borrowed */
    char why[WHY_MAX]; /* INVALID: "not JSON: ...", "polarity: expected an integer, got a string" */
};

/** Memory that judging uses again and again. Start with answer_scratch_init(). */
struct answer_scratch {
    struct buf text;  /* the decoded text */
    struct buf fixed; /* the mended JSON */
    struct buf json;  /* compact JSON of the answers */
    size_t *table;    /* owned: of a pack's ids */
    size_t table_cap;
};

/** Texts of more than @max_bytes are not valid answers. */
void answer_scratch_init(struct answer_scratch *scratch, size_t max_bytes);

/** Free the memory. */
void answer_scratch_release(struct answer_scratch *scratch);

/** What the model said. */
struct answer_content {
    struct slice text; /* UTF-8, in the scratch until the next answer_content(), or in the body */
    bool cut;          /* it ended at the limit of output tokens: a text is then not complete */
};

/**
 * Find the text in @body, the provider's response body (scanned):
 *   chat completions   choices[0].message.content: a string, or parts of type text
 *   responses          output[] of type message, their content[] of type output_text
 *   completions        choices[0].text
 *   embeddings         data[0].embedding, the list as JSON text
 * (platform.openai.com/docs/api-reference; other providers answer in these shapes.) False with
 * @why when there is none: the model refused (its words), the provider's filter stepped in,
 * nothing was said before the limit of tokens, or the body has none of the shapes.
 */
MUST_CHECK bool answer_content(const struct json_value *body, struct answer_scratch *scratch,
                               struct answer_content *out, char why[WHY_MAX]);

/** The same for a body whose list "choices" was found already. */
MUST_CHECK bool answer_choices(const struct json_value *choices, struct answer_scratch *scratch,
                               struct answer_content *out, char why[WHY_MAX]);

/** Whether @value, scanned JSON, is valid by the schema and vocabulary of @rule; @why if not. */
MUST_CHECK bool answer_check(const struct answer_rule *rule, const struct json_value *value,
                             char why[WHY_MAX]);

/**
 * Judge the text of an answer to one row. Fills *@out whatever it is; out->json is in the scratch
 * until the next answer_judge() or answer_split().
 */
void answer_judge(const struct answer_rule *rule, const struct answer_content *content,
                  struct answer_scratch *scratch, struct answer *out);

/** How the answer to a pack is divided. */
struct answer_pack {
    const char *id_field;     /* member of each element that names its row: "id" */
    const char *answer_field; /* member with the answer; NULL: the element without its id */
    const char *const *ids;   /* of the rows, NUL-terminated, as the prompt had them */
    size_t count;
};

/**
 * Judge the answer to a pack, always JSON; out[i] is for ids[i]. The text is one of
 *   [{"id": "p1", "polarity": 3}, ...]               a list of objects with the id
 *   {"results": [...]}                               an object whose only list of objects is that
 *   {"p1": {"polarity": 3}, "p2": {"polarity": 4}}   or keyed by id; what is below one is the
 *                                                    answer, or has @answer_field with it
 *   {"results": {"p1": ...}}                         both
 *   {"id": "p1", "polarity": 3}                      one element alone
 * or, when there is one row, its answer without an id: the whole object, or the only element of a
 * list or object, whichever is valid. Of an object with several members that is all of it rather
 * than an element, of one with a single member the element.
 * Ids are compared as text: 7 is "7". A row that is not there is INVALID and forgotten; so is one
 * whose element was cut off inside. Of elements with one id the first counts; where they were
 * picked out of prose, none is valid. Each row is judged by itself: one that is not valid spoils no
 * other. With ANSWER_TEXT the answers are strings, and an element without @answer_field has one
 * other member than its id. False when the text as a whole cannot be read; then every out[i] is
 * INVALID with the same why and none is forgotten. out[i].json as in
 * answer_judge().
 */
bool answer_split(const struct answer_rule *rule, const struct answer_pack *pack,
                  const struct answer_content *content, struct answer_scratch *scratch,
                  struct answer out[]);

#endif
