/* Finding the value in what a model wrote around it. */
#include "common/recipe/repair.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/json/scan.h"
#include "common/recipe/mend.h"

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
    case REPAIR_CUT: return "cut";
    }
    return "?";
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Thinking */

bool repair_thinking(const char **p, size_t *len)
{
    static const char open[] = "<think>";
    static const char close[] = "</think>";
    const char *end = *p + *len;
    const char *start = *p;
    const char *found = NULL;

    while (start < end && is_space(*start))
        start++;

    size_t left = (size_t)(end - start);
    bool opened = left >= sizeof(open) - 1 && memcmp(start, open, sizeof(open) - 1) == 0;

    found = memmem(start, left, close, sizeof(close) - 1);
    if (found == NULL && !opened)
        return false;
    *p = found == NULL ? end : found + sizeof(close) - 1;
    *len = (size_t)(end - *p);
    return true;
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

/* Fences */

static bool is_info(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-' || c == '+' || c == '.';
}

/* Whether @before ends in ``` and a language; cuts that off. */
static bool cut_opening_fence(struct span *before)
{
    const char *p = trim(*before).end;

    while (p > before->start && is_info(p[-1]))
        p--;
    if (p - before->start < 3 || memcmp(p - 3, "```", 3) != 0)
        return false;
    before->end = p - 3;
    return true;
}

static bool cut_closing_fence(struct span *after)
{
    struct span s = trim(*after);

    if (s.end - s.start < 3 || memcmp(s.start, "```", 3) != 0)
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
    struct found object, list;
    const char *cut;    /* where the value begins that the end of the text cuts; NULL */
    bool full;          /* the limit of @out was reached */
    struct mender last; /* the value read last */
};

static enum mend_outcome try_at(struct search *s, const char *p)
{
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

static void keep(struct search *s, const char *start)
{
    struct found *f = *s->out->data == '{' ? &s->object : &s->list;
    struct span span = {start, s->last.p};
    size_t len = (size_t)(span.end - span.start);

    if (f->count == 0)
        *f = (struct found){span, 1};
    else if (len != (size_t)(f->span.end - f->span.start) ||
             memcmp(f->span.start, span.start, len) != 0)
        f->count = 2;
}

/* Behind the brace or bracket that closes the one at @p, strings aside; NULL when none does. */
static const char *balanced_end(const char *p, const char *end)
{
    size_t depth = 0;

    for (; p < end; p++) {
        if (*p == '{' || *p == '[')
            depth++;
        if ((*p == '}' || *p == ']') && --depth == 0)
            return p + 1;
        if (depth == 0)
            return NULL; /* a full-width one: not worth it */
    }
    return NULL;
}

/*
 * Look at every outermost value. What looks like JSON and is broken is passed over as a whole: its
 * inner parts would be answers that nobody gave.
 */
static void look(struct search *s)
{
    const char *end = s->text.end;
    const char *p = next_opening(s->text.start, end);

    for (unsigned tries = 0; p != NULL && tries < TRIES_MAX; p = next_opening(p, end)) {
        if (!mend_looks_like_json(p, end)) {
            p++;
            continue;
        }
        switch (try_at(s, p)) {
        case MEND_COMPLETE:
            keep(s, p);
            p = s->last.p;
            break;
        case MEND_CUT: s->cut = p; return;
        case MEND_BROKEN:
            tries++;
            p = balanced_end(p, end);
            if (p == NULL)
                return;
            break;
        }
    }
}

/* Outcomes */

static bool refuse(const struct search *s, const char **what, const char *words)
{
    s->out->len = 0;
    *what = s->full ? "it is too long" : words;
    return false;
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
    value.end = s->last.p; /* a closing fence is behind that */
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

bool repair_json(struct buf *out, const char *text, size_t len, struct repaired *done,
                 const char **what)
{
    struct search s = {.text = {text, text + len}, .out = out};
    const struct found *best = NULL;
    unsigned thinking = 0;

    if (repair_thinking(&text, &len))
        thinking = 1u << REPAIR_THINKING;
    s.text = trim((struct span){text, text + len});
    if (s.text.start == s.text.end)
        return refuse(&s, what, thinking != 0 ? "there is nothing behind the thinking"
                                              : "it is empty");
    if (mend_whole(&s, done, what)) {
        done->repairs |= thinking;
        return true;
    }
    look(&s);
    best = s.object.count > 0 ? &s.object : &s.list;
    if (best->count > 1)
        return refuse(&s, what, "there are several JSON values in it");
    if (best->count == 0) {
        if (s.cut == NULL)
            return refuse(&s, what, "there is no JSON value in it");
        if (!finish_cut(&s, what, done))
            return false;
    } else {
        (void)try_at(&s, best->span.start);
        if (!finish(&s, s.last.repairs | around(s.text, best->span), out->len, done, what))
            return false;
    }
    done->repairs |= thinking;
    return true;
}
