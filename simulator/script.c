#include "simulator/script.h"

#include <errno.h>
#include <json-c/json.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/xmem.h"
#include "simulator/hash.h"
#include "simulator/text.h"

#define PLAIN     (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
#define MAX_BYTES ((size_t)16 << 20)

struct rule {
    struct json_object *find; /* a string, or a list of them; NULL: fits every request */
    struct json_object *value;
    bool text; /* the value is the text itself */
    bool each; /* one element for each match of @ids */
    regex_t ids;
    const char *id;   /* member of the elements that has the match */
    const char *into; /* member that has the value; NULL: the value's own members */
};

struct script {
    struct json_object *root; /* owns all values */
    struct rule *rules;
    size_t count;
};

/* ---- loading ---- */

static bool is_list(struct json_object *value)
{
    return json_object_is_type(value, json_type_array) && json_object_array_length(value) > 0;
}

/* An optional member that must be a string. */
static bool string_member(struct json_object *rule, const char *name, const char **out)
{
    struct json_object *value = NULL;

    if (!json_object_object_get_ex(rule, name, &value))
        return true;
    if (!json_object_is_type(value, json_type_string))
        return false;
    *out = json_object_get_string(value);
    return true;
}

static bool find_is_good(struct json_object *find)
{
    if (find == NULL || json_object_is_type(find, json_type_string))
        return true;
    for (size_t i = 0; is_list(find) && i < json_object_array_length(find); i++) {
        if (!json_object_is_type(json_object_array_get_idx(find, i), json_type_string))
            return false;
    }
    return is_list(find);
}

static bool names_are_known(struct json_object *rule)
{
    static const char *const known[] = {"find", "text", "json", "each", "id", "into"};

    json_object_object_foreach(rule, name, value)
    {
        size_t i = 0;

        (void)value;
        while (i < sizeof(known) / sizeof(known[0]) && strcmp(known[i], name) != 0)
            i++;
        if (i == sizeof(known) / sizeof(known[0]))
            return false;
    }
    return true;
}

/* What is wrong with the rule, or NULL. */
static const char *read_rule(struct json_object *from, struct rule *rule)
{
    const char *each = NULL;

    if (!json_object_is_type(from, json_type_object))
        return "is no object";
    if (!names_are_known(from))
        return "has a member other than find, text, json, each, id, into";
    rule->find = json_object_object_get(from, "find");
    rule->text = json_object_object_get_ex(from, "text", &rule->value);
    if (rule->text == json_object_object_get_ex(from, "json", &rule->value))
        return "needs either text or json";
    if (rule->text)
        rule->value = json_object_object_get(from, "text");
    rule->id = "id";
    if (!find_is_good(rule->find))
        return "find: needs a string or a list of strings";
    if (!string_member(from, "id", &rule->id) || !string_member(from, "into", &rule->into) ||
        !string_member(from, "each", &each))
        return "id, into and each need a string";
    if (each == NULL)
        return NULL;
    if (rule->text)
        return "each: needs json";
    rule->each = regcomp(&rule->ids, each, REG_EXTENDED | REG_NEWLINE) == 0;
    return rule->each && rule->ids.re_nsub >= 1 ? NULL
                                                : "each: needs a regular expression with a group";
}

static bool read_rules(struct script *s, const char *path, struct err *err)
{
    struct json_object *list = NULL;

    if (!json_object_is_type(s->root, json_type_object) ||
        !json_object_object_get_ex(s->root, "answers", &list) || !is_list(list))
        return err_set(err, ERR_USAGE, "%s: needs {\"answers\": [RULE, ...]}", path);
    s->rules = xcalloc(json_object_array_length(list), sizeof(*s->rules));
    while (s->count < json_object_array_length(list)) {
        size_t i = s->count++;
        const char *wrong = read_rule(json_object_array_get_idx(list, i), &s->rules[i]);

        if (wrong != NULL)
            return err_set(err, ERR_USAGE, "%s: answers[%zu]: %s", path, i, wrong);
    }
    return true;
}

