/* SPDX-License-Identifier: ISC */
/* Connections: the workers are asked for them. */
#include "control/command_internal.h"

#include "base/log.h"
#include "base/text.h"
#include "control/inquiry.h"

void command_sessions(struct call *c)
{
        const struct inquiry_request all = { .what = INQUIRY_SESSIONS, .service = c->operand };
        if (c->operand != NULL && snapshot_service(call_running(c), c->operand) == NULL)
                reply_end(c->reply, "there is no service of that name");
        else
                inquiry_begin(c->env->workers, c->env->n_workers, &all, c->reply);
}

static void about_one(struct call *c, enum inquiry_what what)
{
        int64_t id;
        if (text_to_count(c->operand, &id) != NULL) {
                reply_end(c->reply, "a connection is named by its number: \"sessions\" shows them");
                return;
        }
        const struct inquiry_request one = { .what = what, .id = (uint64_t)id };
        inquiry_begin(c->env->workers, c->env->n_workers, &one, c->reply);
}

void command_session(struct call *c)
{
        about_one(c, INQUIRY_SESSION);
}

void command_kill(struct call *c)
{
        log_notice("connection %s is ended on behalf of uid %u (pid %d)", c->operand,
                   (unsigned)c->who->uid, (int)c->who->pid);
        about_one(c, INQUIRY_KILL);
}
