#ifndef RECIPE_RECIPE_H
#define RECIPE_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/digest/sha256.h"
#include "common/recipe/answer.h"
#include "common/rows/rows.h"

struct condition;
struct template;

/*
 * A recipe: what is asked about each row, what an answer must be, and where it goes. The file is
 * described in docs/recipes.md; this is what has become of it, with every preset filled in, every
 * file it names read, and everything checked that can be checked without a row.
 */

/** A larger recipe file is refused, and so is a larger prompt, system prompt or partial. */
#define RECIPE_MAX_BYTES (1u << 20)

/** A larger schema or vocabulary is refused. */
#define RECIPE_MAX_DATA_BYTES (16u << 20)

#define RECIPE_MAX_ANALYSES 256
#define RECIPE_MAX_FILES    1024
#define RECIPE_MAX_IMAGES   16 /* templates of an analysis */
#define RECIPE_NAME_MAX     48 /* characters of an analysis' name */
#define RECIPE_TRIES_MAX    10 /* of one (row, analysis) */
#define RECIPE_TRIES_PRESET 2
#define RECIPE_PACK_MAX     1000 /* rows in one request */
#define RECIPE_PACK_PRESET  20

/** What becomes of an answer that is not valid. */
enum on_invalid {
    ON_INVALID_RETRY, /* asked again until `tries` answers were invalid; then the default, if any */
    ON_INVALID_DEFAULT, /* the default at once */
    ON_INVALID_FAIL,    /* failed at once; has no default */
};

/** One question about each row. Owned by its recipe. */
struct analysis {
    char *name; /* letters, digits, _ and -; no two are the same */
    char *url;  /* "/v1/chat/completions" */

    struct template *prompt;
    struct template *system;  /* NULL: none */
    struct template **images; /* each renders to what image_list_next() reads */
    size_t image_count;
    struct condition *when; /* NULL: every row */
    char *when_name;        /* what messages call it: "recipe.yaml:12:11: when" */

    char *model;            /* of a request without an image */
    char *multimodal_model; /* of a request with one; the same as model when none was named */
    char *parameters; /* further members of the body, raw JSON without braces: "\"top_p\":1"; "" */

    struct answer_rule answer; /* of one row, also when packed; borrows what follows */
    struct schema *schema;
    struct vocabulary *vocabulary;
    char *vocabulary_at, *vocabulary_parent, *vocabulary_child;
    char *vocabulary_text; /* what {{vocabulary}} stands for; NULL: there is none */
    enum on_invalid on_invalid;
    unsigned tries; /* invalid answers until it is given up; 1 unless on_invalid is retry */
    char *fallback; /* the default, compact JSON and valid by @answer; NULL: none */
    char *output;   /* dotted path in the row; none is at or in another's */
    bool keep_raw;  /* the answer as it came is kept in "_sheaf" */

    uint32_t pack_rows;   /* most rows in a request; 0: not packed, one row each */
    uint64_t pack_tokens; /* most estimated input tokens of a packed request; 0: no limit */
    char *pack_id;        /* member of a packed answer's elements that says which row; "id" */
    char *pack_answer;    /* member of them that is the answer; NULL: the element itself */
};

/** A file that a recipe was made from, as it was read. */
struct recipe_file {
    char *path; /* as the recipe names it: relative paths are from its folder */
    char sha256[SHA256_HEX_LEN + 1];
    char *text; /* NUL-terminated; UTF-8 */
    size_t len;
};

struct recipe {
    char *name;     /* what messages call the file: its path as given */
    char *folder;   /* what relative paths of files and images are from; absolute */
    char *provider; /* name of the profile that its models are of; NULL: the file does not say */
    char *id_field; /* dotted path of the rows' id; NULL: the row's number, from 0 */
    size_t id_line, id_column; /* of id_field in the file, from 1; 0: none */

    struct rows_options rows; /* how the rows are written; @encoding is owned by @encoding below */
    char *encoding;

    struct analysis *analyses;
    size_t count; /* at least 1 */

    struct recipe_file *files; /* in the order they were first named */
    size_t file_count;
    char *model_override; /* what was given in place of the file's model; NULL: nothing */
    char *content;        /* the file as compact JSON: comments and layout are gone */
    char
        digest[SHA256_HEX_LEN + 1]; /* of content, overrides and files: what makes it this recipe */
};

/** What the command line says in place of the file; each may be NULL or ROWS_AUTO. */
struct recipe_overrides {
    const char *model; /* in place of the recipe's, not of an analysis' own */
    enum rows_format format;
    const char *encoding;
};

/**
 * Read the recipe at @path and every file it names; relative names are from the recipe's folder.
 * @overrides may be NULL. ERR_USAGE starts with "file:line:column: " of the file that is wrong.
 * The caller releases *@out.
 */
MUST_CHECK bool recipe_load(const char *path, const struct recipe_overrides *overrides,
                            struct recipe *out, struct err *err);

/**
 * The same from a bundle (bundle.h), with nothing read from anywhere else. ERR_PERMANENT when the
 * bundle is broken, ERR_USAGE when it is of a version that this program does not read.
 */
MUST_CHECK bool recipe_from_bundle(const char *text, size_t len, struct recipe *out,
                                   struct err *err);

/** Free everything; the struct is empty afterwards. May be called on a zeroed one. */
void recipe_release(struct recipe *recipe);

#endif
