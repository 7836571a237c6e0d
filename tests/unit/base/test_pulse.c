/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/pulse.h"

enum { LONG_US = 60 * 1000 * 1000, SHORT_US = 500 };

static void without_a_beat_it_sleeps(void **state)
{
        (void)state;
        struct pulse p = { 0 };
        assert_false(pulse_awake(&p));
        pulse_begin(&p);
        assert_false(pulse_awake(&p));
}

static void a_beat_keeps_it_awake_for_as_long_as_was_wished(void **state)
{
        (void)state;
        struct pulse p = { 0 };
        pulse_begin(&p);
        int64_t began = clock_us();
        pulse_beat(&p, SHORT_US);
        while (pulse_awake(&p))
                assert_in_range(clock_us() - began, 0, LONG_US);
        assert_true(clock_us() - began >= SHORT_US);
        assert_false(pulse_awake(&p));
        assert_int_equal(p.until_us, 0); /* no clock is read any more */
}

static void each_beat_begins_anew_and_the_longest_wish_counts(void **state)
{
        (void)state;
        struct pulse p = { 0 };
        pulse_begin(&p);
        pulse_beat(&p, LONG_US);
        pulse_beat(&p, SHORT_US);
        assert_true(pulse_awake(&p));
        int64_t until = p.until_us;
        assert_true(until - clock_us() > LONG_US / 2);
        pulse_beat(&p, SHORT_US); /* takes nothing away */
        assert_true(pulse_awake(&p));
        assert_true(p.until_us == until);
        pulse_beat(&p, LONG_US);
        for (int64_t t = clock_us(); clock_us() == t;)
                continue;
        assert_true(pulse_awake(&p));
        assert_true(p.until_us > until);
}

static void with_the_last_connection_it_sleeps(void **state)
{
        (void)state;
        struct pulse p = { 0 };
        pulse_begin(&p);
        pulse_begin(&p);
        pulse_beat(&p, LONG_US);
        pulse_end(&p);
        assert_true(pulse_awake(&p));
        pulse_end(&p);
        assert_false(pulse_awake(&p));
        pulse_begin(&p); /* the next one does not inherit it */
        assert_false(pulse_awake(&p));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_a_beat_it_sleeps),
                cmocka_unit_test(a_beat_keeps_it_awake_for_as_long_as_was_wished),
                cmocka_unit_test(each_beat_begins_anew_and_the_longest_wish_counts),
                cmocka_unit_test(with_the_last_connection_it_sleeps),
        };
        return cmocka_run_group_tests_name("base/pulse", tests, NULL, NULL);
}
