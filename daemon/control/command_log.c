/* SPDX-License-Identifier: ISC */
#include "control/command_internal.h"

#include <string.h>

#include "base/log.h"
#include "config/kind.h"

void command_log_level(struct call *c)
{
        for (const struct word *w = kind_LOG_LEVEL.words; w->word != NULL; w++) {
                if (strcmp(w->word, c->operand) != 0)
                        continue;
                log_set_level((enum log_level)w->value);
                log_notice("log level %s, on behalf of uid %u (pid %d)", c->operand,
                           (unsigned)c->who->uid, (int)c->who->pid);
                reply_end(c->reply, NULL);
                return;
        }
        reply_end(c->reply, "a level is one of error, warning, notice, info, debug");
}
