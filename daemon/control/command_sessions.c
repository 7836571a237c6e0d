/* SPDX-License-Identifier: ISC */
/* Connections: the workers are asked for them. */
#include "control/command_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "control/inquiry.h"

static bool read_service(const struct call *c, struct session_filter *f, struct text *wrong)
{
        const char *option = call_option(c, "--service");
        const char *name = option != NULL ? option : c->operand;
        if (option != NULL && c->operand != NULL)
                text_add(wrong, "the service is named twice");
        else if (name != NULL && snapshot_service(call_running(c), name) == NULL)
                text_add(wrong, "there is no service of that name");
        else if (name != NULL && (f->service = strdup(name)) == NULL)
                text_add(wrong, "the daemon is short of memory");
        return wrong->len == 0;
}

static void say_wrong(struct text *t, const char *option, const char *value, const char *why)
{
        if (why != NULL)
                text_addf(t, "%s: \"%.*s\" %s", option, WORD_SHOWN, value, why);
}

/* Returns false after saying in *wrong what cannot be meant. */
static bool read_filter(const struct call *c, struct session_filter *f, struct text *wrong)
{
        const char *address = call_option(c, "--address"), *older = call_option(c, "--older");
        if (!read_service(c, f, wrong))
                return false;
        if (address != NULL)
                say_wrong(wrong, "--address", address, session_filter_address(f, address));
        if (older != NULL && wrong->len == 0)
                say_wrong(wrong, "--older", older, text_to_duration(older, &f->older_ms));
        f->half_closed = call_option(c, "--half-closed") != NULL;
        return wrong->len == 0;
}

void command_sessions(struct call *c)
{
        OWN(text_fini) struct text wrong = { 0 };
        struct inquiry_request all = { .what = INQUIRY_SESSIONS };
        if (read_filter(c, &all.filter, &wrong))
                inquiry_begin(c->env->workers, c->env->n_workers, &all, c->reply);
        else
                reply_end(c->reply, text_str(&wrong));
        session_filter_fini(&all.filter);
}

static void about_one(struct call *c, enum inquiry_what what)
{
        int64_t id;
        if (text_to_count(c->operand, &id) != NULL) {
                reply_end(c->reply, "a connection is named by its number: \"sessions\" shows them");
                return;
        }
        struct inquiry_request one = { .what = what, .id = (uint64_t)id };
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
