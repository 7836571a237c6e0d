/* SPDX-License-Identifier: ISC */
/* What is counted of an event loop, by itself alone; anybody may read it. */
#ifndef STATS_LOOP_STATS_H
#define STATS_LOOP_STATS_H

#include <stdbool.h>

#include "stats/counter.h"
#include "stats/histogram.h"

struct event;
struct event_base;

struct loop_stats {
        struct counter accept_pauses;
        struct histogram lag; /* how late a timer ran that was due */
        struct counter beat;  /* clock_us() when it ran last; 0: it does not */
};

/* Make the loop measure itself, every second, from its own thread or before that runs. The timer is
 * the caller's, to be freed with event_free(). NULL: memory is short. */
struct event *loop_stats_start(struct loop_stats *s, struct event_base *base);

/* Whether the loop ran its timer within the last patience_us; it is asked from any thread. */
bool loop_stats_turns(const struct loop_stats *s, int64_t patience_us);

#endif
