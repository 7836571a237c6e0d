/* SPDX-License-Identifier: ISC */
#include "control/retired.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "base/log.h"

struct retired {
        TAILQ_ENTRY(retired) entry;
        struct retirement *all;
        char *name;
        struct service_counts *counts; /* held */
        struct event deadline;
};

static void retired_free(struct retired *gone)
{
        TAILQ_REMOVE(&gone->all->services, gone, entry);
        evtimer_del(&gone->deadline);
        service_counts_unref(gone->counts);
        free(gone->name);
        free(gone);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct retired *gone = arg;
        int64_t live = tally_live(&gone->counts->tally);
        if (live > 0)
                log_notice("service %s was removed and drain-timeout ran out, still open: %" PRId64,
                           gone->name, live);
        atomic_store_explicit(&gone->counts->over, true, memory_order_relaxed);
        for (size_t i = 0; i < gone->all->n_workers; i++)
                worker_cut_over(gone->all->workers[i]);
        retired_free(gone);
}

static void retire(struct retirement *r, const struct service *s, int64_t patience)
{
        struct timeval in = clock_timeval(patience);
        struct retired *gone = calloc(1, sizeof *gone);
        char *name = strdup(s->conf->name);
        if (gone == NULL || name == NULL) {
                log_error("service %s was removed, its connections stay: out of memory",
                          s->conf->name);
                free(gone);
                free(name);
                return;
        }
        *gone = (struct retired){
                .all = r,
                .name = name,
                .counts = service_counts_ref(s->counts),
        };
        TAILQ_INSERT_TAIL(&r->services, gone, entry);
        evtimer_assign(&gone->deadline, r->base, on_deadline, gone);
        evtimer_add(&gone->deadline, &in);
}

/* Who removed a service by mistake and put it back has lost nothing. */
static void take_back(struct retirement *r, const struct snapshot *now)
{
        struct retired *gone = TAILQ_FIRST(&r->services), *next;
        for (; gone != NULL; gone = next) {
                next = TAILQ_NEXT(gone, entry);
                if (snapshot_service(now, gone->name) != NULL)
                        retired_free(gone);
        }
}

void retirement_update(struct retirement *r, const struct snapshot *former,
                       const struct snapshot *now)
{
        int64_t patience = now->conf->drain_timeout;
        take_back(r, now);
        if (patience == 0) /* off: as long as it takes */
                return;
        for (size_t i = 0; i < former->n_services; i++) {
                const struct service *s = former->services[i];
                if (snapshot_service(now, s->conf->name) == NULL &&
                    tally_live(&s->counts->tally) > 0)
                        retire(r, s, patience);
        }
}

void retirement_init(struct retirement *r, struct event_base *base, struct worker *const *workers,
                     size_t n_workers)
{
        *r = (struct retirement){ .base = base, .workers = workers, .n_workers = n_workers };
        TAILQ_INIT(&r->services);
}

void retirement_fini(struct retirement *r)
{
        while (!TAILQ_EMPTY(&r->services))
                retired_free(TAILQ_FIRST(&r->services));
}
