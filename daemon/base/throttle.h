/* SPDX-License-Identifier: ISC */
/* At most so many a second, after a burst: the generic cell rate algorithm (ITU-T I.371), which
 * needs one number. */
#ifndef BASE_THROTTLE_H
#define BASE_THROTTLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One thread asks; several that do let a few more pass. {0}: nothing has passed yet. */
struct throttle {
        atomic_int_least64_t
                spent_us; /* until when what has passed would have taken, evenly spread */
};

/* Whether one more may pass now: per_second (> 0) on average, and at once as many as in burst_us.
 */
static inline bool throttle_pass(struct throttle *t, int64_t now_us, int64_t per_second,
                                 int64_t burst_us)
{
        int64_t spent = atomic_load_explicit(&t->spent_us, memory_order_relaxed);
        if (spent < now_us)
                spent = now_us;
        if (spent - now_us >= burst_us)
                return false;
        atomic_store_explicit(&t->spent_us, spent + 1000000 / per_second, memory_order_relaxed);
        return true;
}

#endif
