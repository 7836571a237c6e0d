/* SPDX-License-Identifier: ISC */
#include "control/watchdog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/notify.h"
#include "stats/loop_stats.h"

enum { LEAST_PATIENCE_US = 2500 * 1000 }; /* loops measure themselves every second */

struct watchdog {
        struct watchdog_env env;
        int64_t limit_us; /* the manager's; 0: it does not want to know */
        struct event *timer;
        bool stuck; /* and the log says so */
};

/* n_workers: none. */
static size_t first_stuck(const struct watchdog *w)
{
        int64_t half = w->limit_us / 2;
        int64_t patience = half > LEAST_PATIENCE_US ? half : LEAST_PATIENCE_US;
        size_t i = 0;
        while (i < w->env.n_workers && loop_stats_turns(worker_stats(w->env.workers[i]), patience))
                i++;
        return i;
}

static void tell(const struct watchdog *w)
{
        char status[128];
        const struct snapshot *s = reload_running(w->env.reload);
        int64_t n = tally_live(&s->counts->tally);
        snprintf(status, sizeof status, "%" PRId64 " connection%s, %zu service%s", n,
                 n == 1 ? "" : "s", s->n_services, s->n_services == 1 ? "" : "s");
        notify_alive(status);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct watchdog *w = arg;
        size_t stuck = first_stuck(w);
        bool fine = stuck == w->env.n_workers;
        if (fine)
                tell(w);
        if (!fine && !w->stuck)
                log_error("worker %zu does not turn its loop any more", stuck);
        if (fine && w->stuck)
                log_notice("every worker turns its loop again");
        w->stuck = !fine;
}

struct watchdog *watchdog_new(const struct watchdog_env *env)
{
        struct watchdog *w = calloc(1, sizeof *w);
        if (w == NULL)
                return NULL;
        *w = (struct watchdog){ .env = *env, .limit_us = notify_watchdog_us() };
        w->timer = event_new(env->base, -1, EV_PERSIST, on_timer, w);
        if (w->timer != NULL)
                return w;
        watchdog_free(w);
        return NULL;
}

void watchdog_free(struct watchdog *w)
{
        if (w == NULL)
                return;
        if (w->timer != NULL)
                event_free(w->timer);
        free(w);
}

void watchdog_start(struct watchdog *w)
{
        struct timeval every = clock_timeval(w->limit_us / 4000);
        if (w->limit_us > 0 && !evtimer_pending(w->timer, NULL))
                evtimer_add(w->timer, &every);
}

void watchdog_stop(struct watchdog *w)
{
        evtimer_del(w->timer);
}
