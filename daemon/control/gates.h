/* SPDX-License-Identifier: ISC */
/* Services that are drained by command: the steps their listening sockets take (net/lsock_gate),
 * and the workers with them. Who is drained stands in the service's counts, and so outlives a
 * reload. */
#ifndef CONTROL_GATES_H
#define CONTROL_GATES_H

#include <stdbool.h>

#include "control/reload.h"

struct gates;

/* What it works on; all borrowed. */
struct gates_env {
        struct event_base *base;
        struct reload *reload;
        struct worker *const *workers;
        size_t n_workers;
};

/* NULL: memory is short. */
struct gates *gates_new(const struct gates_env *env);
void gates_free(struct gates *g); /* NULL is fine */

/* Both are idempotent, and take effect little by little. gates_open() returns false, with the
 * service drained as before, when one of its addresses cannot be listened on again, which diag
 * says. */
void gates_close(struct gates *g, struct service *s);
bool gates_open(struct gates *g, struct service *s, struct diag *diag);

/* "open", "draining": connections are left or still to be let in, "drained". */
const char *gates_state(const struct service *s);

/* Another configuration runs: addresses may have come to a service, or moved. */
void gates_update(struct gates *g);
/* To be told each WORKER_GATED. */
void gates_worker_done(struct gates *g);
/* The daemon is stopping: everything stays as it is. */
void gates_stop(struct gates *g);

#endif
