/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/throttle.h"

enum { SECOND = 1000 * 1000 };

static int passes(struct throttle *t, int64_t now_us, int64_t per_second, int64_t burst_us)
{
        int n = 0;
        for (int i = 0; i < 100000; i++)
                n += throttle_pass(t, now_us, per_second, burst_us);
        return n;
}

static void a_burst_passes_at_once_and_then_the_rate(void **state)
{
        (void)state;
        static const struct {
                int64_t rate, burst_s;
                int at_once, a_second_later;
        } rows[] = {
                { 1, 100, 100, 1 },
                { 100, 100, 10000, 100 },
                { 7, 1, 8, 7 }, /* 142857 µs each: a little is left of the second */
                { 1000000, 0, 0, 0 },
        };
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                struct throttle t = { 0 };
                int64_t burst = rows[i].burst_s * SECOND, now = INT64_C(1) << 40;
                assert_int_equal(passes(&t, now, rows[i].rate, burst), rows[i].at_once);
                assert_int_equal(passes(&t, now, rows[i].rate, burst), 0);
                int later = passes(&t, now + SECOND, rows[i].rate, burst);
                assert_in_range(later, rows[i].a_second_later - (rows[i].rate == 7),
                                rows[i].a_second_later);
        }
}

static void who_was_quiet_saves_no_more_than_a_burst(void **state)
{
        (void)state;
        struct throttle t = { 0 };
        assert_int_equal(passes(&t, SECOND, 10, SECOND), 10);
        assert_int_equal(passes(&t, INT64_C(1000) * SECOND, 10, SECOND), 10);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_burst_passes_at_once_and_then_the_rate),
                cmocka_unit_test(who_was_quiet_saves_no_more_than_a_burst),
        };
        return cmocka_run_group_tests_name("base/throttle", tests, NULL, NULL);
}
