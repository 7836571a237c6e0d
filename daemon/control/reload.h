/* SPDX-License-Identifier: ISC */
/* Which configuration runs, and putting another in its place.
 *
 * A new one is read and built aside; a mistake leaves what runs as it is. Then every worker changes
 * to it, each by itself, and once all have, the addresses that are left are closed. Connections go
 * on under the configuration they began with, those of a service that is gone until drain-timeout
 * has passed. Certificates and keys are watched: when they change the same is done with the
 * configuration that runs. */
#ifndef CONTROL_RELOAD_H
#define CONTROL_RELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

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
        const struct given *given;
        struct worker **workers;
        size_t n_workers;
        /* A reload begins, and is over: something else runs now, or what ran before. */
        void (*begins)(void *arg);
        void (*over)(bool changed, void *arg);
        void *arg;
};

/* Takes *running; on NULL (memory) the caller still has it. */
struct reload *reload_new(const struct reload_env *env, struct snapshot **running);
void reload_free(struct reload *r); /* NULL is fine */

/* What runs, or is about to. Borrowed until the next turn of the loop. */
struct snapshot *reload_running(const struct reload *r);

/* What is said while a reload goes on, which is logged as well. */
enum reload_line { RELOAD_ERROR, RELOAD_WARNING, RELOAD_CHANGE };

/* Who waits for a reload. Lives until done, which runs once; neither runs from
 * reload_config(). */
struct reload_asker {
        STAILQ_ENTRY(reload_asker) next;
        void (*line)(enum reload_line kind, const char *line, void *arg);
        void (*done)(bool changed, void *arg);
        void *arg;
};

/* Read the configuration again; once more after one that is under way. Mistakes are logged. asker
 * may be NULL. */
void reload_config(struct reload *r, struct reload_asker *asker);

/* Find out, at once, what a reload would change or refuse, and tell asker (this is where it runs,
 * and does not stay) and nobody else. */
void reload_try(struct reload *r, struct reload_asker *asker);

/* To be told each WORKER_CHANGED and WORKER_UNCHANGED. */
void reload_worker_changed(struct reload *r, bool changed);

/* No more of it: the daemon is stopping. Who still waits hears that nothing has changed. */
void reload_stop(struct reload *r);

#endif
