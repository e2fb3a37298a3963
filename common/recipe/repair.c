/* Finding the value in what a model wrote around it. */
#include "common/recipe/repair.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/json/scan.h"
#include "common/recipe/mend.h"
#include "common/recipe/mend_marks.h"

#define TRIES_MAX 32 /* of what looks like JSON and is none */

const char *repair_name(enum repair repair)
{
    switch (repair) {
    case REPAIR_THINKING: return "thinking";
    case REPAIR_FENCE: return "fence";
    case REPAIR_BRACES: return "braces";
    case REPAIR_COMMAS: return "commas";
    case REPAIR_QUOTES: return "quotes";
    case REPAIR_WORDS: return "words";
    case REPAIR_PUNCTUATION: return "punctuation";
    case REPAIR_NEWLINES: return "newlines";
    case REPAIR_ESCAPES: return "escapes";
    case REPAIR_COMMENTS: return "comments";
    case REPAIR_LIST: return "list";
    case REPAIR_CUT: return "cut";
    }
    return "?";
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* A stretch of text. */
struct span {
    const char *start, *end;
};

static struct span trim(struct span s)
{
    while (s.start < s.end && is_space(*s.start))
        s.start++;
    while (s.end > s.start && is_space(s.end[-1]))
        s.end--;
    return s;
}

/* Thinking */

bool repair_thinking(const char **p, size_t *len)
{
    static const char open[] = "<think>";
    static const char close[] = "</think>";
    struct span text = trim((struct span){*p, *p + *len});
    size_t left = (size_t)(text.end - text.start);
    const char *found = memmem(text.start, left, close, sizeof(close) - 1);

    if (found != NULL)
        *len -= (size_t)(found - *p) + sizeof(close) - 1;
    else if (left >= sizeof(open) - 1 && memcmp(text.start, open, sizeof(open) - 1) == 0)
        *len = 0;
    else
        return false;
    *p = found != NULL ? found + sizeof(close) - 1 : text.end;
    return true;
}

/* Fences */

static bool is_info(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '.';
}

static bool is_fence(const char *p, const char *end)
{
    return end - p >= 3 && memcmp(p, "```", 3) == 0;
}

/* Without the word at its end. */
static struct span cut_info(struct span s)
{
    while (s.end > s.start && is_info(s.end[-1]))
        s.end--;
    return s;
}

/* Whether @before ends in ``` and a language; cuts that off. */
static bool cut_opening_fence(struct span *before)
{
    const char *p = cut_info(trim(*before)).end;

    if (!is_fence(p - before->start < 3 ? p : p - 3, p))
        return false;
    before->end = p - 3;
    return true;
}

static bool cut_closing_fence(struct span *after)
{
    struct span s = trim(*after);

    if (!is_fence(s.start, s.end))
        return false;
    after->start = s.start + 3;
    return true;
}

/* What was left out around the value in @text. */
static unsigned around(struct span text, struct span value)
{
    struct span before = {text.start, value.start};
    struct span after = {value.end, text.end};
    unsigned repairs = 0;

    if (cut_opening_fence(&before)) {
        (void)cut_closing_fence(&after);
        repairs |= 1u << REPAIR_FENCE;
    }
    before = trim(before);
    after = trim(after);
    if (before.start < before.end || after.start < after.end)
        repairs |= 1u << REPAIR_BRACES;
    return repairs;
}

/* Candidates */

struct found {
    struct span span;
    size_t count; /* of its kind that differ; 2: more than one */
};

struct search {
    struct span text;
    struct buf *out;
    bool many;        /* the objects are collected in @out, each with a comma behind it */
    unsigned repairs; /* of those collected */
    struct found object, list;
    struct found rows;  /* lists with objects in them */
    bool nested;        /* an object has an object or a list in it */
    const char *cut;    /* where the value begins that the end of the text cuts; NULL */
    bool behind;        /* the end was a fence, and something looks like JSON behind it */
    bool broken;        /* something looks like JSON and is none */
    bool prose;         /* there is more than commas and fences between values */
    bool full;          /* the limit of @out was reached */
    struct mender last; /* the value read last */
};

static enum mend_outcome try_at(struct search *s, const char *p)
{
    if (!s->many)
        s->out->len = 0;
    s->last = (struct mender){.p = p, .end = s->text.end, .out = s->out};
    (void)mend_value(&s->last);
    s->full = s->full || s->last.full;
    return s->last.outcome;
}

static const char *next_opening(const char *p, const char *end)
{
    for (; p < end; p++) {
        if (*p == '{' || *p == '[')
            return p;
        if (end - p >= 3 && (memcmp(p, "｛", 3) == 0 || memcmp(p, "［", 3) == 0))
            return p;
    }
    return NULL;
}

static void count(struct found *f, struct span span)
{
    size_t len = (size_t)(span.end - span.start);

    if (f->count == 0)
        *f = (struct found){span, 1};
    else if (len != (size_t)(f->span.end - f->span.start) ||
             memcmp(f->span.start, span.start, len) != 0)
        f->count = 2;
}

/* The complete value at @start is at @base of the output. */
static void keep(struct search *s, const char *start, size_t base)
{
    const char *value = s->out->data + base;
    size_t len = s->out->len - base;
    struct span span = {start, s->last.p};

    if (*value == '{') {
        count(&s->object, span);
        s->nested =
            s->nested || memchr(value + 1, '{', len - 1) != NULL || memchr(value, '[', len) != NULL;
    } else {
        count(&s->list, span);
        if (memchr(value, '{', len) != NULL)
            count(&s->rows, span);
    }
    if (!s->many)
        return;
    if (*value == '{' && buf_append(s->out, ",", 1))
        s->repairs |= s->last.repairs;
    else
        s->out->len = base;
}

/*
 * Behind the bracket that ends the remark at @p: a list of numbers or words that is none ("[1 and
 * 2]"). NULL when there is anything in it that an answer is made of.
 */
static const char *remark_end(const char *p, const char *end)
{
    if (*p != '[')
        return NULL;
    for (p++; p < end; p++) {
        if (*p == ']')
            return p + 1;
        if (strchr("[{\"'", *p) != NULL || mend_curly_at(p, end) > 0)
            return NULL;
    }
    return NULL;
}

/* One outermost value at @p: behind it, or NULL when there is nothing more to look at. */
static const char *look_at(struct search *s, const char *p, unsigned *tries)
{
    size_t base = s->out->len;
    const char *next = NULL;

    switch (try_at(s, p)) {
    case MEND_COMPLETE: keep(s, p, s->many ? base : 0); return s->last.p;
    case MEND_CUT: s->cut = p; break;
    case MEND_BROKEN:
        next = ++*tries < TRIES_MAX ? remark_end(p, s->text.end) : NULL;
        s->prose = true;
        s->broken = next == NULL;
        break;
    }
    if (s->many)
        s->out->len = base;
    return next;
}

/* Whether @between is space, commas and fences. */
static bool is_separator(struct span between)
{
    const char *p = between.start;

    while (p < between.end) {
        if (is_fence(p, between.end)) {
            p += 3;
            while (p < between.end && is_info(*p))
                p++;
        } else if (is_space(*p) || *p == ',') {
            p++;
        } else {
            return false;
        }
    }
    return true;
}

/* Whether anything looks like JSON behind the fence that ended the value read last. */
static bool goes_on(const struct search *s)
{
    const char *end = s->text.end;
    const char *p = next_opening(s->last.p, end);

    while (p != NULL && !mend_looks_like_json(p, end))
        p = next_opening(p + 1, end);
    return p != NULL;
}

/*
 * Look at every outermost value, up to one that is broken: its inner parts would be answers that
 * nobody gave, and which of the others is the answer nobody knows.
 */
static void look(struct search *s)
{
    const char *end = s->text.end;
    const char *from = s->text.start;
    const char *p = next_opening(from, end);
    unsigned tries = 0;

    while (p != NULL) {
        if (mend_looks_like_json(p, end)) {
            s->prose = s->prose || !is_separator((struct span){from, p});
            from = p = look_at(s, p, &tries);
        } else {
            p++;
        }
        if (p != NULL)
            p = next_opening(p, end);
    }
    s->behind = s->cut != NULL && goes_on(s);
}

/* Outcomes */

static bool refuse(const struct search *s, const char **what, const char *words)
{
    s->out->len = 0;
    *what = s->full ? "it is too long" : words;
    return false;
}

static const char several[] = "there are several JSON values in it";

/* The value that is the answer; NULL with @words when that is not certain. */
static const struct found *choose(const struct search *s, const char **words)
{
    const struct found *best = s->object.count > 0 ? &s->object : &s->list;

    *words = "there is no JSON value in it";
    if (s->broken)
        *words = best->count > 0 ? several : "it cannot be mended";
    else if (best->count > 1 || (s->object.count > 0 && s->rows.count > 0) || s->behind ||
             (best->count > 0 && s->cut != NULL))
        *words = several;
    else if (best->count > 0)
        return best;
    else if (s->cut != NULL)
        *words = NULL;
    return NULL;
}

static bool finish(const struct search *s, unsigned repairs, size_t whole, struct repaired *done,
                   const char **what)
{
    struct json_value root;

    if (!json_scan(s->out->data, s->out->len, &root, NULL))
        return refuse(s, what, "it cannot be mended");
    *done = (struct repaired){.repairs = repairs, .whole = whole};
    return true;
}

static bool finish_cut(struct search *s, const char **what, struct repaired *done)
{
    struct span value = {s->cut, s->text.end};
    size_t whole = 0;
    unsigned repairs = 0;

    (void)try_at(s, s->cut);
    if (!mend_close(&s->last, &whole))
        return refuse(s, what, "it was cut off before anything in it was complete");
    if (is_fence(s->last.p, s->text.end))
        value.end = s->last.p;
    repairs = s->last.repairs | around(s->text, value) | 1u << REPAIR_CUT;
    return finish(s, repairs, whole, done, what);
}

/* The text is one value of any kind, perhaps in a fence. */
static bool mend_whole(struct search *s, struct repaired *done, const char **what)
{
    struct span s_text = s->text;
    struct span first = {s->text.start, s->text.start};
    const char *line = memchr(s_text.start, '\n', (size_t)(s_text.end - s_text.start));
    bool fenced = false;

    if (line != NULL) {
        first.end = line;
        fenced = cut_opening_fence(&first) && trim(first).start == trim(first).end;
    }
    if (try_at(s, fenced ? line : s_text.start) != MEND_COMPLETE)
        return false;

    struct span after = {s->last.p, s_text.end};

    if (fenced)
        (void)cut_closing_fence(&after);
    after = trim(after);
    if (after.start != after.end)
        return false;
    return finish(s, s->last.repairs | (fenced ? 1u << REPAIR_FENCE : 0), s->out->len, done, what);
}

/* The text without thinking and space before it; returns whether there was thinking, as bit. */
static unsigned start_text(struct search *s, const char *text, size_t len)
{
    unsigned thinking = repair_thinking(&text, &len) ? 1u << REPAIR_THINKING : 0;

    s->text.end = text + len; /* space there shows that a number before it is complete */
    s->text.start = trim((struct span){text, s->text.end}).start;
    return thinking;
}

/* Whether the list that was collected is all that was said. */
static bool is_certain(const struct search *s)
{
    bool cut_object = s->cut == NULL || (*s->cut == '{' && !s->prose && !s->behind);

    return !s->broken && cut_object && s->rows.count == 0;
}

bool repair_list(struct buf *out, const char *text, size_t len, struct repaired *done,
                 const char **what)
{
    struct search s = {.out = out, .many = true};
    unsigned repairs = start_text(&s, text, len);

    if (!buf_append(out, "[", 1))
        return refuse(&s, what, "it is too long");
    look(&s);
    if (s.rows.count == 1 && !s.broken && s.cut == NULL && !s.nested) {
        s.many = false;
        (void)try_at(&s, s.rows.span.start);
        repairs |= s.last.repairs | around(s.text, s.rows.span);
        return finish(&s, repairs, out->len, done, what);
    }
    if (!is_certain(&s))
        return refuse(&s, what, several);
    if (out->len == 1)
        return refuse(&s, what, "there is no JSON object in it");
    out->len--; /* the last comma */
    if (!buf_append(out, "]", 1))
        return refuse(&s, what, "it is too long");
    repairs |= s.cut != NULL ? 1u << REPAIR_CUT : 0; /* that object is left out */
    return finish(&s, s.repairs | repairs | 1u << REPAIR_LIST, out->len, done, what);
}

bool repair_json(struct buf *out, const char *text, size_t len, struct repaired *done,
                 const char **what)
{
    struct search s = {.out = out};
    const struct found *best = NULL;
    const char *words = NULL;
    unsigned thinking = start_text(&s, text, len);
    bool ok;

    if (s.text.start == s.text.end)
        return refuse(&s, what,
                      thinking != 0 ? "there is nothing behind the thinking" : "it is empty");
    if (!mend_whole(&s, done, what)) {
        look(&s);
        best = choose(&s, &words);
        if (best != NULL) {
            (void)try_at(&s, best->span.start);
            ok = finish(&s, s.last.repairs | around(s.text, best->span), out->len, done, what);
        } else {
            ok = words == NULL ? finish_cut(&s, what, done) : refuse(&s, what, words);
        }
        if (!ok)
            return false;
    }
    done->repairs |= thinking;
    return true;
}
