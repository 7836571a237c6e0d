/* SPDX-License-Identifier: ISC */
/* How often something took how long. One writer, as a counter. */
#ifndef STATS_HISTOGRAM_H
#define STATS_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "stats/counter.h"

enum {
        HISTOGRAM_BOUNDS = 14, /* of the longest row of bounds */
};

/* Upper bounds in microseconds, rising; what is above the last is counted as well. */
struct histogram_bounds {
        size_t n;
        int64_t us[HISTOGRAM_BOUNDS];
};

/* Connecting and handshakes; the lives of connections; how late an event loop is. */
extern const struct histogram_bounds histogram_brief, histogram_lives, histogram_lag;

struct histogram {
        struct counter buckets[HISTOGRAM_BOUNDS + 1]; /* each its own; the last one above all */
        struct counter sum_us;
};

/* A negative duration counts as none. */
void histogram_observe(struct histogram *h, const struct histogram_bounds *bounds, int64_t us);

/* Add what another has counted. */
void histogram_sum(struct histogram *h, const struct histogram *more);

/* How many observations there were. */
uint64_t histogram_count(const struct histogram *h);

#endif
