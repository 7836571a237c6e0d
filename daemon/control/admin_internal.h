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
        bool draining;
};

/* In admin_metrics.c: all metrics there are. */
void admin_add_metrics(struct text *t, const struct admin *a);

#endif
