/* SPDX-License-Identifier: ISC */
/* Over evbuffers: complete and correct for every case, and the one for anything unusual. */
#include "relay/pump.h"

static size_t least(size_t a, size_t b)
{
        return a < b ? a : b;
}

static size_t in_hand(const struct pump *p)
{
        return evbuffer_get_length(p->src->in);
}

static bool has_room(const struct pump *p)
{
        return stream_queued(p->dst) < p->high_water;
}

static void move(struct pump *p)
{
        size_t arrived = least(in_hand(p), p->allowance);
        size_t n = has_room(p) ? least(arrived, p->high_water - stream_queued(p->dst)) : 0;
        if (n == 0)
                return;
        int taken = evbuffer_remove_buffer(p->src->in, p->dst->out, n);
        if (taken <= 0)
                return;
        pump_moved(p, (size_t)taken);
        stream_wrote(p->dst);
}

static void discard(struct pump *p)
{
        evbuffer_drain(p->src->in, in_hand(p));
}

static size_t waiting(const struct pump *p)
{
        return in_hand(p) + stream_queued(p->dst);
}

const struct pump_carrier pump_buffer = {
        .move = move,
        .in_hand = in_hand,
        .discard = discard,
        .has_room = has_room,
        .waiting = waiting,
};
