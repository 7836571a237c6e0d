/* SPDX-License-Identifier: ISC */
/* How many connections are alive, counted by all workers together, with a limit. */
#ifndef SNAPSHOT_TALLY_H
#define SNAPSHOT_TALLY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct tally {
        atomic_int_least64_t live;
        atomic_int_least64_t limit; /* 0: none; a reload may change it */
};

static inline void tally_init(struct tally *t, int64_t limit)
{
        atomic_init(&t->live, 0);
        atomic_init(&t->limit, limit);
}

/* Who is in stays in. */
static inline void tally_set_limit(struct tally *t, int64_t limit)
{
        atomic_store_explicit(&t->limit, limit, memory_order_relaxed);
}

static inline int64_t tally_live(struct tally *t)
{
        return atomic_load_explicit(&t->live, memory_order_relaxed);
}

static inline void tally_leave(struct tally *t)
{
        atomic_fetch_sub_explicit(&t->live, 1, memory_order_relaxed);
}

/* One who is in already, whatever the limit: from another process. */
static inline void tally_add(struct tally *t)
{
        atomic_fetch_add_explicit(&t->live, 1, memory_order_relaxed);
}

/* Returns false, and counts nothing, when the limit is reached. Who is refused was never counted,
 * not even for a moment: that would refuse others who come just as somebody leaves. */
static inline bool tally_enter(struct tally *t)
{
        int64_t live = atomic_load_explicit(&t->live, memory_order_relaxed);
        int64_t limit = atomic_load_explicit(&t->limit, memory_order_relaxed);
        do {
                if (limit != 0 && live >= limit)
                        return false;
        } while (!atomic_compare_exchange_weak_explicit(
                &t->live, &live, live + 1, memory_order_relaxed, memory_order_relaxed));
        return true;
}

#endif
