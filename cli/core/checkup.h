#ifndef CLI_CORE_CHECKUP_H
#define CLI_CORE_CHECKUP_H

#include <stddef.h>
#include <stdint.h>

#include "cli/core/exit_code.h"
#include "common/base/attr.h"
#include "common/base/buf.h"

/*
 * What `sheaf doctor` found, and the judgement of what was measured. Pure: the
 * measuring is elsewhere.
 */

#define CHECKUP_MAX 24

enum check_level { CHECK_OK, CHECK_WARN, CHECK_FAIL };

/** One thing that was looked at. */
struct check {
    const char *name; /* static: "redis" */
    enum check_level level;
    enum exit_code code; /* of CHECK_FAIL */
    char text[384];      /* what is so */
    const char *advice;  /* static: what to do; NULL when all is well */
};

/** Plain data; zeroed is empty. */
struct checkup {
    struct check checks[CHECKUP_MAX];
    size_t count;
};

/** Add one; @advice is static or NULL. Aborts past CHECKUP_MAX. */
void checkup_ok(struct checkup *c, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
void checkup_warn(struct checkup *c, const char *name, const char *advice, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void checkup_fail(struct checkup *c, const char *name, enum exit_code code, const char *advice,
                  const char *fmt, ...) PRINTF_LIKE(5, 6);

/** The code of the first that failed; EXIT_CODE_OK when none did. */
enum exit_code checkup_code(const struct checkup *c);

/** One line each. */
void checkup_print(const struct checkup *c, struct buf *out);

/** One JSON object with a newline. */
void checkup_print_json(const struct checkup *c, struct buf *out);

/** The value of @key in what Redis' INFO says, into @out; "" when it is not there. Returns @out. */
const char *checkup_info(const char *info, const char *key, char *out, size_t size);

/** Version, policy and durability, from what INFO says. */
void checkup_redis_info(struct checkup *c, const char *info);

/** The version in "Redis server v=7.0.15 sha=..." and the like, alone or with words around. */
void checkup_redis_version(struct checkup *c, const char *name, const char *text);

/** Two clocks, milliseconds since 1970. */
void checkup_clock(struct checkup *c, const char *name, int64_t ours_ms, int64_t theirs_ms);

/** Whose account: @id of the key at hand, @given what --account says, or NULL. */
void checkup_account(struct checkup *c, const char *id, const char *given);

/** Where the provider is: a key must not travel in the clear, but on this host. */
void checkup_address(struct checkup *c, const char *base_url);

/** @free_bytes can still be written below @path. */
void checkup_space(struct checkup *c, const char *name, const char *path, uint64_t free_bytes);

/** Files that a process may have open. */
void checkup_descriptors(struct checkup *c, uint64_t soft);

#endif
