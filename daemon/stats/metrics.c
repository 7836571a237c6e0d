/* SPDX-License-Identifier: ISC */
#include "stats/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"

enum type { COUNTER, GAUGE, HISTOGRAM };

static const struct row {
        const char *name;
        enum type type;
        const char *labels, *help;
} rows[] = {
#define M(id, name, type, labels, help) [METRIC_##id] = { name, type, labels, help },
#include "stats/metrics.def"
#undef M
};

void metrics_begin(struct text *t, enum metric m)
{
        static const char *const types[] = {
                [COUNTER] = "counter",
                [GAUGE] = "gauge",
                [HISTOGRAM] = "histogram",
        };
        const struct row *r = &rows[m];
        text_addf(t, "# HELP %s %s\n# TYPE %s %s\n", r->name, r->help, r->name, types[r->type]);
}

/* --- labels ----------------------------------------------------------------------------------- */

/* Prometheus wants UTF-8, and three characters escaped. */
static void add_value(struct text *t, const char *value)
{
        OWN(text_fini) struct text clean = { 0 };
        text_add_printable(&clean, value, strlen(value));
        t->failed = t->failed || clean.failed;
        for (const char *s = text_str(&clean); *s != '\0'; s++) {
                if (*s == '\\' || *s == '"')
                        text_add(t, "\\");
                text_addn(t, s, 1);
        }
}

/* `{service="web",le="0.5"}`, or nothing. */
static void add_labels(struct text *t, const char *names, const char *const *values,
                       const char *bound)
{
        const char *before = "{";
        for (size_t i = 0; *names != '\0'; i++) {
                size_t len = strcspn(names, ",");
                text_add(t, before);
                text_addn(t, names, len);
                text_add(t, "=\"");
                add_value(t, values[i]);
                text_add(t, "\"");
                before = ",";
                names += len + (names[len] == ',');
        }
        if (bound != NULL)
                text_addf(t, "%sle=\"%s\"", before, bound);
        if (bound != NULL || *before == ',')
                text_add(t, "}");
}

/* --- samples ---------------------------------------------------------------------------------- */

#define SECONDS_MAX 32

/* Without zeros at the end, "0.005", as other programs write bounds. */
static const char *seconds(int64_t us, char buf[static SECONDS_MAX])
{
        int len = snprintf(buf, SECONDS_MAX, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
        while (buf[len - 1] == '0')
                buf[--len] = '\0';
        if (buf[len - 1] == '.')
                buf[--len] = '\0';
        return buf;
}

static void add_sample(struct text *t, enum metric m, const char *suffix, const char *const *labels,
                       const char *bound)
{
        text_add(t, rows[m].name);
        text_add(t, suffix);
        add_labels(t, rows[m].labels, labels, bound);
        text_add(t, " ");
}

void metrics_add(struct text *t, enum metric m, const char *const *labels, uint64_t value)
{
        add_sample(t, m, "", labels, NULL);
        text_add_uint(t, value);
        text_add(t, "\n");
}

void metrics_add_us(struct text *t, enum metric m, const char *const *labels, int64_t us)
{
        char buf[SECONDS_MAX];
        add_sample(t, m, "", labels, NULL);
        text_addf(t, "%s\n", seconds(us, buf));
}

static void add_bucket(struct text *t, enum metric m, const char *const *labels, const char *bound,
                       uint64_t n)
{
        add_sample(t, m, "_bucket", labels, bound);
        text_add_uint(t, n);
        text_add(t, "\n");
}

void metrics_add_histogram(struct text *t, enum metric m, const char *const *labels,
                           const struct histogram *h, const struct histogram_bounds *bounds)
{
        char buf[SECONDS_MAX];
        uint64_t n = 0;
        for (size_t i = 0; i < bounds->n; i++) {
                n += counter_get(&h->buckets[i]);
                add_bucket(t, m, labels, seconds(bounds->us[i], buf), n);
        }
        n += counter_get(&h->buckets[HISTOGRAM_BOUNDS]);
        add_bucket(t, m, labels, "+Inf", n);
        add_sample(t, m, "_sum", labels, NULL);
        text_addf(t, "%s\n", seconds((int64_t)counter_get(&h->sum_us), buf));
        add_sample(t, m, "_count", labels, NULL);
        text_addf(t, "%" PRIu64 "\n", n);
}
