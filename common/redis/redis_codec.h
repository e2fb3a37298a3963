#ifndef REDIS_REDIS_CODEC_H
#define REDIS_REDIS_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"
#include "common/redis/redis_reply.h"

/*
 * The Redis protocol as bytes, by hiredis, which is seen in this one file
 * only: of it we use the formatter and the reader, not its connections.
 */
struct redis_codec;

/** @max_bytes bounds one reply on the wire. Free with redis_codec_free(). */
struct redis_codec *redis_codec_new(size_t max_bytes);

/** NULL is fine. */
void redis_codec_free(struct redis_codec *codec);

/** Take @len bytes from the peer. False, for good, when memory is short. */
MUST_CHECK bool redis_codec_feed(struct redis_codec *codec, const void *bytes, size_t len,
                                 struct err *err);

/**
 * The next whole reply in *@reply, owned by the caller: free with
 * redis_reply_free(); NULL when there is none yet. False, for good, when the
 * bytes are not the protocol or pass a limit.
 */
MUST_CHECK bool redis_codec_next(struct redis_codec *codec, struct redis_reply **reply,
                                 struct err *err);

/** NULL is fine. */
void redis_reply_free(struct redis_reply *reply);

/**
 * One command as bytes, *@len of them, owned by the caller: free with
 * redis_codec_release(). @argvlen may be NULL.
 */
char *redis_codec_format(int argc, const char *const *argv, const size_t *argvlen, size_t *len);

void redis_codec_release(char *formatted);

#endif
