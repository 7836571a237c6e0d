/* SPDX-License-Identifier: ISC */
#include "stats/histogram.h"

#include "base/own.h"

#define MS(n) ((n)*INT64_C(1000))
#define S(n)  ((n)*INT64_C(1000000))

#define BOUNDS(...)                                                               \
        {                                                                         \
                .n = COUNTOF(((int64_t[]){ __VA_ARGS__ })), .us = { __VA_ARGS__ } \
        }

const struct histogram_bounds histogram_brief =
        BOUNDS(500, MS(1), MS(2), MS(5), MS(10), MS(20), MS(50), MS(100), MS(200), MS(500), S(1),
               S(2), S(5), S(10));

const struct histogram_bounds histogram_lives =
        BOUNDS(MS(10), MS(100), S(1), S(5), S(10), S(30), S(60), S(300), S(900), S(3600), S(10800),
               S(43200), S(86400), S(604800));

const struct histogram_bounds histogram_lag = BOUNDS(500, MS(1), MS(2), MS(5), MS(10), MS(20),
                                                     MS(50), MS(100), MS(200), MS(500), S(1), S(5));

void histogram_observe(struct histogram *h, const struct histogram_bounds *bounds, int64_t us)
{
        size_t i = 0;
        while (i < bounds->n && us > bounds->us[i])
                i++;
        counter_add(&h->buckets[i < bounds->n ? i : HISTOGRAM_BOUNDS], 1);
        if (us > 0)
                counter_add(&h->sum_us, (uint64_t)us);
}

void histogram_sum(struct histogram *h, const struct histogram *more)
{
        for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
                counter_add(&h->buckets[i], counter_get(&more->buckets[i]));
        counter_add(&h->sum_us, counter_get(&more->sum_us));
}

uint64_t histogram_count(const struct histogram *h)
{
        uint64_t n = 0;
        for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
                n += counter_get(&h->buckets[i]);
        return n;
}
