/* SPDX-License-Identifier: ISC */
/* What is counted of a service. Each worker has a block of its own, which nobody else writes; asked
 * for, they are added up. */
#ifndef STATS_SERVICE_STATS_H
#define STATS_SERVICE_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/throttle.h"
#include "stats/counter.h"
#include "stats/handshakes.h"
#include "stats/histogram.h"

enum {
        STATS_REASONS = 40, /* no fewer than there are reasons to end for */
};

/* Octets go up from clients to upstreams, and down. */
enum { STATS_UP, STATS_DOWN, STATS_DIRECTIONS };

struct service_stats {
        struct counter octets[STATS_DIRECTIONS]; /* given to the receiving side's kernel */
        struct counter half_closed;              /* a gauge */
        struct counter ended[STATS_REASONS];
        struct counter left_out;                /* of those, without a record of their own */
        struct throttle records[STATS_REASONS]; /* how many of a kind may have one */
        struct histogram connect, handshake[HANDSHAKE_SIDES], life;
        struct handshakes handshakes;
};

/* The blocks of a service. */
struct stats_set {
        size_t n;
        _Atomic(struct service_stats *) blocks[]; /* NULL: that worker has had nothing to count */
};

/* NULL: memory is short. */
struct stats_set *stats_set_new(size_t n_workers);
void stats_set_free(struct stats_set *set); /* NULL is fine */

/* Before the worker of that number counts something. Where memory is short nothing is counted. */
void stats_claim(struct stats_set *set, size_t worker);

/* What is counted nowhere, since there is no block. */
struct service_stats *stats_nowhere(void);

/* The block of a worker, for itself alone. set may be NULL. */
static inline struct service_stats *stats_of(struct stats_set *set, size_t worker)
{
        struct service_stats *block = NULL;
        if (set != NULL && worker < set->n)
                block = atomic_load_explicit(&set->blocks[worker], memory_order_relaxed);
        return block != NULL ? block : stats_nowhere();
}

/* All that was counted, by any thread: *total is overwritten. */
void stats_total(const struct stats_set *set, struct service_stats *total);

#endif
