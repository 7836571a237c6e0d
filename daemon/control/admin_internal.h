/* SPDX-License-Identifier: ISC */
/* The parts of the admin pages, for their own files. */
#ifndef CONTROL_ADMIN_INTERNAL_H
#define CONTROL_ADMIN_INTERNAL_H

#include "control/admin.h"
#include "control/admin_http.h"
#include "control/admin_process.h"

struct admin {
        struct admin_env env;
        struct event_base *base;
        struct admin_http *http;
        struct admin_process process;
        struct loop_stats loop; /* the main thread's */
        struct event *beat;
        struct admin_reloads reloads;
        struct admin_status *status;
        bool draining;
};

/* In admin_metrics.c: all metrics there are. */
void admin_add_metrics(struct text *t, const struct admin *a);

/* In admin_status.c: /status.json, for which the workers are asked. One is made at a time: who asks
 * meanwhile gets it too. NULL: memory is short. */
struct admin_status *admin_status_new(const struct admin *a);
/* When the workers are gone. NULL is fine. */
void admin_status_free(struct admin_status *s);
/* Takes the exchange. */
void admin_status_give(struct admin_status *s, struct admin_exchange *x);

#endif
