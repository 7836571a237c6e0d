/* SPDX-License-Identifier: ISC */
/* Both legs are there: join them until both have ended. */
#include "conn/stage.h"

#include "base/own.h"

static const enum reason reason_of[][2] = {
        [RELAY_ENDED] = { REASON_END, REASON_END },
        [RELAY_TRUNCATED] = { REASON_CLIENT_TRUNCATED, REASON_UPSTREAM_TRUNCATED },
        [RELAY_RESET] = { REASON_CLIENT_RESET, REASON_UPSTREAM_RESET },
        [RELAY_BROKEN] = { REASON_CLIENT_TLS_FAILED, REASON_UPSTREAM_TLS_FAILED },
        [RELAY_IDLE_TIMEOUT] = { REASON_IDLE_TIMEOUT, REASON_IDLE_TIMEOUT },
        [RELAY_HALF_CLOSE_TIMEOUT] = { REASON_HALF_CLOSE_TIMEOUT, REASON_HALF_CLOSE_TIMEOUT },
        [RELAY_NO_MEMORY] = { REASON_RESOURCE, REASON_RESOURCE },
        [RELAY_WRITE_TIMEOUT] = { REASON_WRITE_TIMEOUT, REASON_WRITE_TIMEOUT },
};

static const enum ended_by by_side[] = {
        [RELAY_CLIENT] = BY_CLIENT,
        [RELAY_UPSTREAM] = BY_UPSTREAM,
};

static void on_relay_done(const struct relay_result *result, void *arg)
{
        struct conn *c = arg;
        c->close = result->close;
        c->ended_by = by_side[result->side];
        const char *detail = result->detail;
        if (result->outcome == RELAY_WRITE_TIMEOUT)
                detail = result->side == RELAY_CLIENT ? "the client did not read"
                                                      : "the upstream did not read";
        conn_stage_failed(c, reason_of[result->outcome][result->side], detail);
}

bool stage_relay_make(struct conn *c)
{
        c->relay =
                relay_new(c->env->io, c->client, c->upstream, &c->service->relay, on_relay_done, c);
        if (c->relay != NULL && c->service->relay.busy_poll_us > 0 && c->env->pulse != NULL)
                relay_set_pulse(c->relay, c->env->pulse);
        return c->relay != NULL;
}

static enum stage_result relay_enter(struct conn *c)
{
        if (!stage_relay_make(c))
                return conn_stage_why(c, REASON_RESOURCE, "out of memory");
        relay_start(c->relay);
        return STAGE_WAIT;
}

static void relay_leave(struct conn *c)
{
        relay_free(TAKE(c->relay));
}

const struct stage stage_relay = {
        .name = "relay",
        .enter = relay_enter,
        .leave = relay_leave,
};
