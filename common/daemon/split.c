#include "common/daemon/split.h"

#include <stdio.h>

#include "common/base/log.h"
#include "common/daemon/daemon.h"
#include "common/daemon/refusal.h"
#include "common/daemon/task.h"
#include "common/model/mask.h"

void split_narrow(struct member *member, uint32_t asked)
{
    if (asked == 0)
        return;
    for (uint32_t i = 0; i < member->lines; i++) {
        if (mask_get(member->mask, i))
            continue;
        if (asked == 0)
            mask_set(member->mask, i);
        else
            asked--;
    }
    member->left = mask_left(member->mask, member->lines);
}

static void give_up_line(struct task *task)
{
    struct provider_error error = task->failure;
    struct buf refused = REFUSAL_BUF;

    error.line = 1;
    refusal_of_error(&error, &refused);
    task_end_batch(task, task_failure_code(&error), false, refused.data);
    buf_release(&refused);
}

static void ask_for_less(struct task *task, uint32_t asked)
{
    char number[16];
    const struct protocol_field fields[] = {
        {BATCH_F_ASKED,   number},
        {BATCH_F_FILE,    ""    },
        {BATCH_F_FILE_MS, ""    },
        {BATCH_F_INTENT,  ""    },
        {BATCH_F_LOOKS,   ""    },
        {BATCH_F_REMOTE,  ""    },
        {BATCH_F_RSTATUS, ""    },
        {BATCH_F_TRIES,   ""    },
    };

    (void)snprintf(number, sizeof(number), "%u", asked);
    log_info("ev=split batch=%s lines=%u", task->batch.bid, asked);
    task_move(task, BATCH_BUILD, PROTOCOL_CO, 0, fields, ARRAY_LEN(fields), "the file is too big");
}

static void on_members(enum protocol_answer answer, const struct member *members, size_t count,
                       const struct err *err, void *arg)
{
    struct task *task = arg;

    if (answer != PROTOCOL_OK) {
        task_stop(task, "members", answer, err);
        return;
    }
    task->step = NULL;
    uint32_t asked = task->batch.asked;
    if (count == 1 && (asked == 0 || asked > members[0].left))
        asked = members[0].left;
    if (count != 1)
        task_end_batch(task, task_failure_code(&task->failure), false, NULL);
    else if (asked > 1)
        ask_for_less(task, asked / 2);
    else
        give_up_line(task);
}

void split_batch(struct task *task)
{
    task->step = protocol_members(task->daemon->protocol, task->batch.bid, task->work.nonce,
                                  on_members, task);
}
