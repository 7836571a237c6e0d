/* SPDX-License-Identifier: ISC */
#include "relay/pump.h"

void pump_init(struct pump *p, struct stream *src, struct stream *dst, uint32_t high_water)
{
        bool direct = stream_is_direct(src) && stream_is_direct(dst);
        *p = (struct pump){
                .src = src,
                .dst = dst,
                .carrier = direct ? &pump_direct : &pump_buffer,
                .high_water = high_water,
                .allowance = PUMP_NO_LIMIT,
        };
}

void pump_moved(struct pump *p, size_t n)
{
        p->moved += (uint64_t)n;
        if (p->allowance != PUMP_NO_LIMIT)
                p->allowance -= n;
}

static bool source_is_done(const struct pump *p)
{
        if (p->allowance == 0)
                return true;
        if (p->carrier->in_hand(p) > 0)
                return false;
        if (p->src->end != STREAM_OPEN)
                return true;
        return p->allowance != PUMP_NO_LIMIT && stream_unread(p->src) == 0;
}

void pump_run(struct pump *p)
{
        if (p->dst->lost != STREAM_OPEN)
                p->state = PUMP_FAILED;
        if (p->state == PUMP_FAILED) {
                p->carrier->discard(p);
                return;
        }
        if (p->state != PUMP_FLOWING)
                return;
        p->carrier->move(p);
        if (p->dst->lost != STREAM_OPEN)
                p->state = PUMP_FAILED;
        else if (source_is_done(p))
                p->state = PUMP_DRAINING;
}

void pump_limit(struct pump *p)
{
        if (p->state == PUMP_FLOWING && p->allowance == PUMP_NO_LIMIT)
                p->allowance = p->carrier->in_hand(p) + stream_unread(p->src);
}

void pump_pass_end(struct pump *p)
{
        stream_finish(p->dst);
        if (p->dst->finished == STREAM_FINISHED)
                p->state = PUMP_DONE;
}

void pump_leave_end_to_close(struct pump *p)
{
        p->state = PUMP_DONE;
}

void pump_take_in_hand(struct pump *p)
{
        if (p->state != PUMP_FLOWING || p->carrier->in_hand(p) == 0)
                return;
        p->high_water = UINT32_MAX;
        p->carrier->move(p);
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

void pump_update_interest(struct pump *p)
{
        bool want =
                p->state == PUMP_FAILED || (p->state == PUMP_FLOWING && p->carrier->has_room(p));
        if (p->src->end != STREAM_OPEN)
                want = false;
        if (p->told && want == p->reading)
                return;
        p->told = true;
        p->reading = want;
        stream_want_read(p->src, want);
}
