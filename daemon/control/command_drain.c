/* SPDX-License-Identifier: ISC */
#include "control/command_internal.h"

#include "base/log.h"
#include "base/own.h"
#include "base/text.h"

/* The service that is meant; NULL: there is none, and the reply has ended. */
static struct service *meant(struct call *c)
{
        struct service *s = snapshot_service(call_running(c), c->operand);
        if (s == NULL)
                reply_end(c->reply, "there is no service of that name");
        return s;
}

static void tell(const struct call *c, const char *what)
{
        log_notice("service %s is %s, on behalf of uid %u (pid %d)", c->operand, what,
                   (unsigned)c->who->uid, (int)c->who->pid);
}

void command_drain(struct call *c)
{
        struct service *s = meant(c);
        if (s == NULL)
                return;
        if (!s->counts->drained)
                tell(c, "drained");
        gates_close(c->env->gates, s);
        reply_end(c->reply, NULL);
}

static void add_message(enum diag_severity severity, const char *line, void *arg)
{
        (void)severity;
        text_addf(arg, "%s; ", line);
}

void command_resume(struct call *c)
{
        OWN(text_fini) struct text wrong = { 0 };
        struct service *s = meant(c);
        if (s == NULL)
                return;
        struct diag *diag = diag_new();
        if (diag == NULL) {
                reply_end(c->reply, "the daemon is short of memory");
                return;
        }
        bool was_drained = s->counts->drained;
        if (gates_open(c->env->gates, s, diag)) {
                if (was_drained)
                        tell(c, "resumed");
                reply_end(c->reply, NULL);
        } else {
                diag_each(diag, add_message, &wrong);
                text_add(&wrong, "the service stays drained");
                reply_end(c->reply, text_str(&wrong));
        }
        diag_free(diag);
}
