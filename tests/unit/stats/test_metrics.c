/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "stats/metrics.h"

#define LABELS(...) ((const char *const[]){ __VA_ARGS__ })

static void every_metric_has_its_own_name_and_a_sentence(void **state)
{
        (void)state;
        OWN(text_fini) struct text all = { 0 };
        for (int m = 0; m < METRICS; m++) {
                OWN(text_fini) struct text t = { 0 };
                metrics_begin(&t, (enum metric)m);
                assert_ptr_equal(strstr(text_str(&t), "# HELP "), text_str(&t));
                assert_non_null(strstr(text_str(&t), ".\n# TYPE "));
                assert_null(strstr(text_str(&all), text_str(&t)));
                text_add(&all, text_str(&t));
        }
}

static void samples_are_written_as_prometheus_reads_them(void **state)
{
        (void)state;
        OWN(text_fini) struct text t = { 0 };
        metrics_add(&t, METRIC_OPEN, LABELS("web"), 7);
        metrics_add(&t, METRIC_OCTETS, LABELS("web", "up"), UINT64_MAX);
        metrics_add(&t, METRIC_BUFFERED, NULL, 0);
        metrics_add_us(&t, METRIC_START, NULL, INT64_C(1700000000250000));
        metrics_add_us(&t, METRIC_CPU, NULL, 0);
        metrics_add_us(&t, METRIC_CPU, NULL, 10);
        metrics_add_us(&t, METRIC_CPU, NULL, 10000000);
        assert_string_equal(text_str(&t), "spliced_connections_open{service=\"web\"} 7\n"
                                          "spliced_bytes_total{service=\"web\",direction=\"up\"} "
                                          "18446744073709551615\n"
                                          "spliced_buffered_bytes 0\n"
                                          "process_start_time_seconds 1700000000.25\n"
                                          "process_cpu_seconds_total 0\n"
                                          "process_cpu_seconds_total 0.00001\n"
                                          "process_cpu_seconds_total 10\n");
}

static void nothing_in_a_label_ends_it(void **state)
{
        (void)state;
        static const struct {
                const char *value, *written;
        } cases[] = {
                { "a\"b", "a\\\"b" },  { "a\\", "a\\\\" }, { "a\nb", "a\\\\x0ab" },
                { "\xff", "\\\\xff" }, { "", "" },         { "\xc3\xa4{},=#", "\xc3\xa4{},=#" },
        };
        for (size_t i = 0; i < COUNTOF(cases); i++) {
                OWN(text_fini) struct text t = { 0 }, wanted = { 0 };
                metrics_add(&t, METRIC_OPEN, LABELS(cases[i].value), 1);
                text_addf(&wanted, "spliced_connections_open{service=\"%s\"} 1\n",
                          cases[i].written);
                assert_string_equal(text_str(&t), text_str(&wanted));
        }
}

static void buckets_add_up(void **state)
{
        (void)state;
        OWN(text_fini) struct text t = { 0 };
        static const struct histogram_bounds bounds = { .n = 2, .us = { 500, 2000000 } };
        struct histogram h;
        memset(&h, 0, sizeof h);
        histogram_observe(&h, &bounds, 100);
        histogram_observe(&h, &bounds, 600);
        histogram_observe(&h, &bounds, 700);
        histogram_observe(&h, &bounds, 3000000);
        metrics_add_histogram(&t, METRIC_CONNECT, LABELS("x"), &h, &bounds);
        assert_string_equal(
                text_str(&t),
                "spliced_connect_duration_seconds_bucket{service=\"x\",le=\"0.0005\"} 1\n"
                "spliced_connect_duration_seconds_bucket{service=\"x\",le=\"2\"} 3\n"
                "spliced_connect_duration_seconds_bucket{service=\"x\",le=\"+Inf\"} 4\n"
                "spliced_connect_duration_seconds_sum{service=\"x\"} 3.0014\n"
                "spliced_connect_duration_seconds_count{service=\"x\"} 4\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_metric_has_its_own_name_and_a_sentence),
                cmocka_unit_test(samples_are_written_as_prometheus_reads_them),
                cmocka_unit_test(nothing_in_a_label_ends_it),
                cmocka_unit_test(buckets_add_up),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
