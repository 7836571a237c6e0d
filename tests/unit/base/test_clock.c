/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/own.h"

static void the_time_of_day_is_written_to_the_millisecond(void **state)
{
        (void)state;
        static const struct {
                int64_t us;
                const char *text;
        } table[] = {
                { 0, "1970-01-01T00:00:00.000Z" },
                { 999, "1970-01-01T00:00:00.000Z" },
                { 1000, "1970-01-01T00:00:00.001Z" },
                { 951782399999999, "2000-02-28T23:59:59.999Z" },
                { 951782400000000, "2000-02-29T00:00:00.000Z" },
                { 1769903999123456, "2026-01-31T23:59:59.123Z" },
                { 253402300799999999, "9999-12-31T23:59:59.999Z" },
        };
        char buf[CLOCK_TEXT_MAX];
        for (size_t i = 0; i < COUNTOF(table); i++)
                assert_string_equal(clock_wall_text(table[i].us, buf), table[i].text);
}

static void a_brief_duration_stops_at_its_end(void **state)
{
        (void)state;
        assert_int_equal(clock_brief_ms(0), 0);
        assert_int_equal(clock_brief_ms(1999), 1);
        assert_int_equal(clock_brief_ms(INT64_C(3600000000)), 3600000);
        assert_int_equal(clock_brief_ms(INT64_C(1000) * INT32_MAX), INT32_MAX);
        assert_int_equal(clock_brief_ms(INT64_MAX), INT32_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_time_of_day_is_written_to_the_millisecond),
                cmocka_unit_test(a_brief_duration_stops_at_its_end),
        };
        return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
