#ifndef REDIS_REDIS_REPLY_H
#define REDIS_REDIS_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum redis_reply_type {
    REDIS_TYPE_NIL,
    REDIS_TYPE_INTEGER,
    REDIS_TYPE_STRING,
    REDIS_TYPE_STATUS, /* +OK and the like; read as a string */
    REDIS_TYPE_ERROR,  /* read as a string; the word before the first blank is its code */
    REDIS_TYPE_ARRAY,
};

/** One reply, a tree. Read-only, borrowed for the callback it was given to. */
struct redis_reply {
    enum redis_reply_type type;
    int64_t integer;           /* INTEGER */
    char *str;                 /* STRING, STATUS, ERROR: NUL-terminated behind @len bytes */
    size_t len;                /* bytes in @str; they may hold NULs */
    struct redis_reply *items; /* ARRAY: @count of them */
    size_t count;
};

/*
 * Readers that never fail, so that a caller checks meaning instead of shape.
 * Each accepts NULL, a type it does not expect and an index past the end.
 */

/** Element @i of an array; a shared nil reply when there is none. Never NULL. */
const struct redis_reply *redis_reply_at(const struct redis_reply *r, size_t i);

/** Number of elements; 0 for anything that is not an array. */
size_t redis_reply_count(const struct redis_reply *r);

/** True for nil, for NULL and for an element that is not there (via redis_reply_at). */
bool redis_reply_is_nil(const struct redis_reply *r);

/** The text of a string, status or error; "" for anything else. Never NULL. */
const char *redis_reply_text(const struct redis_reply *r);

/** The length of that text in bytes; 0 for anything else. */
size_t redis_reply_len(const struct redis_reply *r);

/** An integer, or the number that a string spells in full; else @otherwise. */
int64_t redis_reply_number(const struct redis_reply *r, int64_t otherwise);

/** redis_reply_text(), _len() and _number() of element @i of the array @r. */
const char *redis_reply_str(const struct redis_reply *r, size_t i);
size_t redis_reply_str_len(const struct redis_reply *r, size_t i);
int64_t redis_reply_int(const struct redis_reply *r, size_t i, int64_t otherwise);

/**
 * The value behind @name in a flat list name, value, name, value, ... (what
 * HGETALL and Lua tables give); a shared nil reply when there is none.
 */
const struct redis_reply *redis_reply_field(const struct redis_reply *r, const char *name);

#endif
