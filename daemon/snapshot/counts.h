/* SPDX-License-Identifier: ISC */
/* What is counted for as long as the daemon runs, whatever configuration it has at the moment: in
 * all, and for each service as long as there is one of its name. Shared by the snapshots. */
#ifndef SNAPSHOT_COUNTS_H
#define SNAPSHOT_COUNTS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/ref.h"
#include "net/io.h"
#include "snapshot/tally.h"
#include "stats/service_stats.h"

struct counts {
        struct ref ref;
        struct tally tally;
        struct io_ceiling ceiling; /* of what connections hold in memory */
};

struct service_counts {
        struct ref ref;
        struct tally tally;
        bool drained;            /* by command: nobody new gets in; the main thread's */
        struct stats_set *stats; /* owned */
        atomic_bool over; /* the service was removed, and its connections have had their time */
};

/* NULL: memory is short. */
struct counts *counts_new(void);
struct service_counts *service_counts_new(size_t n_workers);

static inline struct counts *counts_ref(struct counts *c)
{
        ref_get(&c->ref);
        return c;
}
static inline struct service_counts *service_counts_ref(struct service_counts *c)
{
        ref_get(&c->ref);
        return c;
}
/* NULL is fine. */
void counts_unref(struct counts *c);
void service_counts_unref(struct service_counts *c);

#endif
