/* SPDX-License-Identifier: ISC */
/* A number that one thread changes and any thread reads. Adding is a plain load, add and store: no
 * locked instruction. */
#ifndef STATS_COUNTER_H
#define STATS_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

struct counter {
        atomic_uint_least64_t n;
};

/* The writer's. n may be what is to be taken away, as a two's complement: for gauges. */
static inline void counter_add(struct counter *c, uint64_t n)
{
        atomic_store_explicit(&c->n, atomic_load_explicit(&c->n, memory_order_relaxed) + n,
                              memory_order_relaxed);
}

static inline void counter_set(struct counter *c, uint64_t n)
{
        atomic_store_explicit(&c->n, n, memory_order_relaxed);
}

static inline uint64_t counter_get(const struct counter *c)
{
        return atomic_load_explicit(&c->n, memory_order_relaxed);
}

#endif
