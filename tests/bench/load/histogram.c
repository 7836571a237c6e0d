/* SPDX-License-Identifier: ISC */
/* Each power of two is cut into 64 buckets. */
#include "load.h"

enum { FINE = 6, STEPS = 1 << FINE };

void histogram_add(struct histogram *h, uint64_t ns)
{
        unsigned shift = 0;
        while (ns >> shift >= 2 * STEPS)
                shift++;
        /* Below 128 ns the value is its own bucket. */
        uint64_t i = shift * STEPS + (ns >> shift);
        h->bucket[i < HISTOGRAM_BUCKETS ? i : HISTOGRAM_BUCKETS - 1]++;
        h->total++;
}

static double middle_of(unsigned i)
{
        if (i < 2 * STEPS)
                return i;
        unsigned shift = i / STEPS - 1;
        return (double)((uint64_t)(i - shift * STEPS) << shift) + (double)(1U << shift) / 2;
}

double histogram_percentile(const struct histogram *h, double percent)
{
        double wanted = (double)h->total * percent / 100;
        uint64_t seen = 0;
        for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
                seen += h->bucket[i];
                if (seen > 0 && (double)seen >= wanted)
                        return middle_of(i) / 1000;
        }
        return 0;
}
