#include "common/recipe/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Text that was cut at a byte ends before the character it was cut inside. */
static void end_whole(char why[WHY_MAX])
{
    size_t len = strlen(why);
    size_t i = len;

    while (i > 0 && ((unsigned char)why[i - 1] & 0xC0) == 0x80)
        i--;
    if (i == 0 || (unsigned char)why[i - 1] < 0xC0)
        return;

    unsigned lead = (unsigned char)why[i - 1];
    size_t need = lead >= 0xF0 ? 4 : (lead >= 0xE0 ? 3 : 2);

    if (len - (i - 1) < need)
        why[i - 1] = '\0';
}

static void one_line(char why[WHY_MAX])
{
    for (; *why != '\0'; why++)
        if ((unsigned char)*why < 0x20 || *why == 0x7F)
            *why = '?';
}

bool why_set(char why[WHY_MAX], const char *fmt, ...)
{
    va_list args;

    if (why == NULL)
        return false;
    va_start(args, fmt);
    int n = vsnprintf(why, WHY_MAX, fmt, args);
    va_end(args);
    if (n < 0)
        why[0] = '\0';
    if (n >= WHY_MAX)
        end_whole(why);
    one_line(why);
    return false;
}

bool why_wrap(char why[WHY_MAX], const char *what)
{
    char old[WHY_MAX];

    if (why == NULL)
        return false;
    memcpy(old, why, sizeof(old));
    return why_set(why, "%s: %s", what, old);
}
