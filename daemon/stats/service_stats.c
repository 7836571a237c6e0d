/* SPDX-License-Identifier: ISC */
#include "stats/service_stats.h"

#include <stdlib.h>
#include <string.h>

struct stats_set *stats_set_new(size_t n_workers)
{
        struct stats_set *set = malloc(sizeof *set + n_workers * sizeof set->blocks[0]);
        if (set == NULL)
                return NULL;
        set->n = n_workers;
        for (size_t i = 0; i < n_workers; i++)
                atomic_init(&set->blocks[i], NULL);
        return set;
}

void stats_set_free(struct stats_set *set)
{
        for (size_t i = 0; set != NULL && i < set->n; i++)
                free(atomic_load_explicit(&set->blocks[i], memory_order_relaxed));
        free(set);
}

/* Two workers' blocks never share a line of cache. */
static struct service_stats *block_new(void)
{
        enum { LINE = 64 };
        const size_t size = (sizeof(struct service_stats) + LINE - 1) / LINE * LINE;
        struct service_stats *block = aligned_alloc(LINE, size);
        if (block != NULL)
                memset(block, 0, size);
        return block;
}

void stats_claim(struct stats_set *set, size_t worker)
{
        if (worker < set->n &&
            atomic_load_explicit(&set->blocks[worker], memory_order_relaxed) == NULL)
                atomic_store_explicit(&set->blocks[worker], block_new(), memory_order_release);
}

struct service_stats *stats_nowhere(void)
{
        static struct service_stats nowhere;
        return &nowhere;
}

static void add(struct service_stats *total, const struct service_stats *s)
{
        for (int i = 0; i < STATS_DIRECTIONS; i++)
                counter_add(&total->octets[i], counter_get(&s->octets[i]));
        counter_add(&total->half_closed, counter_get(&s->half_closed));
        for (int i = 0; i < STATS_REASONS; i++)
                counter_add(&total->ended[i], counter_get(&s->ended[i]));
        counter_add(&total->left_out, counter_get(&s->left_out));
        for (int i = 0; i < HANDSHAKE_SIDES; i++)
                histogram_sum(&total->handshake[i], &s->handshake[i]);
        histogram_sum(&total->connect, &s->connect);
        histogram_sum(&total->life, &s->life);
        handshakes_sum(&total->handshakes, &s->handshakes);
}

void stats_total(const struct stats_set *set, struct service_stats *total)
{
        memset(total, 0, sizeof *total);
        for (size_t i = 0; i < set->n; i++) {
                const struct service_stats *s =
                        atomic_load_explicit(&set->blocks[i], memory_order_acquire);
                if (s != NULL)
                        add(total, s);
        }
}
