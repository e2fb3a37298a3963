#include "common/recipe/mend.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/recipe/mend_marks.h"
#include "common/recipe/mend_parts.h"

void mend_note(struct mender *m, enum repair repair)
{
    m->repairs |= 1u << repair;
}

bool mend_stop(struct mender *m, enum mend_outcome outcome)
{
    m->outcome = outcome;
    return false;
}

bool mend_put(struct mender *m, const char *text, size_t len)
{
    if (buf_append(m->out, text, len))
        return true;
    m->full = true;
    return mend_stop(m, MEND_BROKEN);
}

static char peek_mark(const struct mender *m)
{
    size_t len = 0;

    return mend_mark_at(m->p, m->end, &len);
}

/* Over the mark at @p. */
static void take_mark(struct mender *m)
{
    size_t len = 0;

    (void)mend_mark_at(m->p, m->end, &len);
    if (len > 1)
        mend_note(m, REPAIR_PUNCTUATION);
    m->p += len;
}

/* Over the comment at @p; false when there is none. */
static bool skip_comment(struct mender *m)
{
    const char *close = NULL;

    if (mend_starts_with(m->p, m->end, "//")) {
        close = memchr(m->p, '\n', (size_t)(m->end - m->p));
        m->p = close == NULL ? m->end : close + 1;
    } else if (mend_starts_with(m->p, m->end, "/*")) {
        close = memmem(m->p + 2, (size_t)(m->end - m->p) - 2, "*/", 2);
        m->p = close == NULL ? m->end : close + 2;
    } else {
        return false;
    }
    mend_note(m, REPAIR_COMMENTS);
    return true;
}

void mend_skip_space(struct mender *m)
{
    do {
        for (size_t n = mend_space_at(m->p, m->end); n > 0; n = mend_space_at(m->p, m->end)) {
            if (n > 1)
                mend_note(m, REPAIR_PUNCTUATION);
            m->p += n;
        }
    } while (skip_comment(m));
}

/* A closing fence ends the text as its end does. */
bool mend_at_end(const struct mender *m)
{
    return m->p == m->end || mend_starts_with(m->p, m->end, "```");
}

/* Structure */

/* A member's name and the colon. */
static bool mend_name(struct mender *m)
{
    bool found = false;

    mend_skip_space(m);
    if (mend_at_end(m))
        return mend_stop(m, MEND_CUT);
    if (!mend_string(m, &found))
        return false;
    if (!found)
        return mend_stop(m, MEND_BROKEN);
    mend_skip_space(m);
    if (mend_at_end(m))
        return mend_stop(m, MEND_CUT);
    if (peek_mark(m) != ':')
        return mend_stop(m, MEND_BROKEN);
    take_mark(m);
    return mend_put(m, ":", 1);
}

/* Over the end of the innermost list or object. */
static bool mend_end(struct mender *m)
{
    const char *close = m->levels[--m->depth].object ? "}" : "]";

    take_mark(m);
    return mend_put(m, close, 1);
}

/* Whether the innermost list or object ends at @p. */
static bool is_end(const struct mender *m)
{
    return peek_mark(m) == (m->levels[m->depth - 1].object ? '}' : ']');
}

/* Into the list or object at @p, and over its end if it is empty. *@more: a value must follow. */
static bool mend_open(struct mender *m, bool *more)
{
    char open = peek_mark(m);

    *more = false;
    if (m->depth == MEND_DEPTH)
        return mend_stop(m, MEND_BROKEN);
    m->levels[m->depth++] = (struct mend_level){.object = open == '{'};
    take_mark(m);
    if (!mend_put(m, &open, 1))
        return false;
    mend_skip_space(m);
    if (is_end(m))
        return mend_end(m);
    *more = true;
    return open == '[' || mend_name(m);
}

/*
 * Behind a value: over a comma. *@more: another value must follow; without, what is open must
 * end here.
 */
static bool mend_comma(struct mender *m, bool *more)
{
    *more = false;
    if (peek_mark(m) != ',')
        return true;
    take_mark(m);
    mend_skip_space(m);
    if (is_end(m)) {
        mend_note(m, REPAIR_COMMAS);
        return true;
    }
    if (mend_at_end(m))
        return mend_stop(m, MEND_CUT);
    *more = true;
    return mend_put(m, ",", 1) && (!m->levels[m->depth - 1].object || mend_name(m));
}

/* Behind a value: over commas and ends. *@more: another value must follow. */
static bool mend_behind(struct mender *m, bool *more)
{
    *more = false;
    while (m->depth > 0) {
        struct mend_level *level = &m->levels[m->depth - 1];

        level->any = true;
        level->good = m->out->len;
        mend_skip_space(m);
        if (!mend_comma(m, more))
            return false;
        if (*more)
            return true;
        if (!is_end(m))
            return mend_stop(m, mend_at_end(m) ? MEND_CUT : MEND_BROKEN);
        if (!mend_end(m))
            return false;
    }
    return true;
}

enum mend_outcome mend_value(struct mender *m)
{
    bool more = true;

    m->outcome = MEND_COMPLETE;
    while (more) {
        bool inside = false;
        bool ok = false;

        mend_skip_space(m);
        if (peek_mark(m) == '{' || peek_mark(m) == '[')
            ok = mend_open(m, &inside);
        else
            ok = mend_scalar(m);
        if (!ok)
            break;
        if (!inside && !mend_behind(m, &more))
            break;
    }
    return m->outcome;
}

bool mend_close(struct mender *m, size_t *whole)
{
    bool any = false;

    for (; m->depth > 0; m->depth--) {
        struct mend_level *level = &m->levels[m->depth - 1];

        if (any) /* what was in here is closed now */
            level->good = m->out->len;
        else if (!level->any)
            continue;
        else
            *whole = level->good;
        any = true;
        m->out->len = level->good;
        if (!mend_put(m, level->object ? "}" : "]", 1))
            return false;
    }
    return any;
}

bool mend_looks_like_json(const char *p, const char *end)
{
    size_t len = 0;
    char open = mend_mark_at(p, end, &len);
    char first = 0;

    p = mend_skip_blank(p + len, end);
    if (p == end || *p == '"' || *p == '\'' || mend_curly_at(p, end) > 0 ||
        mend_starts_with(p, end, "//") || mend_starts_with(p, end, "/*"))
        return true;
    first = mend_mark_at(p, end, &len);
    if (open == '{')
        return first == '}';
    if (first != 0)
        return first == ']' || first == '[' || first == '{';
    return *p == '-' || (*p >= '0' && *p <= '9') || mend_word_at(p, end);
}
