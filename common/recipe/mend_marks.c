#include "common/recipe/mend_marks.h"

#include <string.h>

#include "common/base/attr.h"

struct mark {
    const char *text; /* as it may be written */
    char means;
};

static const struct mark wide_marks[] = {
    {"，", ','},
    {"、", ','},
    {"：", ':'},
    {"｛", '{'},
    {"｝", '}'},
    {"［", '['},
    {"］", ']'},
};

static const char *const curly_quotes[] = {"“", "”"};

static const char *const wide_spaces[] = {"\u3000", "\u00A0", "\uFEFF"};

bool mend_starts_with(const char *p, const char *end, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(end - p) >= len && memcmp(p, text, len) == 0;
}

/* Which mark is at @p, and its length; 0 for none. */
char mend_mark_at(const char *p, const char *end, size_t *len)
{
    *len = 1;
    if (p < end && strchr(",:{}[]", *p) != NULL && *p != '\0')
        return *p;
    for (size_t i = 0; i < ARRAY_LEN(wide_marks); i++) {
        if (mend_starts_with(p, end, wide_marks[i].text)) {
            *len = strlen(wide_marks[i].text);
            return wide_marks[i].means;
        }
    }
    return 0;
}

/* Length of the curly quote at @p; 0 when there is none. */
size_t mend_curly_at(const char *p, const char *end)
{
    for (size_t i = 0; i < ARRAY_LEN(curly_quotes); i++)
        if (mend_starts_with(p, end, curly_quotes[i]))
            return strlen(curly_quotes[i]);
    return 0;
}

size_t mend_space_at(const char *p, const char *end)
{
    if (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        return 1;
    for (size_t i = 0; i < ARRAY_LEN(wide_spaces); i++)
        if (mend_starts_with(p, end, wide_spaces[i]))
            return strlen(wide_spaces[i]);
    return 0;
}

const char *mend_skip_blank(const char *p, const char *end)
{
    for (size_t n = mend_space_at(p, end); n > 0; n = mend_space_at(p, end))
        p += n;
    return p;
}
