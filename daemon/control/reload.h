/* SPDX-License-Identifier: ISC */
/* Which configuration runs, and putting another in its place.
 *
 * A new one is read and built aside; a mistake leaves what runs as it is. Then every worker changes
 * to it, each by itself, and once all have, the addresses that are left are closed. Connections go
 * on under the configuration they began with, those of a service that is gone until drain-timeout
 * has passed. */
#ifndef CONTROL_RELOAD_H
#define CONTROL_RELOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "control/given.h"
#include "snapshot/snapshot.h"
#include "worker/worker.h"

struct budget;
struct event_base;
struct reload;

/* What it works on; all borrowed. */
struct reload_env {
        struct event_base *base;
        struct budget *budget;
        const struct given *given; /* NULL: there is nothing to read again */
        struct worker **workers;
        size_t n_workers;
};

/* Takes the snapshot that runs. NULL (memory): the caller still has it. */
struct reload *reload_new(const struct reload_env *env, struct snapshot *running);
void reload_free(struct reload *r); /* NULL is fine */

/* What runs, or is about to. Borrowed until the next reload. */
struct snapshot *reload_running(const struct reload *r);

/* Whether workers are still changing. */
bool reload_is_under_way(const struct reload *r);

/* Read, build and publish; not while one is under way. Messages go to diag: with an error nothing
 * has changed, and false is returned. */
bool reload_begin(struct reload *r, struct diag *diag);

/* To be told each WORKER_CHANGED and WORKER_UNCHANGED. True: it was the last, and the reload is
 * over. */
bool reload_worker_changed(struct reload *r, bool changed);

#endif
