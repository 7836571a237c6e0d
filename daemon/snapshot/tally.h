/* SPDX-License-Identifier: ISC */
/* How many connections are alive, counted by all workers together, with a limit. */
#ifndef SNAPSHOT_TALLY_H
#define SNAPSHOT_TALLY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct tally {
        atomic_int_least64_t live;
        int64_t limit; /* 0: none */
};

static inline void tally_init(struct tally *t, int64_t limit)
{
        atomic_init(&t->live, 0);
        t->limit = limit;
}

static inline int64_t tally_live(struct tally *t)
{
        return atomic_load_explicit(&t->live, memory_order_relaxed);
}

static inline void tally_leave(struct tally *t)
{
        atomic_fetch_sub_explicit(&t->live, 1, memory_order_relaxed);
}

/* Returns false, and counts nothing, when the limit is reached. */
static inline bool tally_enter(struct tally *t)
{
        int64_t before = atomic_fetch_add_explicit(&t->live, 1, memory_order_relaxed);
        if (t->limit == 0 || before < t->limit)
                return true;
        tally_leave(t);
        return false;
}

#endif