static char *read_file(const char *path, size_t *len, struct err *err)
{
    FILE *f = fopen(path, "rbe");
    char *text = xcalloc(MAX_BYTES + 1, 1);

    if (f == NULL) {
        (void)err_set(err, ERR_USAGE, "%s: %s", path, strerrordesc_np(errno));
        free(text);
        return NULL;
    }
    *len = fread(text, 1, MAX_BYTES, f);
    bool ok = ferror(f) == 0 && fgetc(f) == EOF;
    (void)fclose(f);
    if (ok)
        return text;
    (void)err_set(err, ERR_USAGE, "%s: cannot be read, or too large", path);
    free(text);
    return NULL;
}

struct script *script_load(const char *path, struct err *err)
{
    size_t len;
    char *text = read_file(path, &len, err);

    if (text == NULL)
        return NULL;
    struct script *s = xcalloc(1, sizeof(*s));
    enum json_tokener_error what;
    s->root = json_tokener_parse_verbose(text, &what);
    bool ok = s->root != NULL
                  ? read_rules(s, path, err)
                  : err_set(err, ERR_USAGE, "%s: %s", path, json_tokener_error_desc(what));
    free(text);
    if (ok)
        return s;
    script_free(s);
    return NULL;
}

void script_free(struct script *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++) {
        if (s->rules[i].each)
            regfree(&s->rules[i].ids);
    }
    free(s->rules);
    json_object_put(s->root);
    free(s);
}

/* ---- what was asked ---- */

/* Every text in @value that is meant for the model, a newline behind each. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the parser lets the body be */
static void gather(struct json_object *value, struct buf *out)
{
    if (json_object_is_type(value, json_type_string)) {
        const char *text = json_object_get_string(value);

        if (strncmp(text, "data:", 5) != 0)
            text_f(out, "%s\n", text);
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            gather(json_object_array_get_idx(value, i), out);
    } else if (json_object_is_type(value, json_type_object)) {
        gather(json_object_object_get(value, "content"), out);
        gather(json_object_object_get(value, "text"), out);
    }
}

static void gather_body(const char *body, size_t len, struct buf *out)
{
    static const char *const members[] = {"messages", "instructions", "input", "prompt"};
    struct json_tokener *parser = json_tokener_new_ex(64);
    struct json_object *root =
        len < INT32_MAX ? json_tokener_parse_ex(parser, body, (int)len) : NULL;

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        gather(json_object_object_get(root, members[i]), out);
    json_object_put(root);
    json_tokener_free(parser);
}

static bool fits(const struct rule *rule, const char *text)
{
    if (rule->find == NULL)
        return true;
    if (json_object_is_type(rule->find, json_type_string))
        return strstr(text, json_object_get_string(rule->find)) != NULL;
    for (size_t i = 0; i < json_object_array_length(rule->find); i++) {
        const char *word = json_object_get_string(json_object_array_get_idx(rule->find, i));

        if (strstr(text, word) == NULL)
            return false;
    }
    return true;
}

/* ---- what is answered ---- */

/* Numbers that look random and are a function of where it began. */
static size_t draw(uint64_t *state, size_t n)
{
    *state = hash_mix(*state, 0x9E37);
    return n == 0 ? 0 : (size_t)(*state % n);
}

/* NOLINTBEGIN(misc-no-recursion): as deep as json-c parses the file, 32 levels */

static struct json_object *make(struct json_object *value, uint64_t *state);

static size_t number_member(struct json_object *value, const char *name, size_t preset)
{
    struct json_object *n = NULL;

    if (!json_object_object_get_ex(value, name, &n) || json_object_get_int64(n) < 0)
        return preset;
    return (size_t)json_object_get_int64(n);
}

/* From @min to @max of the list's elements, in its order. */
static struct json_object *make_some(struct json_object *value, struct json_object *list,
                                     uint64_t *state)
{
    struct json_object *out = json_object_new_array();
    size_t left = json_object_array_length(list), min = number_member(value, "min", 1);
    size_t max = number_member(value, "max", left);

    max = max > left ? left : max;
    min = min > max ? max : min;
    size_t wanted = min + draw(state, max - min + 1);
    for (size_t i = 0; wanted > 0; i++, left--) {
        if (draw(state, left) >= wanted)
            continue;
        (void)json_object_array_add(out, make(json_object_array_get_idx(list, i), state));
        wanted--;
    }
    return out;
}

