/* SPDX-License-Identifier: ISC */
/* How many descriptors connections may use, over all workers.
 *
 * A connection that was accepted needs a second descriptor to reach its upstream, perhaps only
 * after a handshake. If accepting went on until accept(2) failed there would be none left for those
 * already in, so both are counted when the first is taken. */
#ifndef WORKER_BUDGET_H
#define WORKER_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>

struct budget {
        atomic_int left;
};

/* From RLIMIT_NOFILE, what is open now, and what that many workers will need for themselves.
 * Returns false, with *short_of set to the smallest limit that would do, when not even one
 * connection is left. */
bool budget_init(struct budget *b, unsigned workers, unsigned long *short_of);

static inline bool budget_has(struct budget *b, int n)
{
        return atomic_load_explicit(&b->left, memory_order_relaxed) >= n;
}

static inline void budget_take(struct budget *b, int n)
{
        atomic_fetch_sub_explicit(&b->left, n, memory_order_relaxed);
}

static inline void budget_give(struct budget *b, int n)
{
        atomic_fetch_add_explicit(&b->left, n, memory_order_relaxed);
}

#endif
