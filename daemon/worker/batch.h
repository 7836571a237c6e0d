/* SPDX-License-Identifier: ISC */
/* How many connections to accept before looking whether there are more.
 *
 * A listener that is left with somebody waiting is ready again in the next turn of the loop. So one
 * connection at a time is enough, and accept(2) need not be called once more only to hear that
 * nobody is left; but where the listener is ready in turn after turn a crowd is waiting, and more
 * are let in at once. */
#ifndef WORKER_BATCH_H
#define WORKER_BATCH_H

#include <stdbool.h>

enum {
        BATCH_MOST = 64,     /* … so that data is not starved */
        BATCH_PATIENCE = 16, /* full batches that make a wrong guess worth its price */
};

struct batch {
        unsigned size;
        unsigned full;     /* batches of that size that were filled, one after the other */
        unsigned patience; /* how many of them make it larger: more after each wrong guess */
};

static inline void batch_init(struct batch *b)
{
        *b = (struct batch){ .size = 1, .patience = 1 };
}

/* The listener is ready; again: it was in the turn before as well. Returns how many to accept. */
static inline unsigned batch_begin(struct batch *b, bool again)
{
        if (!again) {
                b->size = 1;
                b->full = 0;
        }
        return b->size;
}

/* So many were accepted, and then nobody was left. */
static inline void batch_emptied(struct batch *b, unsigned n)
{
        b->size = n > 0 ? n : 1;
        b->full = 0;
        b->patience = 2 * b->patience < BATCH_PATIENCE ? 2 * b->patience : BATCH_PATIENCE;
}

/* All of the batch came. */
static inline void batch_filled(struct batch *b)
{
        if (b->size > 1)
                b->patience = 1;
        if (++b->full < b->patience)
                return;
        b->full = 0;
        b->size = 2 * b->size < BATCH_MOST ? 2 * b->size : BATCH_MOST;
}

#endif
