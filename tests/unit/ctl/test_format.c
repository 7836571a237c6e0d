/* SPDX-License-Identifier: ISC */
/* Quantities in a few characters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "ctl/format.h"

static void octets(void **state)
{
        (void)state;
        static const struct {
                int64_t n;
                const char *text;
        } table[] = {
                { 0, "0" },
                { 999, "999" },
                { 1000, "1.0k" },
                { 1536, "1.5k" },
                { 1023488, "999.5k" },
                { 1048576, "1.0M" },
                { INT64_MAX, "8.0E" },
        };
        char text[TEXT_QUANTITY_MAX];
        for (size_t i = 0; i < COUNTOF(table); i++) {
                assert_string_equal(format_octets(table[i].n, text), table[i].text);
                assert_true(strlen(text) <= 6);
        }
}

static void ages(void **state)
{
        (void)state;
        static const struct {
                int64_t ms;
                const char *text;
        } table[] = {
                { 0, "0.0s" },          { 999, "0.9s" },       { 59999, "59.9s" },
                { 60000, "1m00s" },     { 3599999, "59m59s" }, { 3600000, "1h00m" },
                { 86399999, "23h59m" }, { 86400000, "1d00h" }, { INT64_C(99) * 86400000, "99d00h" },
        };
        char text[TEXT_QUANTITY_MAX];
        for (size_t i = 0; i < COUNTOF(table); i++)
                assert_string_equal(format_age(table[i].ms, text), table[i].text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(octets),
                cmocka_unit_test(ages),
        };
        return cmocka_run_group_tests_name("ctl/format", tests, NULL, NULL);
}
