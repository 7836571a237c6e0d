/* SPDX-License-Identifier: ISC */
/* Between direct streams: small messages through a buffer that all connections of a worker share,
 * bulk between two sockets through a pipe. Nothing is taken while the receiver has octets queued,
 * so a connection holds no more than one read brought. */
#include "net/io.h"
#include "relay/pump.h"

enum {
        COPY = 64 * 1024,         /* octets a read; one that is full begins to splice */
        SHORT_SPLICE = 16 * 1024, /* less than this, so many times in a row: back to copying */
        SHORT_SPLICES = 4,
};

static size_t least(size_t a, size_t b)
{
        return a < b ? a : b;
}

static size_t in_hand(const struct pump *p)
{
        (void)p;
        return 0;
}

static bool has_room(const struct pump *p)
{
        return stream_queued(p->dst) == 0;
}

static bool goes_on(const struct pump *p)
{
        return p->src->readable && p->src->end == STREAM_OPEN && p->allowance > 0 && has_room(p) &&
               p->dst->lost == STREAM_OPEN;
}

/* Behind so much there is more in all likelihood: what is left of it shall share a segment with
 * that. */
static bool is_full(const struct pump *p, size_t n)
{
        return n == IO_SCRATCH_SIZE && p->src->readable && n < p->allowance;
}

static size_t copy(struct pump *p, size_t most)
{
        struct io *io = p->src->io;
        size_t size = least(most, io_room(io));
        size_t n = stream_receive(p->src, io->scratch, least(size, p->allowance));
        if (n > 0)
                stream_send(p->dst, io->scratch, n,
                            is_full(p, n) || (p->src->ending && p->end_follows));
        return n;
}

/* Between two sockets: whether the next octets are worth a pipe. */
static void learn(struct pump *p, size_t n)
{
        if (!p->bulk) {
                p->bulk = n == COPY;
                p->short_moves = 0;
        } else if (n >= SHORT_SPLICE) {
                p->short_moves = 0;
        } else if (++p->short_moves == SHORT_SPLICES) {
                p->bulk = false;
        }
}

static size_t move_between_sockets(struct pump *p)
{
        size_t n = 0;
        if (p->bulk)
                n = stream_splice(p->dst, p->src, p->allowance);
        if (n == 0 && goes_on(p)) /* no pipe, or not worth one */
                n = copy(p, COPY);
        if (n > 0)
                learn(p, n);
        return n;
}

static void move(struct pump *p)
{
        bool sockets = stream_can_splice(p->dst, p->src);
        size_t n = 0, last = 0;
        while (goes_on(p)) {
                last = n;
                n = sockets ? move_between_sockets(p) : copy(p, IO_SCRATCH_SIZE);
                if (n > 0)
                        pump_moved(p, n);
        }
        if (n == 0 && last == IO_SCRATCH_SIZE && !sockets) /* there was nothing */
                stream_push(p->dst);
}

static void discard(struct pump *p)
{
        struct io *io = p->src->io;
        while (p->src->readable && p->src->end == STREAM_OPEN)
                stream_receive(p->src, io->scratch, IO_SCRATCH_SIZE);
}

const struct pump_carrier pump_direct = {
        .move = move,
        .in_hand = in_hand,
        .discard = discard,
        .has_room = has_room,
};
