/* SPDX-License-Identifier: ISC */
/* Putting another process in this one's place, the same program as it is now, without a moment in
 * which nobody accepts: it is started, told what this one listens on, and when it accepts there
 * itself this one leaves, and gives it every connection that can go on elsewhere. A successor that
 * does not start changes nothing.
 *
 * Or the service manager starts it, once this process has ended: then all of it is left with the
 * manager, and who connects meanwhile waits. */
#ifndef CONTROL_UPGRADE_H
#define CONTROL_UPGRADE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/lsock.h"
#include "snapshot/snapshot.h"
#include "worker/worker.h"

struct event_base;
struct upgrade;

/* What it works on; all borrowed. */
struct upgrade_env {
        struct event_base *base;
        int launcher; /* -1: there is none */
        struct worker *const *workers;
        size_t n_workers;
        /* Every listening socket there is: call fn for each. */
        void (*each_socket)(void fn(struct lsock *l, void *to), void *to, void *arg);
        /* Accept no more, and call upgrade_go_on() when nobody does: the process pid, or whoever
         * the service manager starts (0), will. */
        void (*leave)(long pid, void *arg);
        /* Over: connections were handed over, or (error) everything goes on as before. */
        void (*over)(const char *error, void *arg);
        void *arg;
};

/* NULL: memory is short. */
struct upgrade *upgrade_new(const struct upgrade_env *env);
void upgrade_free(struct upgrade *u); /* NULL is fine */

/* Who waits for it; done runs once, from the event loop, error is NULL when a successor serves. */
struct upgrade_asker {
        void (*done)(const char *error, void *arg);
        void *arg;
};

/* asker may be NULL. Returns NULL, or why it is not begun, a constant: then done does not run. */
const char *upgrade_begin(struct upgrade *u, const struct upgrade_asker *asker);
/* The service manager will start the successor. Returns false when memory is short: drain. */
bool upgrade_by_manager(struct upgrade *u);
void upgrade_go_on(struct upgrade *u);

#endif
