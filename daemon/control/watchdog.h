/* SPDX-License-Identifier: ISC */
/* Telling the service manager, if it wants to hear it (WatchdogSec=), that every loop turns: the
 * main one, which says so, and those of all workers. */
#ifndef CONTROL_WATCHDOG_H
#define CONTROL_WATCHDOG_H

#include "control/reload.h"

struct event_base;
struct watchdog;

/* All borrowed. */
struct watchdog_env {
        struct event_base *base;
        const struct reload *reload;
        struct worker *const *workers;
        size_t n_workers;
};

/* NULL: memory is short. */
struct watchdog *watchdog_new(const struct watchdog_env *env);
void watchdog_free(struct watchdog *w); /* NULL is fine */

/* This process is the service; another one is. Both are idempotent. */
void watchdog_start(struct watchdog *w);
void watchdog_stop(struct watchdog *w);

#endif
