/*
 * The official JSON-Schema-Test-Suite (github.com/json-schema-org/JSON-Schema-Test-Suite, Debian:
 * json-schema-test-suite), drafts 6 and 7, which are one in all keywords of the subset. A schema
 * that uses what the subset does not have must be refused; every other case must come out as the
 * suite says.
 */
#include "tests/testlib/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/json/scan.h"
#include "common/recipe/schema.h"

#define SUITE "/usr/share/json-schema-test-suite/tests"

struct tally {
    size_t groups, refused, cases, wrong, refused_cases;
};

/* Why a schema of the suite may be refused: the words of schema_parse(). */
static const char *const reasons[] = {
    "is not supported",
    "unknown keyword",
    "$ref must be \"#\" or",
    "there is no schema at $ref",
    "$id is supported at the top",
    "this pattern cannot be used",
};

static bool is_reason(const char *msg)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (strstr(msg, reasons[i]) != NULL)
            return true;
    return false;
}

static bool read_file(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "r");
    char block[4096];
    size_t n = 0;

    if (file == NULL)
        return false;
    while ((n = fread(block, 1, sizeof(block), file)) > 0)
        assert_true(buf_append(out, block, n));
    (void)fclose(file);
    return true;
}

static void run_case(const struct schema *schema, const struct json_value *test, const char *group,
                     struct tally *t)
{
    static const char *const names[] = {"description", "data", "valid"};
    struct json_value found[3];
    char name[120];
    char why[WHY_MAX] = "";
    bool expected = false;
    bool got = false;

    json_members(test, names, 3, found);
    expected = *found[2].text == 't';
    got = schema_check(schema, &found[1], why);
    t->cases++;
    if (!got && why[0] == '\0')
        fail_msg("no words for a failure in %s", group);
    if (got == expected)
        return;
    (void)json_string_decode_cut(&found[0], name, sizeof(name));
    print_error("WRONG: %s: %s: expected %s; %s\n", group, name, expected ? "valid" : "invalid",
                why);
    t->wrong++;
}

static void run_group(const struct json_value *group, const char *file, struct tally *t)
{
    static const char *const names[] = {"description", "schema", "tests"};
    struct json_value found[3];
    struct json_iter it;
    struct json_value test;
    struct err err = {0};
    char name[200];
    char title[120];

    json_members(group, names, 3, found);
    (void)json_string_decode_cut(&found[0], title, sizeof(title));
    (void)snprintf(name, sizeof(name), "%s: %s", file, title);
    t->groups++;
    it = json_iter_begin(&found[2]);

    struct schema *schema = schema_parse("schema", found[1].text, found[1].len, &err);

    if (schema == NULL) {
        print_message("  refused: %s (%s)\n", name, err.msg);
        if (!is_reason(err.msg))
            fail_msg("refused for another reason than the subset: %s", err.msg);
        t->refused++;
        while (json_iter_next(&it, NULL, &test))
            t->refused_cases++;
        return;
    }
    while (json_iter_next(&it, NULL, &test))
        run_case(schema, &test, name, t);
    schema_free(schema);
}

static void run_file(const char *folder, const char *name, struct tally *t)
{
    struct buf text = BUF_INIT(1 << 20);
    struct json_value root;
    struct json_value group;
    char path[400];

    (void)snprintf(path, sizeof(path), SUITE "/%s/%s", folder, name);
    assert_true(read_file(path, &text));
    assert_true(json_scan(text.data, text.len, &root, NULL));

    struct json_iter it = json_iter_begin(&root);

    while (json_iter_next(&it, NULL, &group))
        run_group(&group, name, t);
    buf_release(&text);
}

static int is_json(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

/* False, and skipped, where the suite is not installed and nobody insists on it. */
static bool have_suite(void)
{
    DIR *dir = opendir(SUITE "/draft7");

    if (dir != NULL) {
        (void)closedir(dir);
        return true;
    }
    if (getenv("SHEAF_NO_SCHEMA_SUITE") == NULL)
        fail_msg("%s is missing: install json-schema-test-suite, or set SHEAF_NO_SCHEMA_SUITE=1",
                 SUITE);
    return false;
}

static void run_folder(const char *folder, struct tally *t)
{
    struct dirent **entries = NULL;
    char path[400];
    int count = 0;

    (void)snprintf(path, sizeof(path), SUITE "/%s", folder);
    count = scandir(path, &entries, is_json, alphasort);
    assert_true(count > 0);
    print_message("%s\n", path);
    for (int i = 0; i < count; i++) {
        run_file(folder, entries[i]->d_name, t);
        free(entries[i]);
    }
    free(entries);
}

static void report(const struct tally *t)
{
    print_message("%zu schemas, %zu refused; %zu cases checked, %zu wrong; %zu cases refused\n",
                  t->groups, t->refused, t->cases, t->wrong, t->refused_cases);
}

static void every_case_is_as_the_suite_says_or_refused(void **state)
{
    struct tally t = {0};

    (void)state;
    if (!have_suite())
        skip();
    run_folder("draft7", &t);
    run_folder("draft6", &t);
    run_file("draft7/optional", "bignum.json", &t);
    run_file("draft7/optional", "zeroTerminatedFloats.json", &t);
    report(&t);
    assert_int_equal(t.wrong, 0);
    assert_true(t.cases >= 400); /* else it is not the suite that was meant */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_as_the_suite_says_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
