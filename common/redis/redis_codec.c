#include "common/redis/redis_codec.h"

#include <hiredis/hiredis.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/xmem.h"

/* Elements of one reply, over all levels: a few bytes on the wire cost a struct each. */
enum { MAX_ITEMS = 4 * 1024 * 1024 };

struct redis_codec {
    redisReader *reader;
    size_t max_bytes;
    size_t pending_bytes; /* fed since the last whole reply */
    size_t items;         /* elements of the reply that is being read */
};

/* A place for the node of @task: in its parent's array, or on its own for the root. */
static struct redis_reply *node_new(const redisReadTask *task, enum redis_reply_type type)
{
    struct redis_reply *node = NULL;

    if (task->parent != NULL) {
        struct redis_reply *array = task->parent->obj;

        node = &array->items[task->idx];
    } else {
        node = calloc(1, sizeof(*node));
    }
    if (node != NULL)
        node->type = type;
    return node;
}

/* hiredis refuses more than 8 levels. NOLINTNEXTLINE(misc-no-recursion) */
static void release(struct redis_reply *node)
{
    for (size_t i = 0; i < node->count; i++)
        release(&node->items[i]);
    free(node->items);
    free(node->str);
}

void redis_reply_free(struct redis_reply *reply)
{
    if (reply == NULL)
        return;
    release(reply);
    free(reply);
}

static void free_object(void *root)
{
    redis_reply_free(root);
}

static void *create_string(const redisReadTask *task, char *bytes, size_t len)
{
    enum redis_reply_type type = task->type == REDIS_REPLY_ERROR    ? REDIS_TYPE_ERROR
                                 : task->type == REDIS_REPLY_STATUS ? REDIS_TYPE_STATUS
                                                                    : REDIS_TYPE_STRING;
    char *copy = malloc(len + 1); /* the peer chose the length; the codec has capped it */
    struct redis_reply *node = copy != NULL ? node_new(task, type) : NULL;

    if (node == NULL) {
        free(copy);
        return NULL;
    }
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    node->str = copy;
    node->len = len;
    return node;
}

static void *create_items(const redisReadTask *task, size_t count)
{
    struct redis_codec *codec = task->privdata;

    if (count > MAX_ITEMS - codec->items)
        return NULL; /* hiredis calls it "out of memory", which it would be */

    struct redis_reply *node = node_new(task, REDIS_TYPE_ARRAY);
    if (node == NULL)
        return NULL;
    node->items = count != 0 ? calloc(count, sizeof(*node->items)) : NULL;
    if (node->items == NULL && count != 0) {
        if (task->parent == NULL)
            free(node);
        return NULL;
    }
    codec->items += count;
    node->count = count;
    return node;
}

static void *create_integer(const redisReadTask *task, long long value)
{
    struct redis_reply *node = node_new(task, REDIS_TYPE_INTEGER);

    if (node != NULL)
        node->integer = value;
    return node;
}

static void *create_nil(const redisReadTask *task)
{
    return node_new(task, REDIS_TYPE_NIL);
}

#if HIREDIS_MAJOR >= 1
static void *create_array(const redisReadTask *task, size_t count)
{
    return create_items(task, count);
}

/* RESP3 types: we never ask for them, but without these a stray one would not be a node. */
static void *create_double(const redisReadTask *task, double value, char *text, size_t len)
{
    (void)value;
    return create_string(task, text, len);
}

static void *create_bool(const redisReadTask *task, int value)
{
    return create_integer(task, value);
}
#else
static void *create_array(const redisReadTask *task, int count)
{
    return count >= 0 ? create_items(task, (size_t)count) : NULL;
}
#endif

static redisReplyObjectFunctions functions = {
    .createString = create_string,
    .createArray = create_array,
    .createInteger = create_integer,
    .createNil = create_nil,
    .freeObject = free_object,
#if HIREDIS_MAJOR >= 1
    .createDouble = create_double,
    .createBool = create_bool,
#endif
};

struct redis_codec *redis_codec_new(size_t max_bytes)
{
    struct redis_codec *codec = xcalloc(1, sizeof(*codec));

    codec->max_bytes = max_bytes;
    codec->reader = redisReaderCreateWithFunctions(&functions);
    if (codec->reader == NULL)
        log_fatal("redis reader: out of memory");
    codec->reader->privdata = codec;
    return codec;
}

void redis_codec_free(struct redis_codec *codec)
{
    if (codec == NULL)
        return;
    redisReaderFree(codec->reader);
    free(codec);
}

bool redis_codec_feed(struct redis_codec *codec, const void *bytes, size_t len, struct err *err)
{
    codec->pending_bytes += len;
    if (redisReaderFeed(codec->reader, bytes, len) != REDIS_OK)
        return err_set(err, ERR_TEMPORARY, "%s", codec->reader->errstr);
    return true;
}

bool redis_codec_next(struct redis_codec *codec, struct redis_reply **reply, struct err *err)
{
    void *whole = NULL;

    if (redisReaderGetReply(codec->reader, &whole) != REDIS_OK)
        return err_set(err, ERR_TEMPORARY, "%s", codec->reader->errstr);
    if (whole == NULL && codec->pending_bytes > codec->max_bytes)
        return err_set(err, ERR_TEMPORARY, "reply of more than %zu bytes", codec->max_bytes);
    if (whole != NULL) {
        codec->items = 0;
        codec->pending_bytes = codec->reader->len - codec->reader->pos;
    }
    *reply = whole;
    return true;
}

char *redis_codec_format(int argc, const char *const *argv, const size_t *argvlen, size_t *len)
{
    const char **words = xcalloc((size_t)argc + 1, sizeof(*words));
    char *bytes = NULL;

    for (int i = 0; i < argc; i++)
        words[i] = argv[i]; /* hiredis wants the pointers writable */
    long long n = redisFormatCommandArgv(&bytes, argc, words, argvlen);
    free(words);
    if (n < 0 || bytes == NULL)
        log_fatal("redis command: out of memory");
    *len = (size_t)n;
    return bytes;
}

void redis_codec_release(char *formatted)
{
    redisFreeCommand(formatted);
}
