/* SPDX-License-Identifier: ISC */
#include "relay/pump.h"

void pump_init(struct pump *p, struct stream *src, struct stream *dst)
{
        *p = (struct pump){ .src = src, .dst = dst, .allowance = PUMP_NO_LIMIT };
}

static size_t least(size_t a, size_t b)
{
        return a < b ? a : b;
}

static void move(struct pump *p, size_t high_water)
{
        size_t queued = stream_queued(p->dst);
        size_t waiting = least(evbuffer_get_length(p->src->in), p->allowance);
        size_t n = queued < high_water ? least(waiting, high_water - queued) : 0;
        if (n == 0)
                return;
        int taken = evbuffer_remove_buffer(p->src->in, p->dst->out, n);
        if (taken <= 0)
                return;
        p->moved += (uint64_t)taken;
        if (p->allowance != PUMP_NO_LIMIT)
                p->allowance -= (size_t)taken;
        stream_wrote(p->dst);
}

static bool source_is_done(const struct pump *p)
{
        if (p->allowance == 0)
                return true;
        if (evbuffer_get_length(p->src->in) > 0)
                return false;
        if (p->src->end != STREAM_OPEN)
                return true;
        return p->allowance != PUMP_NO_LIMIT && stream_unread(p->src) == 0;
}

void pump_run(struct pump *p, size_t high_water)
{
        if (p->dst->lost != STREAM_OPEN)
                p->state = PUMP_FAILED;
        if (p->state == PUMP_FAILED) {
                evbuffer_drain(p->src->in, evbuffer_get_length(p->src->in));
                return;
        }
        if (p->state != PUMP_FLOWING)
                return;
        move(p, high_water);
        if (p->dst->lost != STREAM_OPEN)
                p->state = PUMP_FAILED;
        else if (source_is_done(p))
                p->state = PUMP_DRAINING;
}

void pump_limit(struct pump *p)
{
        if (p->state == PUMP_FLOWING && p->allowance == PUMP_NO_LIMIT)
                p->allowance = evbuffer_get_length(p->src->in) + stream_unread(p->src);
}

void pump_pass_end(struct pump *p)
{
        stream_finish(p->dst);
        if (p->dst->finished == STREAM_FINISHED)
                p->state = PUMP_DONE;
}

bool pump_delivered(const struct pump *p)
{
        if (p->state == PUMP_FAILED)
                return true;
        return p->state != PUMP_FLOWING && stream_queued(p->dst) == 0;
}

bool pump_acknowledged(const struct pump *p)
{
        if (!pump_delivered(p))
                return false;
        return p->state == PUMP_FAILED || stream_unacked(p->dst) == 0;
}

uint64_t pump_given(const struct pump *p)
{
        return p->moved - stream_queued(p->dst);
}

void pump_update_interest(struct pump *p, size_t high_water)
{
        bool want = p->state == PUMP_FAILED ||
                    (p->state == PUMP_FLOWING && stream_queued(p->dst) < high_water);
        if (p->src->end != STREAM_OPEN)
                want = false;
        if (want == p->reading)
                return;
        p->reading = want;
        stream_want_read(p->src, want);
}
