/* SPDX-License-Identifier: ISC */
#include "control/command_internal.h"

#include <stdlib.h>

#include "base/log.h"

struct waiting {
        struct reload_asker asker;
        struct reply *reply;
        const char *refused; /* what is said when it was */
};

static void on_line(enum reload_line kind, const char *line, void *arg)
{
        static const char *const kinds[] = {
                [RELOAD_ERROR] = "error",
                [RELOAD_WARNING] = "warning",
                [RELOAD_CHANGE] = "change",
        };
        struct waiting *w = arg;
        reply_json(w->reply, json_pack("{s:s}", kinds[kind], line));
}

static void on_done(bool changed, void *arg)
{
        struct waiting *w = arg;
        reply_end(w->reply, changed ? NULL : w->refused);
        free(w);
}

void command_reload(struct call *c)
{
        struct waiting *w = malloc(sizeof *w);
        if (w == NULL) {
                reply_end(c->reply, "the daemon is short of memory");
                return;
        }
        *w = (struct waiting){ .asker = { .line = on_line, .done = on_done, .arg = w },
                               .reply = c->reply,
                               .refused = "nothing is reloaded; what was running goes on" };
        if (call_option(c, "--dry-run") != NULL) {
                w->refused = "a reload would change nothing; what is running would go on";
                reload_try(c->env->reload, &w->asker);
                return;
        }
        log_notice("a reload is asked for by uid %u (pid %d)", (unsigned)c->who->uid,
                   (int)c->who->pid);
        reload_config(c->env->reload, &w->asker);
}
