/* SPDX-License-Identifier: ISC */
/* Reaching the upstream: a built-in, or the targets in the order upstream/ gives. */
#include "conn/stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "upstream/builtin.h"

static const enum reason reason_of[] = {
        [DIAL_REFUSED] = REASON_CONNECT_REFUSED, [DIAL_TIMED_OUT] = REASON_CONNECT_TIMEOUT,
        [DIAL_FAILED] = REASON_CONNECT_FAILED,   [DIAL_RESOLVE_FAILED] = REASON_RESOLVE_FAILED,
        [DIAL_NO_RESOURCE] = REASON_RESOURCE,
};

/* "10.0.0.5:22: connection refused": the last try speaks, the others are in the record. */
static void fail(struct conn *c, enum reason why)
{
        struct text detail = { 0 };
        const struct dial_attempt *last = c->attempts;
        while (last != NULL && last->next != NULL)
                last = last->next;
        if (last != NULL)
                text_addf(&detail, "%s: %s", last->target, dial_attempt_text(last));
        char *said OWN_FREE = text_take(&detail);
        conn_stage_failed(c, why, said);
}

static void on_dialled(struct dial_result *result, void *arg)
{
        struct conn *c = arg;
        c->dial = NULL;
        c->attempts = TAKE(result->attempts);
        if (result->outcome != DIAL_CONNECTED) {
                fail(c, reason_of[result->outcome]);
                return;
        }
        c->socket = TAKE(result->stream);
        c->reached = true;
        if (c->order != NULL)
                c->target = c->order[result->target];
        int64_t us = clock_us() - c->stage_us;
        c->connect_ms = clock_brief_ms(us);
        histogram_observe(&conn_stats(c)->connect, &histogram_brief, us);
        conn_stage_done(c);
}

static enum stage_result use_builtin(struct conn *c, const char *name)
{
        c->target = &c->service->upstream.targets->items[0];
        c->upstream = builtin_new(c->env->base, name);
        c->reached = c->upstream != NULL;
        return c->reached ? STAGE_NEXT : conn_stage_why(c, REASON_RESOURCE, strerror(errno));
}

/* Where to look for the targets, in the order to try them; NULL: memory is short. A single one
 * needs no list. */
static const struct addr **order_targets(struct conn *c)
{
        struct upstream *u = &c->service->upstream;
        const struct addr **order = &c->target;
        if (u->targets->n > 1)
                order = c->order = calloc(u->targets->n, sizeof(const struct addr *));
        if (order != NULL)
                upstream_order(u, order);
        return order;
}

static enum stage_result dial_enter(struct conn *c)
{
        struct upstream *u = &c->service->upstream;
        const char *builtin = upstream_builtin(u);
        if (builtin != NULL)
                return use_builtin(c, builtin);
        struct dial_settings settings = {
                .targets = order_targets(c),
                .n_targets = u->targets->n,
                .timeout_ms = c->service->conf->connect_timeout,
                .options = &c->service->connect_options,
                .relief = c->env->relief,
                .relief_arg = c->env->relief_arg,
        };
        if (settings.targets != NULL)
                c->dial = dial_start(c->env->io, c->env->resolver, &settings, on_dialled, c);
        if (c->dial == NULL)
                return conn_stage_why(c, REASON_RESOURCE, "out of memory");
        return STAGE_WAIT;
}

static void dial_leave(struct conn *c)
{
        if (c->dial != NULL)
                dial_cancel(TAKE(c->dial), &c->attempts);
        free(TAKE(c->order));
}

const struct stage stage_dial = {
        .name = "dial",
        .enter = dial_enter,
        .leave = dial_leave,
        .alert_client = true,
};
