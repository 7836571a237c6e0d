/* SPDX-License-Identifier: ISC */
#include "snapshot/counts.h"

#include <stdint.h>
#include <stdlib.h>

struct counts *counts_new(void)
{
        struct counts *c = malloc(sizeof *c);
        if (c == NULL)
                return NULL;
        ref_init(&c->ref);
        tally_init(&c->tally, 0);
        io_ceiling_init(&c->ceiling, SIZE_MAX);
        return c;
}

struct service_counts *service_counts_new(size_t n_workers)
{
        struct service_counts *c = malloc(sizeof *c);
        struct stats_set *stats = stats_set_new(n_workers);
        if (c == NULL || stats == NULL) {
                stats_set_free(stats);
                free(c);
                return NULL;
        }
        c->stats = stats;
        ref_init(&c->ref);
        tally_init(&c->tally, 0);
        c->drained = false;
        atomic_init(&c->over, false);
        return c;
}

void counts_unref(struct counts *c)
{
        if (c != NULL && ref_put(&c->ref))
                free(c);
}

void service_counts_unref(struct service_counts *c)
{
        if (c == NULL || !ref_put(&c->ref))
                return;
        stats_set_free(c->stats);
        free(c);
}
