/* SPDX-License-Identifier: ISC */
/* Choosing where a service's connections go. */
#ifndef UPSTREAM_UPSTREAM_H
#define UPSTREAM_UPSTREAM_H

#include <stdatomic.h>

#include "config/config.h"

/* One a service, shared by all workers. */
struct upstream {
        const struct addr_list *targets; /* borrowed from the configuration */
        int balance;                     /* CONFIG_BALANCE_… */
        atomic_uint turn;                /* round-robin: whose turn it is */
};

/* before: of the same service, as it was configured until now; NULL: it is new. */
void upstream_init(struct upstream *u, const struct config_service *service,
                   const struct upstream *before);

/* The name of the built-in that answers, or NULL when targets are to be dialled. */
const char *upstream_builtin(const struct upstream *u);

/* Fill order (room for targets->n) with the targets to try for one connection, best first; borrowed
 * from the configuration. */
void upstream_order(struct upstream *u, const struct addr **order);

#endif
