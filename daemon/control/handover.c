/* SPDX-License-Identifier: ISC */
#include "control/handover.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/own.h"
#include "control/heritage.h"

struct handover;

struct packed {
        STAILQ_ENTRY(packed) next;
        struct parcel parcel;
};

/* One worker's share, which it has to itself while it visits its connections. */
struct share {
        struct worker_visit visit;
        struct handover *handover;
        STAILQ_HEAD(, packed) parcels;
};

struct handover {
        struct bundle *bundle;
        atomic_long room; /* descriptors */
        size_t n_waiting, n;
        handover_done_fn *done;
        void *arg;
        struct share shares[];
};

/* On a worker's thread. */
static void pack(struct conn *c, struct worker_visit *v)
{
        struct share *s = CONTAINER(v, struct share, visit);
        if (atomic_fetch_sub_explicit(&s->handover->room, 2, memory_order_relaxed) < 2)
                return;
        struct packed *p = malloc(sizeof *p);
        if (p != NULL && conn_pack(c, &p->parcel)) {
                STAILQ_INSERT_TAIL(&s->parcels, p, next);
                return;
        }
        atomic_fetch_add_explicit(&s->handover->room, 2, memory_order_relaxed);
        free(p);
}

static void end_if_last(struct handover *h)
{
        if (--h->n_waiting > 0)
                return;
        h->done(h->n, h->arg);
        free(h);
}

static void visited(struct worker_visit *v)
{
        struct share *s = CONTAINER(v, struct share, visit);
        struct handover *h = s->handover;
        struct packed *p;
        while ((p = STAILQ_FIRST(&s->parcels)) != NULL) {
                STAILQ_REMOVE_HEAD(&s->parcels, next);
                heritage_add_connection(h->bundle, &p->parcel);
                free(p);
                h->n++;
        }
        end_if_last(h);
}

bool handover_begin(struct worker *const *workers, size_t n, struct bundle *bundle, size_t most,
                    handover_done_fn *done, void *arg)
{
        struct handover *h = calloc(1, sizeof *h + n * sizeof h->shares[0]);
        if (h == NULL)
                return false;
        h->bundle = bundle;
        h->done = done;
        h->arg = arg;
        h->n_waiting = n + 1; /* until all have been asked */
        atomic_init(&h->room, (long)most);
        for (size_t i = 0; i < n; i++) {
                struct share *s = &h->shares[i];
                *s = (struct share){ .visit = { .each = pack, .done = visited }, .handover = h };
                STAILQ_INIT(&s->parcels);
                if (worker_visit(workers[i], &s->visit))
                        continue;
                log_error("out of memory: the connections of a worker are not handed over");
                h->n_waiting--;
        }
        end_if_last(h);
        return true;
}
