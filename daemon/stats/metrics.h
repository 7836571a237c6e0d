/* SPDX-License-Identifier: ISC */
/* The metrics there are, and how they are written for Prometheus (text format 0.0.4). */
#ifndef STATS_METRICS_H
#define STATS_METRICS_H

#include <stdint.h>

#include "base/text.h"
#include "stats/histogram.h"

enum metric {
#define M(id, name, type, labels, help) METRIC_##id,
#include "stats/metrics.def"
#undef M
        METRICS
};

/* The lines that come before a metric's samples, which follow one after the other. */
void metrics_begin(struct text *t, enum metric m);

/* A sample. labels are the values of the metric's labels, in the order of its row, and may hold any
 * octets; NULL where it has none. */
void metrics_add(struct text *t, enum metric m, const char *const *labels, uint64_t value);
/* … in seconds, to the microsecond. */
void metrics_add_us(struct text *t, enum metric m, const char *const *labels, int64_t us);
void metrics_add_histogram(struct text *t, enum metric m, const char *const *labels,
                           const struct histogram *h, const struct histogram_bounds *bounds);

#endif
