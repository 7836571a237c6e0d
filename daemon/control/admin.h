/* SPDX-License-Identifier: ISC */
/* What the directive `admin` serves: metrics, health, and a page for people. Nothing can be changed
 * through it. */
#ifndef CONTROL_ADMIN_H
#define CONTROL_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/admin_process.h"
#include "snapshot/snapshot.h"
#include "stats/loop_stats.h"
#include "worker/worker.h"

struct admin;
struct event;
struct event_base;
struct reload;

/* What it shows; all borrowed. */
struct admin_env {
        const struct reload *reload;
        struct worker *const *workers;
        size_t n_workers;
};

/* How reloads went. */
struct admin_reloads {
        uint64_t fine, failed;
        bool last_fine;
        int64_t wall_us; /* when the configuration that runs was read */
};

/* Serves nothing yet. NULL: memory is short. */
struct admin *admin_new(struct event_base *base, const struct admin_env *env);
void admin_free(struct admin *a); /* when the workers are gone. NULL is fine */

/* Serve where this one says, from now on. */
void admin_listen(struct admin *a, const struct snapshot *snapshot);

/* A successor does. */
void admin_leave(struct admin *a);

/* A reload is over. */
void admin_reloaded(struct admin *a, bool changed);

/* The daemon is going to stop: it is not ready any more. Before accepting stops. */
void admin_draining(struct admin *a);

#endif
