/* SPDX-License-Identifier: ISC */
/* Services that a reload removed and that have connections: how long those may go on. */
#ifndef CONTROL_RETIRED_H
#define CONTROL_RETIRED_H

#include <stddef.h>
#include <sys/queue.h>

#include "snapshot/snapshot.h"
#include "worker/worker.h"

struct event_base;
struct retired;

/* What it works on is borrowed. */
struct retirement {
        struct event_base *base;
        struct worker *const *workers;
        size_t n_workers;
        TAILQ_HEAD(retired_list, retired) services;
};

void retirement_init(struct retirement *r, struct event_base *base, struct worker *const *workers,
                     size_t n_workers);
void retirement_fini(struct retirement *r);

/* now has taken former's place: the connections of services that are only in former end, as
 * drained, when now's drain-timeout has passed; a service that is there again keeps its own. */
void retirement_update(struct retirement *r, const struct snapshot *former,
                       const struct snapshot *now);

#endif
