#include "common/codec/unpack.h"

#include <string.h>

#define MAX_LEVELS 8

struct walk {
    const uint8_t *p;
    size_t left;
};

/* A big-endian number of @size bytes behind the type byte. */
static bool take_number(struct walk *w, unsigned size, uint64_t *out)
{
    uint64_t v = 0;

    if (w->left < size)
        return false;
    for (unsigned i = 0; i < size; i++)
        v = v << 8 | w->p[i];
    w->p += size;
    w->left -= size;
    *out = v;
    return true;
}

static bool skip(struct walk *w, uint64_t bytes)
{
    if (bytes > w->left)
        return false;
    w->p += bytes;
    w->left -= (size_t)bytes;
    return true;
}

static bool set_pairs(uint64_t *children, uint64_t pairs)
{
    *children = pairs * 2;
    return true;
}

/* A value whose type byte is not a "fix" type: its children, its bytes passed over. */
static bool take_long(struct walk *w, uint8_t type, uint64_t *children)
{
    uint64_t n = 0;

    switch (type) {
    case 0xc0:
    case 0xc2:
    case 0xc3: return true;
    case 0xc4:
    case 0xd9: return take_number(w, 1, &n) && skip(w, n);
    case 0xc5:
    case 0xda: return take_number(w, 2, &n) && skip(w, n);
    case 0xc6:
    case 0xdb: return take_number(w, 4, &n) && skip(w, n);
    case 0xca: return skip(w, 4);
    case 0xcb: return skip(w, 8);
    case 0xcc:
    case 0xd0: return skip(w, 1);
    case 0xcd:
    case 0xd1: return skip(w, 2);
    case 0xce:
    case 0xd2: return skip(w, 4);
    case 0xcf:
    case 0xd3: return skip(w, 8);
    case 0xdc: return take_number(w, 2, children);
    case 0xdd: return take_number(w, 4, children);
    case 0xde: return take_number(w, 2, &n) && set_pairs(children, n);
    case 0xdf: return take_number(w, 4, &n) && set_pairs(children, n);
    default: return false; /* extension types, and 0xc1 which is none */
    }
}

/* One value without its children: their number is *@children. */
static bool take_value(struct walk *w, uint64_t *children)
{
    uint64_t type;

    *children = 0;
    if (!take_number(w, 1, &type))
        return false;
    if (type <= 0x7f || type >= 0xe0)
        return true;
    if (type <= 0x8f)
        *children = (type & 0x0f) * 2;
    else if (type <= 0x9f)
        *children = type & 0x0f;
    else if (type <= 0xbf)
        return skip(w, type & 0x1f);
    else if (!take_long(w, (uint8_t)type, children))
        return false;
    return *children <= w->left; /* each child has a byte at least */
}

bool unpack_check(const void *bytes, size_t len)
{
    struct walk w = {bytes, len};
    uint64_t open[MAX_LEVELS] = {1}; /* values still to come, a level each */
    size_t level = 0;

    for (;;) {
        uint64_t children;

        while (open[level] == 0) {
            if (level == 0)
                return w.left == 0;
            level--;
        }
        open[level]--;
        if (!take_value(&w, &children))
            return false;
        if (children == 0)
            continue;
        if (level + 1 == MAX_LEVELS)
            return false;
        open[++level] = children;
    }
}

bool unpack_document(const void *bytes, size_t len, uint64_t version, uint32_t elements,
                     const char *what, msgpack_unpacked *out, struct err *err)
{
    uint64_t found = 0;

    if (!unpack_check(bytes, len))
        return err_set(err, ERR_PERMANENT, "%s: not a whole msgpack document", what);
    msgpack_unpacked_init(out);
    if (msgpack_unpack_next(out, bytes, len, NULL) != MSGPACK_UNPACK_SUCCESS ||
        out->data.type != MSGPACK_OBJECT_ARRAY || out->data.via.array.size == 0 ||
        !unpack_u64(&out->data.via.array.ptr[0], UINT64_MAX, &found)) {
        msgpack_unpacked_destroy(out);
        return err_set(err, ERR_PERMANENT, "%s: not a document with a version", what);
    }
    if (found != version || out->data.via.array.size != elements) {
        msgpack_unpacked_destroy(out);
        return err_set(err, ERR_PERMANENT, "%s: version %llu is not known here", what,
                       (unsigned long long)found);
    }
    return true;
}

bool unpack_u64(const msgpack_object *o, uint64_t max, uint64_t *out)
{
    if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > max)
        return false;
    *out = o->via.u64;
    return true;
}

bool unpack_u32(const msgpack_object *o, uint64_t max, uint32_t *out)
{
    uint64_t value;

    if (!unpack_u64(o, max < UINT32_MAX ? max : UINT32_MAX, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

bool unpack_i64(const msgpack_object *o, int64_t *out)
{
    if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) {
        *out = o->via.i64;
        return true;
    }
    if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > INT64_MAX)
        return false;
    *out = (int64_t)o->via.u64;
    return true;
}

bool unpack_text(const msgpack_object *o, char *out, size_t cap)
{
    if (o->type != MSGPACK_OBJECT_STR || o->via.str.size >= cap ||
        (o->via.str.size != 0 && memchr(o->via.str.ptr, '\0', o->via.str.size) != NULL))
        return false;
    if (o->via.str.size != 0)
        memcpy(out, o->via.str.ptr, o->via.str.size);
    out[o->via.str.size] = '\0';
    return true;
}

int pack_write(void *out, const char *bytes, size_t len)
{
    return buf_append(out, bytes, len) ? 0 : -1;
}

int pack_text(msgpack_packer *pk, const char *text)
{
    return msgpack_pack_str_with_body(pk, text, strlen(text));
}