static struct json_object *make_int(struct json_object *range, uint64_t *state)
{
    int64_t from = json_object_get_int64(json_object_array_get_idx(range, 0));
    int64_t to = json_object_get_int64(
        json_object_array_get_idx(range, json_object_array_length(range) - 1));

    return json_object_new_int64(to < from ? from
                                           : from + (int64_t)draw(state, (size_t)(to - from) + 1));
}

static struct json_object *make_object(struct json_object *value, uint64_t *state)
{
    struct json_object *list = NULL;

    if (json_object_object_get_ex(value, "$one", &list) && is_list(list)) {
        size_t i = draw(state, json_object_array_length(list));

        return make(json_object_array_get_idx(list, i), state);
    }
    if (json_object_object_get_ex(value, "$some", &list) && is_list(list))
        return make_some(value, list, state);
    if (json_object_object_get_ex(value, "$int", &list) && is_list(list))
        return make_int(list, state);

    struct json_object *out = json_object_new_object();
    json_object_object_foreach(value, name, member)
    {
        (void)json_object_object_add(out, name, make(member, state));
    }
    return out;
}

/* The caller owns it. */
static struct json_object *make(struct json_object *value, uint64_t *state)
{
    struct json_object *out = NULL;

    if (json_object_is_type(value, json_type_object))
        return make_object(value, state);
    if (json_object_is_type(value, json_type_array)) {
        out = json_object_new_array();
        for (size_t i = 0; i < json_object_array_length(value); i++)
            (void)json_object_array_add(out, make(json_object_array_get_idx(value, i), state));
        return out;
    }
    if (value != NULL && json_object_deep_copy(value, &out, NULL) != 0)
        abort();
    return out;
}

/* NOLINTEND(misc-no-recursion) */

/* One element of a pack's answer; takes @value over. */
static struct json_object *make_element(const struct rule *rule, const char *id, size_t id_len,
                                        struct json_object *value)
{
    struct json_object *out = json_object_new_object();

    (void)json_object_object_add(out, rule->id, json_object_new_string_len(id, (int)id_len));
    if (rule->into != NULL || !json_object_is_type(value, json_type_object)) {
        (void)json_object_object_add(out, rule->into != NULL ? rule->into : "answer", value);
        return out;
    }
    json_object_object_foreach(value, name, member)
    {
        (void)json_object_object_add(out, name, json_object_get(member));
    }
    json_object_put(value);
    return out;
}

static struct json_object *make_each(const struct rule *rule, uint64_t hash, const char *text)
{
    struct json_object *out = json_object_new_array();
    regmatch_t m[2];
    int flags = 0;

    while (regexec(&rule->ids, text, 2, m, flags) == 0) {
        if (m[1].rm_so >= 0) {
            const char *id = text + m[1].rm_so;
            size_t len = (size_t)(m[1].rm_eo - m[1].rm_so);
            uint64_t state = hash_mix(hash, hash_fnv(id, len));

            (void)json_object_array_add(out,
                                        make_element(rule, id, len, make(rule->value, &state)));
        }
        text += m[0].rm_eo;
        if (m[0].rm_eo == m[0].rm_so && *text++ == '\0')
            break;
        flags = text[-1] == '\n' ? 0 : REG_NOTBOL;
    }
    return out;
}

static void put_answer(const struct rule *rule, uint64_t hash, const char *text, struct buf *out)
{
    uint64_t state = hash;
    struct json_object *value =
        rule->each ? make_each(rule, hash, text) : make(rule->value, &state);

    if (rule->text && json_object_is_type(value, json_type_string))
        text_put(out, json_object_get_string(value));
    else
        text_put(out, json_object_to_json_string_ext(value, PLAIN));
    json_object_put(value);
}

bool script_answer(const struct script *s, uint64_t hash, const char *body, size_t len,
                   struct buf *out)
{
    struct buf text = TEXT_INIT;
    size_t i = 0;

    text_put(&text, "");
    gather_body(body, len, &text);
    while (i < s->count && !fits(&s->rules[i], text.data))
        i++;
    buf_clear(out);
    if (i < s->count)
        put_answer(&s->rules[i], hash, text.data, out);
    buf_release(&text);
    return i < s->count;
}
