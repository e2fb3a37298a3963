#ifndef DAEMON_SPLIT_H
#define DAEMON_SPLIT_H

#include <stdint.h>

#include "common/model/batch.h"

struct task;

/**
 * The file was refused as too big (task->failure), and what its lane may send has been made
 * smaller. The shards of the batch go back, free. A batch of a single shard is built again with
 * the first half of the lines that it asked for (BATCH_F_ASKED); one of a single line makes a
 * dead letter of it, with the provider's words. Ends the task. The batch is in a state
 * that may move to BUILD and to FETCH.
 */
void split_batch(struct task *task);

/** Leave of what @member asks for only the first @asked lines; 0: all. */
void split_narrow(struct member *member, uint32_t asked);

#endif
