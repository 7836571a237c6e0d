/* SPDX-License-Identifier: ISC */
#include "upstream/upstream.h"

void upstream_init(struct upstream *u, const struct config_service *service,
                   const struct upstream *before)
{
        u->targets = &service->connect;
        u->balance = service->balance;
        atomic_init(&u->turn, before == NULL ? 0 : atomic_load(&before->turn));
}

const char *upstream_builtin(const struct upstream *u)
{
        const struct addr *first = &u->targets->items[0];
        return first->kind == ADDR_BUILTIN ? first->host : NULL;
}

void upstream_order(struct upstream *u, const struct addr **order)
{
        size_t n = u->targets->n, first = 0;
        if (u->balance == CONFIG_BALANCE_ROUND_ROBIN && n > 1)
                first = atomic_fetch_add_explicit(&u->turn, 1, memory_order_relaxed) % n;
        for (size_t i = 0; i < n; i++)
                order[i] = &u->targets->items[(first + i) % n];
}
