/* SPDX-License-Identifier: ISC */
/* Reaching the upstream: a built-in, or the targets in the order upstream/ gives. */
#include "conn/stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "upstream/builtin.h"

static const enum reason reason_of[] = {
        [DIAL_REFUSED] = REASON_CONNECT_REFUSED, [DIAL_TIMED_OUT] = REASON_CONNECT_TIMEOUT,
        [DIAL_FAILED] = REASON_CONNECT_FAILED,   [DIAL_RESOLVE_FAILED] = REASON_RESOLVE_FAILED,
        [DIAL_NO_RESOURCE] = REASON_RESOURCE,
};

static void keep_attempts(struct conn *c, struct dial_attempt *attempts, size_t n)
{
        c->attempts = attempts;
        c->record.n_attempts = n;
}

/* "10.0.0.5:22: connection refused": the last try speaks, the others are in the record. */
static void fail(struct conn *c, enum reason why)
{
        struct text detail = { 0 };
        size_t n = c->record.n_attempts;
        if (n > 0) {
                const struct dial_attempt *last = &c->attempts[n - 1];
                text_addf(&detail, "%s: %s", last->target, last->text);
        }
        char *said OWN_FREE = text_take(&detail);
        conn_stage_failed(c, why, said);
}

/* The last attempt is the one that succeeded; memory that was short may have cost its note. */
static void name_upstream(struct conn *c)
{
        size_t n = c->record.n_attempts;
        if (n > 0)
                sockaddress_text(&c->attempts[n - 1].address, c->record.upstream);
        else
                snprintf(c->record.upstream, sizeof c->record.upstream, "%s",
                         c->targets[c->target]->text);
}

static void on_dialled(struct dial_result *result, void *arg)
{
        struct conn *c = arg;
        c->dial = NULL;
        keep_attempts(c, TAKE(result->attempts), result->n_attempts);
        if (result->outcome != DIAL_CONNECTED) {
                fail(c, reason_of[result->outcome]);
                return;
        }
        c->socket = TAKE(result->stream);
        c->target = result->target;
        c->record.connect_ms = conn_stage_ms(c);
        name_upstream(c);
        conn_stage_done(c);
}

static enum stage_result use_builtin(struct conn *c, const char *name)
{
        c->upstream = builtin_new(c->env->base, name);
        if (c->upstream == NULL)
                return conn_stage_why(c, REASON_RESOURCE, strerror(errno));
        snprintf(c->record.upstream, sizeof c->record.upstream, "%s", name);
        return STAGE_NEXT;
}

static enum stage_result dial_enter(struct conn *c)
{
        struct upstream *u = &c->service->upstream;
        const char *builtin = upstream_builtin(u);
        if (builtin != NULL)
                return use_builtin(c, builtin);
        c->targets = calloc(u->targets->n, sizeof(const struct addr *));
        if (c->targets != NULL) {
                upstream_order(u, c->targets);
                struct dial_settings settings = {
                        .targets = c->targets,
                        .n_targets = u->targets->n,
                        .timeout_ms = c->service->conf->connect_timeout,
                        .options = &c->service->connect_options,
                        .relief = c->env->relief,
                        .relief_arg = c->env->relief_arg,
                };
                c->dial = dial_start(c->env->io, c->env->resolver, &settings, on_dialled, c);
        }
        if (c->dial == NULL)
                return conn_stage_why(c, REASON_RESOURCE, "out of memory");
        return STAGE_WAIT;
}

static void dial_leave(struct conn *c)
{
        if (c->dial == NULL)
                return;
        struct dial_attempt *attempts = NULL;
        size_t n = 0;
        dial_cancel(TAKE(c->dial), &attempts, &n);
        keep_attempts(c, attempts, n);
}

const struct stage stage_dial = {
        .name = "dial",
        .enter = dial_enter,
        .leave = dial_leave,
        .alert_client = true,
};
