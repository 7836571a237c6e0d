/* SPDX-License-Identifier: ISC */
#include "stats/loop_stats.h"

#include <event2/event.h>

#include "base/clock.h"

enum { EVERY_MS = 1000 };

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct loop_stats *s = arg;
        int64_t now = clock_us();
        int64_t late = now - (int64_t)counter_get(&s->beat) - EVERY_MS * 1000;
        histogram_observe(&s->lag, &histogram_lag, late);
        counter_set(&s->beat, (uint64_t)now);
}

struct event *loop_stats_start(struct loop_stats *s, struct event_base *base)
{
        struct timeval every = clock_timeval(EVERY_MS);
        struct event *timer = event_new(base, -1, EV_PERSIST, on_beat, s);
        if (timer == NULL || event_add(timer, &every) < 0) {
                if (timer != NULL)
                        event_free(timer);
                return NULL;
        }
        counter_set(&s->beat, (uint64_t)clock_us());
        return timer;
}

bool loop_stats_turns(const struct loop_stats *s, int64_t patience_us)
{
        return clock_us() - (int64_t)counter_get(&s->beat) <= patience_us;
}
