/* SPDX-License-Identifier: ISC */
/* Another process in this one's place. */
#include "control/command_internal.h"

#include "base/log.h"
#include "control/upgrade.h"

static void on_upgraded(const char *error, void *arg)
{
        reply_end(arg, error);
}

void command_upgrade(struct call *c)
{
        const struct upgrade_asker asker = { .done = on_upgraded, .arg = c->reply };
        log_notice("an upgrade is asked for by uid %u (pid %d)", (unsigned)c->who->uid,
                   (int)c->who->pid);
        const char *error = upgrade_begin(c->env->upgrade, &asker);
        if (error != NULL)
                reply_end(c->reply, error);
}
