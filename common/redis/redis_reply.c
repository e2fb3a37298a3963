#include "common/redis/redis_reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct redis_reply nil = {.type = REDIS_TYPE_NIL};

const struct redis_reply *redis_reply_at(const struct redis_reply *r, size_t i)
{
    return i < redis_reply_count(r) ? &r->items[i] : &nil;
}

size_t redis_reply_count(const struct redis_reply *r)
{
    return r != NULL && r->type == REDIS_TYPE_ARRAY ? r->count : 0;
}

bool redis_reply_is_nil(const struct redis_reply *r)
{
    return r == NULL || r->type == REDIS_TYPE_NIL;
}

const char *redis_reply_text(const struct redis_reply *r)
{
    return r != NULL && r->str != NULL ? r->str : "";
}

size_t redis_reply_len(const struct redis_reply *r)
{
    return r != NULL && r->str != NULL ? r->len : 0;
}

int64_t redis_reply_number(const struct redis_reply *r, int64_t otherwise)
{
    const char *text = redis_reply_text(r);
    char *end = NULL;

    if (r != NULL && r->type == REDIS_TYPE_INTEGER)
        return r->integer;
    if (text[0] != '-' && (text[0] < '0' || text[0] > '9')) /* strtoll skips blanks */
        return otherwise;

    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || end != text + redis_reply_len(r))
        return otherwise;
    return value;
}

const char *redis_reply_str(const struct redis_reply *r, size_t i)
{
    return redis_reply_text(redis_reply_at(r, i));
}

size_t redis_reply_str_len(const struct redis_reply *r, size_t i)
{
    return redis_reply_len(redis_reply_at(r, i));
}

int64_t redis_reply_int(const struct redis_reply *r, size_t i, int64_t otherwise)
{
    return redis_reply_number(redis_reply_at(r, i), otherwise);
}

const struct redis_reply *redis_reply_field(const struct redis_reply *r, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i + 1 < redis_reply_count(r); i += 2)
        if (redis_reply_str_len(r, i) == len && memcmp(redis_reply_str(r, i), name, len) == 0)
            return redis_reply_at(r, i + 1);
    return &nil;
}
